"""Connected components: counted, boxed, the largest of them."""

import numpy as np
import pytest

from ICHVolumeLib.imaging.components import component_boxes, connected_components, largest_component


@pytest.mark.parametrize("shape", [(2, 3, 3), (0, 3, 3), (0, 0)])
def test_where_nothing_is_marked_there_are_no_pieces(shape):
    components, count = connected_components(np.zeros(shape, bool))
    assert components.shape == shape and not components.any()
    assert count == 0 and component_boxes(components, count) == []


def test_the_largest_piece_touches_by_corners_and_may_be_missing():
    picture = np.zeros((2, 6, 6), bool)
    picture[0, 0, 0] = picture[1, 1, 1] = True  # one piece over a corner
    picture[0, 5, 5] = True
    assert np.array_equal(np.argwhere(largest_component(picture)), [[0, 0, 0], [1, 1, 1]])
    assert not largest_component(np.zeros((2, 3, 3), bool)).any()


@pytest.mark.parametrize("fully_connected", [True, False])
@pytest.mark.parametrize("shape", [(9, 40, 50), (40, 50)])
def test_pieces_far_from_the_edge_are_numbered_as_itk_numbers_the_whole(shape, fully_connected):
    import SimpleITK as sitk

    inner = tuple(slice(2, size - 3) for size in shape)
    binary = np.zeros(shape, bool)
    binary[inner] = np.random.default_rng(4).random(binary[inner].shape) > 0.75
    components, count = connected_components(binary, fully_connected)
    whole = sitk.ConnectedComponent(sitk.GetImageFromArray(binary.astype(np.uint8)), fully_connected)
    assert count > 10 and np.array_equal(components, sitk.GetArrayFromImage(whole))
