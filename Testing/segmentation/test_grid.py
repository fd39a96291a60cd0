"""From the scan's pixels to the network's and back."""

import numpy as np
import pytest

from ICHVolumeLib.imaging.head_mask import HeadMask, find_head
from ICHVolumeLib.segmentation.grid import Grid, make_grid

LPS_AXES = np.array([[-0.5, 0, 0], [0, -0.5, 0], [0, 0, 5.0]])  # columns: RAS steps of i, j, k as rows here


def everywhere(shape):
    blocks = tuple(-(-size // 4) for size in shape[1:])
    return HeadMask(np.ones((shape[0], *blocks), bool), np.ones(shape[0], bool), skull_found=True)


@pytest.mark.parametrize(("shape", "spacing_mm", "expected"), [
    ((512, 512), (0.49, 0.49), (512, 512)), ((512, 512), (0.7, 0.7), (512, 512)), ((400, 400), (0.5, 0.5), (400, 400)),
    ((512, 512), (0.94, 0.94), (1024, 1024)), ((256, 256), (0.94, 0.94), (512, 512)),
    ((1024, 1024), (0.235, 0.235), (512, 512)), ((512, 256), (0.47, 0.94), (512, 512)),
])
def test_pixels_stay_as_scanned_unless_their_size_is_foreign_to_the_network(shape, spacing_mm, expected):
    assert make_grid(everywhere((2, *shape)), shape, spacing_mm).shape == expected


def test_the_box_holds_the_brain_and_its_margin_and_has_edges_of_a_multiple_of_32(phantom):
    hu = np.pad(phantom.ct.hu, ((0, 0), (96, 96), (96, 96)), constant_values=-1000)  # a large field of view
    spacing_mm = phantom.ct.pixel_spacing_mm
    head = find_head(hu, spacing_mm)
    grid = make_grid(head, hu.shape[1:], spacing_mm, native_range_mm=(0.3, 2))
    brain = (hu > 0) & (hu < 100)
    rows, columns = (np.flatnonzero(brain[head.has_brain].any(axis=axes)) for axes in ((0, 2), (0, 1)))
    assert grid.box[0] <= rows[0] and grid.box[1] > rows[-1] and grid.box[2] <= columns[0] and grid.box[3] > columns[-1]
    assert all(size % 32 == 0 for size in grid.box_shape)
    assert grid.box[0] % 16 == 0 and grid.box[2] % 16 == 0  # the poolings meet the same pixels as in the whole slice
    whole = make_grid(head, hu.shape[1:], spacing_mm, native_range_mm=(0.3, 2), crop=False)
    assert np.prod(grid.box_shape) < np.prod(whole.box_shape)


def test_a_native_grid_crops_and_puts_back_without_touching_a_pixel():
    image = np.random.default_rng(0).random((50, 60), np.float32)
    grid = Grid((50, 60), (50, 60), (-7, 57, 10, 42))
    box = grid.to_network(image)
    assert box.shape == (64, 32) and not box[:7].any() and not box[57:].any()
    assert (grid.to_native(box[None])[0] == image[grid.native_part]).all()
    assert grid.native_part == (slice(0, 50), slice(10, 42))


@pytest.mark.parametrize("shape", [(256, 192), (70, 90)])
def test_a_smooth_image_survives_the_resampled_grid_in_place(shape):
    rows, columns = np.meshgrid(np.arange(128), np.arange(96), indexing="ij")
    image = (np.exp(-((rows - 50) ** 2 + (columns - 30) ** 2) / 200)).astype(np.float32)
    grid = Grid((128, 96), shape, (0, shape[0], 0, shape[1]))
    back = grid.to_native(grid.to_network(image)[None])[0]
    assert np.abs(back - image[grid.native_part]).max() < 0.06
    total = back.sum()
    np.testing.assert_allclose([(back.sum(1) @ np.arange(128)) / total, (back.sum(0) @ np.arange(96)) / total],
                               [50, 30], atol=0.05)


def test_a_box_on_a_resampled_grid_comes_back_to_the_same_place():
    image = np.zeros((128, 128), np.float32)
    image[60:80, 40:70] = 1
    whole = Grid((128, 128), (256, 256), (0, 256, 0, 256))
    part = Grid((128, 128), (256, 256), (64, 192, 32, 192))
    full = whole.to_native(whole.to_network(image)[None])[0]
    cut = part.to_native(part.to_network(image)[None])[0]
    np.testing.assert_allclose(cut[2:-2, 2:-2], full[part.native_part][2:-2, 2:-2], atol=1e-5)


@pytest.mark.parametrize(("trained_mm", "target_mm", "size"), [((0.82, 0.98), 0.9, 256), ((0.6, 0.66), 0.64, 360)])
def test_weights_trained_on_coarser_pixels_get_them_from_a_512_pixel_slice(trained_mm, target_mm, size):
    grid = make_grid(everywhere((2, 512, 512)), (512, 512), (0.45, 0.45), trained_mm, target_mm)
    assert grid.shape == (size, size)


def dense_interpolation(image, shape):
    """The same triangle-weighted interpolation as one matrix per axis: slow, and plain enough to be an oracle."""
    for axis, new_size in enumerate(shape):
        size = image.shape[axis]
        step = size / new_size
        centres = (np.arange(new_size) + 0.5) * step - 0.5
        weights = np.clip(1 - np.abs(centres[:, None] - np.arange(size)) / max(step, 1), 0, None)
        image = np.moveaxis(np.tensordot(weights / weights.sum(axis=1, keepdims=True), image, (1, axis)), 0, axis)
    return image


@pytest.mark.parametrize("shape", [(257, 131), (64, 48), (97, 110), (200, 40)])
def test_resampling_is_linear_interpolation_there_and_back(shape):
    rng = np.random.default_rng(3)
    grid = Grid((128, 96), shape, (0, shape[0], 0, shape[1]))
    image, maps = rng.random((128, 96), np.float32), rng.random((2, *shape), np.float32)
    np.testing.assert_allclose(grid.to_network(image), dense_interpolation(image, shape), atol=1e-5)
    back = grid.to_native(maps)
    np.testing.assert_allclose(back, [dense_interpolation(one, (128, 96)) for one in maps], atol=1e-5)


@pytest.mark.parametrize("shape", [(128, 96), (57, 43), (300, 210)])
@pytest.mark.parametrize("box", [(0.0, 0.0, 1.0, 1.0), (0.2, 0.1, 0.8, 1.2), (-0.2, 0.3, 0.9, 0.7)])
def test_what_reaches_a_limit_is_the_same_whether_the_whole_box_comes_back_or_only_its_surroundings(shape, box):
    rng = np.random.default_rng(4)
    rows, columns = shape
    edges = (int(box[0] * rows), int(box[2] * rows), int(box[1] * columns), int(box[3] * columns))
    grid = Grid((128, 96), shape, edges)
    maps = 0.19 * rng.random((1, *grid.box_shape), np.float32)
    maps[0, 5:9, 7:8] = maps[0, -3:, -4:] = 0.9
    whole, part = np.zeros((128, 96)), np.zeros((128, 96))
    whole[grid.native_part] = grid.to_native(maps)[0]
    near, cut = grid.around(maps[0] >= 0.2)
    part[near.native_part] = near.to_native(maps[(slice(None), *cut)])[0]
    assert (whole >= 0.2).any()
    assert ((whole >= 0.2) == (part >= 0.2)).all()
    np.testing.assert_allclose(part[whole >= 0.2], whole[whole >= 0.2], atol=1e-6)


def test_nothing_wanted_and_nothing_wanted_inside_the_image_bring_nothing_back():
    grid = Grid((50, 60), (50, 60), (-16, 48, 0, 64))
    beyond = np.zeros(grid.box_shape, bool)
    assert grid.around(beyond) is None
    beyond[:16] = True
    assert grid.around(beyond) is None
