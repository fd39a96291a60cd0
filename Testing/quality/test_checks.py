"""Findings: each awkward scan is named in words with its numbers, and a sound scan is left in peace."""

from dataclasses import replace

import numpy as np
import pytest
from phantoms import GRIDS, ellipsoid_ct, with_info

import ICHVolumeLib.quality.checks
from ICHVolumeLib.core.ct_volume import CTVolume
from ICHVolumeLib.core.findings import Finding
from ICHVolumeLib.io.protocol import is_bone_kernel, mentions_contrast, region_points
from ICHVolumeLib.io.read_ct import read_ct
from ICHVolumeLib.quality.checks import check_ct, check_without_image, spacing_words

COARSE = {"pixel_mm": 1.2, "columns": 148, "rows": 176, "step_mm": 5.0}


@pytest.fixture(scope="module")
def sound():
    return ellipsoid_ct("regular", **COARSE).ct


def found(ct) -> dict:
    return {finding.code: finding for finding in check_ct(ct)}


def with_hu(ct, hu):
    return CTVolume(hu, ct.ijk_to_ras, ct.slice_origins_ras, ct.info)


def with_steps(ct, steps):
    origins = ct.slice_origins_ras[0] + np.concatenate([[0], np.cumsum(steps)])[:, None] * ct.slice_normal_ras
    matrix = ct.ijk_to_ras.copy()
    matrix[:3, 2] = (origins[-1] - origins[0]) / (len(origins) - 1)
    return CTVolume(ct.hu[:len(origins)], matrix, origins, ct.info)


def test_a_sound_scan_has_no_finding(sound):
    assert check_ct(sound) == []


def test_what_needs_no_voxel_is_the_same_with_and_without_the_image(sound):
    steps = with_info(with_steps(sound, [5.0] * 8 + [7.0] * 5), patient_age_years=12.0)
    blank = with_hu(steps, np.zeros_like(steps.hu))
    quick = check_without_image(steps)
    assert {finding.code for finding in quick} == {"uneven-spacing", "thick-slices", "child"}
    assert check_without_image(blank) == quick
    assert [finding for finding in check_ct(steps) if finding in quick] == quick


@pytest.mark.parametrize("grid", GRIDS)
def test_only_the_geometry_of_a_phantom_is_remarked_upon(grid):
    expected = {"regular": set(), "flipped": set(), "oblique": set(), "tilted": {"gantry-tilt"},
                "overlapping": {"overlapping-slices"}, "uneven": {"uneven-spacing", "thick-slices"},
                "tilted-uneven": {"gantry-tilt", "uneven-spacing", "thick-slices"}}
    codes = set(found(with_info(ellipsoid_ct(grid, **COARSE).ct, slice_thickness_mm={"overlapping": 10.0}.get(grid))))
    assert codes == expected[grid]


def test_the_real_scan_names_its_tilt_and_its_spacings(tilted_uneven_folder):
    findings = found(read_ct(tilted_uneven_folder))
    assert "18.5 degrees" in findings["gantry-tilt"].message
    assert "5.4 %" in findings["gantry-tilt"].message
    assert "13 x 4.0 mm, 1.08 mm, 13 x 7.0 mm" in findings["uneven-spacing"].message
    assert set(findings) == {"files-skipped", "padding", "gantry-tilt", "uneven-spacing", "thick-slices"}


def test_distances_are_told_in_order_with_counts():
    assert spacing_words([4.002] * 13 + [1.081] + [6.999] * 13) == "13 x 4.0 mm, 1.08 mm, 13 x 7.0 mm"
    assert spacing_words([0.625, 0.625]) == "2 x 0.62 mm"
    assert spacing_words([1, 2] * 6) == "1.00 to 2.00 mm, changing 11 times"


def test_a_tilt_tag_that_the_positions_contradict_is_named(sound):
    tagged = with_info(sound, gantry_tilt_tag_deg=-15.0)
    assert "15.0 degrees" in found(tagged)["tilt-tag"].message
    tilted = ellipsoid_ct("tilted", **COARSE).ct
    assert "tilt-tag" not in found(with_info(tilted, gantry_tilt_tag_deg=-20.0))


@pytest.mark.parametrize(("steps", "words"), [
    ([5] * 10 + [15] + [5] * 10, "2 slices between slice 11 and 12 (a gap of 15.0 mm, usual 5.0 mm)"),
    ([10] + [5] * 10, "1 slice between slice 1 and 2 "),
    ([5] * 10 + [10], "1 slice between slice 11 and 12 "),
])
def test_missing_slices_are_placed_and_counted(sound, steps, words):
    assert words in found(with_steps(sound, steps))["missing-slices"].message


@pytest.mark.parametrize("steps", [[2.5] * 10 + [7.5] * 10, [2.5] * 10 + [0.25] + [7.5] * 10, [5] * 20,
                                   [5] * 8 + [12.5] + [5] * 8])
def test_a_change_of_thickness_is_not_a_missing_slice(sound, steps):
    assert "missing-slices" not in found(with_steps(sound, steps))


def test_a_sideways_jump_is_named(sound):
    origins = sound.slice_origins_ras.copy()
    origins[10:] += [3.0, 0, 0]
    origins[20:] -= [3.0, 0, 0]
    ct = CTVolume(sound.hu, sound.ijk_to_ras, origins, sound.info)
    assert "3.0 mm" in found(ct)["sideways-shift"].message


def test_thickness_against_distance_tells_overlap_from_gaps(sound):
    overlapping, gaps = with_info(sound, slice_thickness_mm=10.0), with_info(sound, slice_thickness_mm=2.0)
    assert "10.0 mm thick, 5.0 mm apart" in found(overlapping)["overlapping-slices"].message
    assert "2.0 mm thick but 5.0 mm apart" in found(gaps)["gaps-between-slices"].message
    assert "thick-slices" in found(with_steps(sound, [8] * 20))


@pytest.mark.parametrize(("column", "expected"), [(0, "sagittal"), (1, "coronal")])
def test_slices_that_are_not_axial_are_an_error(sound, column, expected):
    matrix = np.eye(4)
    matrix[:3, :3] = _axes(column)
    finding = found(CTVolume.regular(sound.hu, matrix, sound.info))["not-axial"]
    assert finding.severity == "error" and expected in finding.message


def _axes(normal_axis):
    axes = [axis for axis in range(3) if axis != normal_axis] + [normal_axis]
    matrix = np.zeros((3, 3))
    for column, (axis, spacing) in enumerate(zip(axes, (1.2, 1.2, 5.0), strict=True)):
        matrix[axis, column] = spacing
    return matrix


def test_steeply_turned_slices_are_a_warning(sound):
    angle = np.radians(35)
    turn = np.eye(4)
    turn[1:3, 1:3] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    ct = CTVolume.regular(sound.hu, turn @ sound.ijk_to_ras, sound.info)
    assert "35 degrees" in found(ct)["oblique-slices"].message
    assert "gantry-tilt" not in found(ct), "a turned head on a right-angled grid is no gantry tilt"


@pytest.mark.parametrize(("info", "code", "words"), [
    ({"contrast_agent": "Iomeprol"}, "contrast-agent", "Iomeprol"),
    ({"series_description": "CTA Head 1.0"}, "contrast-agent", "CTA Head"),
    ({"kernel": "H60s"}, "bone-kernel", "H60s"),
    ({"patient_age_years": 11.0}, "child", "11 years"),
    ({"patient_age_years": 0.2}, "child", "less than a year"),
])
def test_what_the_header_says_is_passed_on(sound, info, code, words):
    assert words in found(with_info(sound, **info))[code].message


def test_kernels_and_contrast_words_are_told_apart():
    for kernel in ("BONE", "BONEPLUS", "EDGE", "H60s", "B70f", "Hr68h\\3", "J70h", "FC30", "FC81", "YC", "D"):
        assert is_bone_kernel(kernel), kernel
    for kernel in ("", "STANDARD", "STD+", "SOFT", "H31s", "J40s", "Hr40f", "FC26", "FC64", "UB", "B", "C"):
        assert not is_bone_kernel(kernel), kernel
    for text in ("CTA Circle of Willis", "Brain C+", "head post contrast", "CT Angio", "Perfusion 5.0"):
        assert mentions_contrast(text), text
    for text in ("", "Head non-contrast 5 mm", "without contrast", "NCCT", "Brain w/o contrast", "no contrast"):
        assert not mentions_contrast(text), text


def test_regions_are_told_apart_by_their_names():
    for text in ("HEAD", "Brain 5.0 MPR cor", "Schaedel nativ", "CT CRANIO"):
        assert region_points(text) == 1, text
    for text in ("CHEST", "C-Spine cervical", "Thorax/Abdomen", "Sinus"):
        assert region_points(text) == -1, text
    for text in ("", "Series 3", "Head & Neck"):
        assert region_points(text) == 0, text


@pytest.mark.parametrize("factor", [(0.05, 0.05), (1.5, 1.5), (0.25, 0.3)])
def test_unusual_pixels_are_named(sound, factor):
    ct = CTVolume.regular(sound.hu, sound.ijk_to_ras @ np.diag([*factor, 1, 1]), sound.info)
    assert "pixel-spacing" in found(ct)


def test_numbers_off_the_hounsfield_scale_are_an_error(sound):
    finding = found(with_hu(sound, sound.hu + np.int16(1024)))["not-hu"]
    assert finding.severity == "error" and "no air near -1000" in finding.message


def test_padding_is_named(sound):
    hu = sound.hu.copy()
    hu[:, :3] = -2000
    assert "-2000 HU" in found(with_hu(sound, hu))["padding"].message


@pytest.mark.parametrize(("part", "words"), [(slice(0, 22), "vertex is missing"), (slice(18, None), "skull base is"),
                                             (slice(14, 25), "vertex is missing and the lowest")])
@pytest.mark.parametrize("grid", ["regular", "flipped"])
def test_a_head_that_was_not_scanned_whole_is_named(part, words, grid):
    ct = ellipsoid_ct(grid, **COARSE).ct
    if grid == "flipped":
        part = slice(len(ct.hu) - part.stop if part.stop else 0, len(ct.hu) - (part.start or 0))
    matrix = ct.ijk_to_ras.copy()
    matrix[:3, 3] = ct.slice_origins_ras[part][0]
    cut = CTVolume(ct.hu[part], matrix, ct.slice_origins_ras[part], ct.info)
    assert words in found(cut)["head-cut-off"].message


def ball(ct, center_ras, radius_mm):
    k, j, i = np.meshgrid(*(np.arange(size) for size in ct.hu.shape), indexing="ij")
    points = ct.voxel_to_ras(np.stack([k, j, i], -1))
    return ((points - np.asarray(center_ras)) ** 2).sum(-1) <= radius_mm ** 2


def test_air_inside_the_skull_is_measured(sound):
    hu = sound.hu.copy()
    hu[ball(sound, (0, 40, 40), 10)] = -900
    message = found(with_hu(sound, hu))["intracranial-air"].message
    assert 3.2 < float(message.split()[1]) < 5.2, "a ball of 10 mm holds 4.2 mL"


def test_metal_is_a_warning_inside_the_skull_only(sound):
    inside, outside = sound.hu.copy(), sound.hu.copy()
    inside[ball(sound, (20, 0, 20), 6)] = 3071
    outside[ball(sound, (0, 90, 0), 6)] = 3071
    assert found(with_hu(sound, inside))["metal"].severity == "warning"
    assert found(with_hu(sound, outside))["metal"].severity == "info"


def test_bright_vessels_are_taken_for_contrast_but_a_clot_is_not(sound):
    hu = sound.hu.copy()
    hu[ball(sound, (25, 20, 0), 14)] = 300
    assert "than any clot" in found(with_hu(sound, hu))["contrast-agent"].message
    hu[ball(sound, (25, 20, 0), 14)] = 85
    assert "contrast-agent" not in found(with_hu(sound, hu))


def test_a_scan_without_a_skull_is_named(sound):
    hu = np.minimum(sound.hu, 100)
    assert "no-head" in found(with_hu(sound, hu))


def test_what_reading_found_comes_first_and_no_code_comes_twice(sound):
    early = (Finding("series-chosen", "info", "chosen"), Finding("contrast-agent", "info", "from reading"))
    findings = check_ct(replace(with_info(sound, contrast_agent="yes", kernel="BONE"), findings=early))
    assert [finding.code for finding in findings] == ["series-chosen", "contrast-agent", "bone-kernel"]
    assert findings[1].message == "from reading"


def test_every_code_is_explained_in_the_table(sound):
    import re
    from pathlib import Path

    library = Path(ICHVolumeLib.quality.checks.__file__).parent
    sources = [*(path for path in library.glob("*_checks.py") if path.name != "mask_checks.py"),
               library / "checks.py", library / "slice_order.py", library / "head_size.py", library / "head_pose.py",
               library / "brain_levels.py", library.parent / "io" / "hounsfield.py"]
    used = set()
    for source in sources:
        used |= set(re.findall(r"(?:_info|_warning|Finding)\(\s*\"([a-z-]+)\"", source.read_text(encoding="utf-8")))
    used -= {"missing-values"}  # reading's alone, listed there
    table = set(re.findall(r"^    ([a-z-]+) \((?:info|warning|error)", ICHVolumeLib.quality.checks.__doc__, re.M))
    assert used == table and len(used) > 15


def test_messages_are_sentences(sound):
    tilted = with_info(ellipsoid_ct("tilted-uneven", **COARSE).ct, kernel="BONE", patient_age_years=3.0)
    for finding in check_ct(tilted):
        assert finding.message[0].isupper() and finding.message.endswith((".", "?"))
