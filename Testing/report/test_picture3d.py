"""The 3D picture against bodies of known place and size, whatever the slices; and without OpenGL."""

import base64
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
from phantoms import ellipsoid_ct

from ICHVolumeLib.core.ct_volume import CTVolume
from ICHVolumeLib.report.picture3d import (
    FROM_LEFT,
    FROM_RIGHT,
    FRONT,
    View,
    draw,
    frame_of,
    picture_of_bleed,
    side_view,
)
from ICHVolumeLib.report.picture3d import PIXEL_MM as PICTURE_MM
from ICHVolumeLib.report.shapes import bleed_shapes, head_shapes, shapes_of

RADIUS_MM, CENTER_MM = 20.0, (-25.0, 30.0, 15.0)  # left, in front, above
FRAME_MM = np.array([(-110.0, 110.0)] * 3)
PIXEL_MM = 0.5
BACK = View(((1, 0, 0), (0, 0, 1), (0, -1, 0)), "R", "L", "behind")


def ball(grid="regular", center_mm=CENTER_MM, radius_mm=RADIUS_MM, step_mm=4.0, **settings):
    return ellipsoid_ct(grid, semi_axes_mm=(radius_mm,) * 3, center_mm=center_mm, pixel_mm=1.5, step_mm=step_mm,
                        columns=136, rows=144, noise_hu=0.0, **settings)


def drawn(ct, mask, view):
    return draw(view, FRAME_MM, head_shapes(ct), bleed_shapes(ct, mask), pixel_mm=PIXEL_MM)


def red(picture):
    r, g, b = np.moveaxis(np.asarray(picture, float), -1, 0)
    return (r > 0.2) & (g < 0.62 * r) & (b < 0.62 * r)


def orange(picture):
    r, g, b = np.moveaxis(np.asarray(picture, float), -1, 0)
    return (r > 0.25) & (g >= 0.62 * r) & (b < 0.55 * r)


def pictures(svgs):
    for svg in svgs:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "picture.png")
            path.write_bytes(base64.b64decode(re.search(r'base64,([^"]*)"', svg).group(1)))
            yield SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path))) / 255


def mirrored(ct):
    """The same head with left and right exchanged."""
    flip = np.diag([-1.0, 1, 1, 1])
    return CTVolume(ct.hu, flip @ ct.ijk_to_ras, ct.slice_origins_ras * (-1, 1, 1))


@pytest.mark.parametrize("grid", ["regular", "tilted", "uneven", "tilted-uneven", "flipped", "oblique"])
def test_a_ball_has_its_projected_area_and_place_on_every_grid(grid):
    phantom = ball(grid)
    for view in (FRONT, FROM_LEFT):
        shown = red(drawn(phantom.ct, phantom.mask, view))
        rows, columns = np.nonzero(shown)
        x, y = -110 + (columns + 0.5) * PIXEL_MM, 110 - (rows + 0.5) * PIXEL_MM
        assert shown.sum() * PIXEL_MM**2 == pytest.approx(np.pi * RADIUS_MM**2, rel=0.1), view.words
        assert (x.mean(), y.mean()) == pytest.approx(np.array(view.axes_ras[:2]) @ CENTER_MM, abs=1.0), view.words
        disc = np.hypot(x - x.mean(), y - y.mean()) < RADIUS_MM + 1.5
        assert disc.mean() > 0.98, "slices show as steps"


def test_what_is_left_stands_at_the_letter_l_and_what_is_in_front_at_a():
    phantom = ball()
    svgs, caption = picture_of_bleed(phantom.ct, phantom.mask)
    assert "the front" in caption and "patient's left" in caption
    for svg, picture, (near, far) in zip(svgs, pictures(svgs), ("LR", "AP"), strict=True):
        columns = np.nonzero(red(picture))[1] / picture.shape[1]
        width = float(re.search(r'viewBox="0 0 ([\d.]+)', svg).group(1))
        letters = {letter: float(x) / width for x, letter in re.findall(r'x="([\d.]+)"[^>]*>([A-Z])</text>', svg)}
        assert set(letters) == {near, far, "S", "I"}
        assert abs(letters[near] - columns.mean()) < abs(letters[far] - columns.mean())
        assert np.nonzero(red(picture))[0].mean() < picture.shape[0] / 2, "what lies above is drawn below"


def test_a_mirrored_head_mirrors_the_picture():
    phantom = ball("tilted-uneven")
    other = mirrored(phantom.ct)
    for view, opposite in ((FRONT, FRONT), (FROM_LEFT, FROM_RIGHT)):
        picture = drawn(phantom.ct, phantom.mask, view)
        assert np.abs(drawn(other, phantom.mask, opposite)[:, ::-1] - picture).max() < 0.02


def test_the_second_view_is_from_the_side_of_the_bleed():
    phantom = ball()
    for ct, expected in ((phantom.ct, FROM_LEFT), (mirrored(phantom.ct), FROM_RIGHT)):
        assert side_view(head_shapes(ct)[:1], bleed_shapes(ct, phantom.mask)) is expected


def test_both_kinds_of_blood_are_seen_in_their_colours():
    phantom = ball()
    mask = phantom.mask | 2 * ball(center_mm=(25.0, -40.0, -10.0), radius_mm=10.0).mask
    for view in (FRONT, FROM_LEFT):
        picture = drawn(phantom.ct, mask, view)
        assert red(picture).sum() * PIXEL_MM**2 == pytest.approx(np.pi * RADIUS_MM**2, rel=0.11)
        assert orange(picture).sum() * PIXEL_MM**2 == pytest.approx(np.pi * 100, rel=0.2)


def test_blood_in_the_ventricles_alone_is_orange():
    phantom = ball(label=2)
    picture = drawn(phantom.ct, phantom.mask, FRONT)
    assert orange(picture).any() and not red(picture).any()


def test_of_two_bodies_the_nearer_hides_the_farther():
    phantom = ball(center_mm=(0.0, 45.0, 0.0))
    mask = phantom.mask | 2 * ball(center_mm=(0.0, -40.0, 0.0), radius_mm=12.0).mask
    assert not orange(drawn(phantom.ct, mask, FRONT)).any()
    assert orange(drawn(phantom.ct, mask, FROM_LEFT)).any()


@pytest.mark.parametrize(("view", "seen"), [(FRONT, "veiled"), (FROM_LEFT, "beside"), (BACK, "bleed")])
def test_blood_outside_the_brain_is_a_veil_before_the_bleed_and_hidden_behind_it(view, seen):
    phantom = ball(center_mm=(0.0, 10.0, 0.0), radius_mm=10.0)
    outside = 3 * ball(center_mm=(0.0, 55.0, 0.0), radius_mm=8.0).mask
    plain = drawn(phantom.ct, phantom.mask, view)
    both = draw(view, FRAME_MM, head_shapes(phantom.ct), bleed_shapes(phantom.ct, phantom.mask),
                shapes_of(phantom.ct, outside, [3]), PIXEL_MM)
    changed_mm2 = (np.abs(both - plain).max(axis=2) > 0.02).sum() * PIXEL_MM**2
    assert changed_mm2 == pytest.approx({"bleed": 0.0}.get(seen, np.pi * 8**2), rel=0.2, abs=4)
    middle = both[both.shape[0] // 2, both.shape[1] // 2]
    if seen == "veiled":  # blue lies over the red, and the red shows through it
        assert middle[2] > plain[both.shape[0] // 2, both.shape[1] // 2][2] + 0.1 and middle[0] > 0.15
    else:
        assert red(both)[both.shape[0] // 2, both.shape[1] // 2] == (seen == "bleed")


def test_the_report_draws_what_lies_outside_the_brain_in_3d_too():
    phantom = ball()
    mask = phantom.mask + 3 * ball(center_mm=(45.0, -20.0, 0.0), radius_mm=10.0).mask
    plain, veiled = (picture_of_bleed(phantom.ct, one)[0][0] for one in (phantom.mask, mask))
    (before,), (after,) = pictures([plain]), pictures([veiled])
    changed = np.abs(after - before).max(axis=2) > 0.03
    assert changed.sum() * PICTURE_MM**2 == pytest.approx(np.pi * 100, rel=0.3)
    red_more, _, blue_more = (after - before)[changed].mean(axis=0)
    assert blue_more > red_more + 0.1


def test_the_head_is_seen_around_the_bleed_and_through_it_nothing():
    phantom = ball(center_mm=(0.0, 0.0, 0.0))
    picture = drawn(phantom.ct, phantom.mask, FRONT)
    glass = (picture.sum(axis=2) > 3 * 0.08) & ~red(picture)
    columns = np.flatnonzero(glass.any(axis=0))
    assert (columns[-1] - columns[0]) * PIXEL_MM == pytest.approx(2 * 76, abs=6)
    assert red(picture)[len(picture) // 2, picture.shape[1] // 2]


def test_the_table_behind_the_head_is_not_drawn():
    phantom = ball()
    hu = phantom.ct.hu.copy()
    hu[:, 142:144, 5:130] = 600  # 3 mm thick, behind
    with_table = CTVolume(hu, phantom.ct.ijk_to_ras, phantom.ct.slice_origins_ras)
    assert np.allclose(drawn(with_table, phantom.mask, FROM_LEFT), drawn(phantom.ct, phantom.mask, FROM_LEFT),
                       atol=0.02)


@pytest.mark.parametrize("voxel", [(0, 0, 0), (18, 70, 60), (-1, -1, -1)])
def test_a_single_voxel_is_seen_wherever_it_lies(voxel):
    phantom = ball()
    mask = np.zeros_like(phantom.mask)
    mask[voxel] = 1
    svgs, _ = picture_of_bleed(phantom.ct, mask)
    assert all(red(picture).any() for picture in pictures(svgs))


@pytest.mark.parametrize("count", [2, 7])
def test_few_slices_and_no_skull_still_make_a_picture(count):
    phantom = ball(head=False)
    first = int(np.flatnonzero(phantom.mask.any(axis=(1, 2)))[3])
    slices = slice(first, first + count)
    ct = CTVolume.regular(phantom.ct.hu[slices], phantom.ct.ijk_to_ras)
    svgs, _ = picture_of_bleed(ct, phantom.mask[slices])
    assert all(red(picture).any() for picture in pictures(svgs))


def test_a_mask_that_fills_the_scan_makes_a_picture():
    phantom = ball()
    assert len(picture_of_bleed(phantom.ct, np.ones_like(phantom.mask))[0]) == 2


def test_the_frame_holds_the_body():
    phantom = ball("oblique")
    frame = frame_of(bleed_shapes(phantom.ct, phantom.mask), FRONT, 0.0)
    assert np.ptp(frame, axis=1) == pytest.approx([2 * RADIUS_MM] * 3, abs=4)


def test_the_picture_needs_neither_vtk_nor_opengl():
    code = ("import sys; sys.modules.update(dict.fromkeys(('vtk', 'vtkmodules')))\n"
            "import numpy as np\n"
            "from ICHVolumeLib.core.ct_volume import CTVolume\n"
            "from ICHVolumeLib.report.picture3d import picture_of_bleed\n"
            "mask = np.zeros((9, 40, 40), np.uint8); mask[3:6, 10:20, 10:20] = 1\n"
            "ct = CTVolume.regular(np.where(mask, 60, 30).astype(np.int16), np.diag([-1.0, -1, 5, 1]))\n"
            "svgs, _ = picture_of_bleed(ct, mask)\n"
            "assert len(svgs) == 2\n"
            "assert not any('GL' in name for name in sys.modules)\n")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
