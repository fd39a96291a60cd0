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
