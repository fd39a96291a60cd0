"""Slices as shown: the same way up whatever the file's order, outline and lines where they belong."""

import re

import numpy as np
import pytest
from phantoms import ellipsoid_ct

from ICHVolumeLib.core.ct_volume import CTVolume
from ICHVolumeLib.measure import measure_mask
from ICHVolumeLib.report.slice_view import SliceView, key_slices, largest_slice

LEFT_FRONT = {"center_mm": (-30.0, 35.0, 0.0), "semi_axes_mm": (16.0, 10.0, 12.0)}


@pytest.fixture(scope="module")
def upright():
    return ellipsoid_ct("regular", pixel_mm=1.0, step_mm=6.0, noise_hu=0.0, **LEFT_FRONT)


def turned(phantom, swap=False, flip_rows=False, flip_columns=False):
    """The same patient with rows and columns stored another way."""
    hu, mask, matrix = phantom.ct.hu, phantom.mask, phantom.ct.ijk_to_ras.copy()
    for flip, axis, column in ((flip_rows, 1, 1), (flip_columns, 2, 0)):
        if flip:
            hu, mask = np.flip(hu, axis), np.flip(mask, axis)
            matrix[:3, 3] += matrix[:3, column] * (hu.shape[axis] - 1)
            matrix[:3, column] *= -1
    if swap:
        hu, mask = hu.transpose(0, 2, 1), mask.transpose(0, 2, 1)
        matrix[:, [0, 1]] = matrix[:, [1, 0]]
    return CTVolume.regular(np.ascontiguousarray(hu), matrix), np.ascontiguousarray(mask)


def outline_box(svg, name="ich"):
    """x and y range of an outline, in the picture's mm."""
    path = re.search(rf'<path class="{name}" d="([^"]*)"', svg).group(1)
    starts = np.array(re.findall(r"M([\d.]+) ([\d.]+)", path), float)
    return starts.min(0), starts.max(0)


def picture_size(svg):
    return tuple(float(value) for value in re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg).groups())


@pytest.mark.parametrize("storage", [{}, {"swap": True}, {"flip_rows": True}, {"flip_columns": True},
                                     {"swap": True, "flip_rows": True, "flip_columns": True}], ids=str)
def test_the_patients_left_is_on_the_right_and_the_front_on_top(upright, storage):
    ct, mask = turned(upright, **storage)
    view = SliceView(ct, mask)
    svg = view.svg(15)
    low, high = outline_box(svg)
    width, height = picture_size(svg)
    assert view.directions == ("L", "P")
    assert low[0] > width / 2 and high[1] < height / 2
    assert high - low == pytest.approx((32, 20), abs=1.5)
    same = SliceView(upright.ct, upright.mask).svg(15)
    assert np.subtract(low, outline_box(same)[0]) == pytest.approx((0, 0), abs=4)  # the crop looks at every 4th pixel


def test_the_outline_encloses_the_area_of_the_mask(upright):
    svg = SliceView(upright.ct, upright.mask).svg(15)
    path = re.search(r'<path class="ich" d="([^"]*)"', svg).group(1)
    horizontal = [(float(x), float(y), float(h)) for x, y, h in re.findall(r"M([\d.]+) ([\d.]+)h([\d.]+)", path)]
    area = 0.0
    edges = {}
    for x, y, length in horizontal:  # 1 mm pixels: every unit edge closes a column of the area
        for step in range(round(length)):
            edges.setdefault(round(x + step), []).append(y)
    for heights in edges.values():
        heights.sort()
        area += sum(below - above for above, below in zip(heights[::2], heights[1::2], strict=True))
    assert area == np.count_nonzero(upright.mask[15])


def test_the_lines_of_abc2_end_on_the_outline(upright):
    abc2 = measure_mask(upright.ct, upright.mask).abc2
    view = SliceView(upright.ct, upright.mask)
    svg = view.svg(abc2.slice_index, lines=[("a", "A", abc2.a_line_ras), ("b", "B", abc2.b_line_ras)])
    low, high = outline_box(svg)
    for name, length in (("a", abc2.a_mm), ("b", abc2.b_mm)):
        x1, y1, x2, y2 = (float(value) for value in re.search(
            rf'class="axis {name}"><path d="M([-\d.]+) ([-\d.]+)L([-\d.]+) ([-\d.]+)"', svg).groups())
        assert np.hypot(x2 - x1, y2 - y1) == pytest.approx(length, abs=0.05)
        for x, y in ((x1, y1), (x2, y2)):
            assert low[0] - 1.1 <= x <= high[0] + 1.1 and low[1] - 1.1 <= y <= high[1] + 1.1


def test_the_picture_shows_the_head_without_the_table(upright):
    hu = upright.ct.hu.copy()
    hu[:, 203:206, 10:180] = 600  # a table, 3 mm thick, behind the head
    with_table = CTVolume(hu, upright.ct.ijk_to_ras, upright.ct.slice_origins_ras)
    assert picture_size(SliceView(with_table, upright.mask).svg(15)) == \
        picture_size(SliceView(upright.ct, upright.mask).svg(15))


def test_a_scan_without_bone_is_shown_whole(upright):
    water = CTVolume(np.zeros_like(upright.ct.hu), upright.ct.ijk_to_ras, upright.ct.slice_origins_ras)
    assert picture_size(SliceView(water, upright.mask * 0).svg(3)) == (192, 208)


def test_key_slices_run_over_the_bleed_and_hold_the_largest(upright):
    mask = np.zeros((40, 4, 4), np.uint8)
    mask[10:33, 1, 1] = 1
    for largest in (10, 17, 32):
        chosen = key_slices(upright.ct, mask, largest)
        assert (chosen[0], chosen[-1]) == (10, 32)
        assert largest in chosen and len(chosen) == 8 and chosen == sorted(set(chosen))


def test_of_a_small_bleed_every_slice_is_shown(upright):
    mask = np.zeros((40, 4, 4), np.uint8)
    mask[20:23, 1, 1] = 2
    assert key_slices(upright.ct, mask, 21) == [20, 21, 22]


def test_without_a_bleed_the_slices_go_through_the_head(upright):
    nothing = upright.mask * 0
    chosen = key_slices(upright.ct, nothing, largest_slice(nothing))
    assert len(chosen) == 8
    assert all((upright.ct.hu[k] > 500).any() for k in chosen), "a slice outside the head"
