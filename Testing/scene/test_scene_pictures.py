"""What the views show, pixel by pixel against the mask, not against stored pictures.

Drawn by the real displayable managers offscreen; see Testing/offscreen.py for what that is not.
Set ICHVOLUME_PICTURES to a folder to keep the pictures.
"""

import os
from pathlib import Path

import numpy as np
import pytest
from mrml_phantoms import add_ct, add_linear_transform, rigid_matrix
from phantoms import ellipsoid_ct

from ICHVolumeLib.core.labels import ICH, IVH, LABELS
from ICHVolumeLib.measure import measure_mask

offscreen = pytest.importorskip("offscreen")


@pytest.fixture
def views(slicer):
    """offscreen, or a skip where EGL is not there (only Linux has it)."""
    import vtk

    if not hasattr(vtk, "vtkEGLRenderWindow"):
        pytest.skip("this VTK draws offscreen only with a window system")
    return offscreen


def keep(picture, name):
    if folder := os.environ.get("ICHVOLUME_PICTURES"):
        offscreen.save_png(picture, Path(folder) / f"{name}.png")


def segmented(slicer, grid, registered=False):
    from ICHVolumePanel import scene, scene_lines

    phantom = ellipsoid_ct(grid, pixel_mm=0.9, columns=224, rows=240, step_mm=5.0, semi_axes_mm=(22, 14, 17),
                           center_mm=(22, 5, 8))
    volume = add_ct(slicer, phantom.ct)
    if registered:
        registration = add_linear_transform(slicer, rigid_matrix(20, (5, 5, 5)))
        (volume.GetParentTransformNode() or volume).SetAndObserveTransformNodeID(registration.GetID())
    mask = phantom.mask.copy()
    mask[:, :, np.flatnonzero(mask.any(axis=(0, 1)))[-1] - 14:] *= IVH.value
    segmentation = scene.new_segmentation(volume, mask, LABELS)
    abc2 = measure_mask(phantom.ct, mask).abc2
    scene_lines.set_ab_lines(segmentation, volume, abc2.a_line_ras, abc2.b_line_ras)
    return phantom.ct, mask, volume, segmentation, abc2


def colour_labels(picture):
    """Which label's colour tints each pixel: uint8, 0 for grey."""
    red, green, blue = np.moveaxis(picture.astype(int), -1, 0)
    tinted = red - blue > 25
    return np.select([tinted & (green - blue > 20), tinted], [IVH.value, ICH.value], 0).astype(np.uint8)


def expected_labels(slicer, ct, mask, volume, view, slice_index):
    """The mask as the slice view should show it: each pixel's label on slice k, from the geometry alone."""
    from ICHVolumePanel import scene_lines

    corners = scene_lines.slice_corners_world(volume, slice_index)
    columns, rows = ct.hu.shape[2], ct.hu.shape[1]
    per_i, per_j = (corners[1] - corners[0]) / (columns - 1), (corners[3] - corners[0]) / (rows - 1)
    width, height = view.size
    to_ras = slicer.util.arrayFromVTKMatrix(view.node.GetXYToRAS())
    y, x = np.mgrid[height - 1:-1:-1, 0:width]
    world = np.stack([x, y, 0 * x, 0 * x + 1], -1) @ to_ras.T
    offset = world[..., :3] - corners[0]
    i = np.rint(offset @ per_i / (per_i @ per_i)).astype(int)
    j = np.rint(offset @ per_j / (per_j @ per_j)).astype(int)
    inside = (i >= 0) & (i < columns) & (j >= 0) & (j < rows)
    return np.where(inside, mask[slice_index, j.clip(0, rows - 1), i.clip(0, columns - 1)], 0)


@pytest.mark.parametrize(("grid", "registered"), [
    ("regular", False), ("tilted", False), ("tilted", True), ("uneven", False), ("tilted-uneven", True),
    ("flipped", False), ("oblique", True)])
def test_the_slice_view_shows_the_mask_on_the_blood(slicer, views, grid, registered):
    from ICHVolumePanel import scene_lines

    ct, mask, volume, segmentation, abc2 = segmented(slicer, grid, registered)
    scene_lines.show_ab_lines(segmentation, False)
    with views.SliceView(slicer, volume) as red:
        scene_lines.show_slice(volume, abc2.slice_index)
        picture = red.picture()
        expected = expected_labels(slicer, ct, mask, volume, red, abc2.slice_index)
        segmentation.GetDisplayNode().SetVisibility(False)
        bare = red.picture()
    keep(picture, f"slice {grid}{' registered' if registered else ''}")
    shown = colour_labels(picture)
    for label in LABELS:
        assert np.count_nonzero(expected == label.value) > 300
        assert dice(shown == label.value, expected == label.value) > 0.93
    assert not colour_labels(bare).any()
    blood, brain = bare[expected > 0].mean(), np.median(bare[(expected == 0) & (bare[..., 0] > 40)])
    assert blood > brain + 30  # the mask lies where the CT is bright


def dice(one, other):
    return 2 * np.count_nonzero(one & other) / (np.count_nonzero(one) + np.count_nonzero(other))


def test_the_lines_and_their_lengths_are_drawn(slicer, views):
    from ICHVolumePanel import scene_lines

    _, _, volume, segmentation, abc2 = segmented(slicer, "tilted")
    with views.SliceView(slicer, volume) as red:
        scene_lines.show_slice(volume, abc2.slice_index)
        with_lines = red.picture()
        scene_lines.show_ab_lines(segmentation, False)
        without = red.picture()
    keep(with_lines, "slice with lines")
    drawn = np.abs(with_lines.astype(int) - without).sum(axis=-1) > 60
    assert 400 < np.count_nonzero(drawn) < 8000
    for line, color, text in zip(scene_lines.ab_lines(segmentation), scene_lines.LINE_COLORS,
                                 (f"A {abc2.a_mm:.1f} mm", f"B {abc2.b_mm:.1f} mm"), strict=True):
        near = np.abs(with_lines / 255 - color).max(axis=-1) < 0.2
        assert np.count_nonzero(near & drawn) > 60
        assert text in {line.GetNthControlPointLabel(index) for index in range(2)}


def test_the_3d_view_shows_both_segments_until_they_are_hidden(slicer, views):
    from ICHVolumePanel import scene, scene_lines

    _, _, _, segmentation, _ = segmented(slicer, "tilted-uneven", registered=True)
    scene_lines.show_ab_lines(segmentation, False)
    with views.ThreeDView(slicer) as view:
        picture = view.picture()
        scene.show_3d(segmentation, False)
        hidden = view.picture()
    keep(picture, "3d")
    shown = colour_labels(picture)
    assert np.count_nonzero(shown == ICH.value) > 0.1 * shown.size
    assert np.count_nonzero(shown == IVH.value) > 0.03 * shown.size
    assert not colour_labels(hidden).any()
