"""ABC/2 against analytic ellipsoids, shapes with known answers, and slower searches of another kind."""

from math import hypot, sqrt

import numpy as np
import pytest
from phantoms import GRIDS, ellipsoid_ct

from ICHVolumeLib.core.ct_volume import CTVolume
from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.measure import CALIPER, measure_mask


def test_a_finely_sampled_ellipsoid_gives_the_continuous_ratios():
    bleed = ellipsoid_ct(head=False, semi_axes_mm=(30, 20, 20), pixel_mm=0.25, step_mm=0.25, columns=256, rows=176,
                         half_height_mm=21)
    abc2 = measure_mask(bleed.ct, bleed.mask).abc2
    assert abc2.coniglobus_ml / bleed.volume_ml == pytest.approx(3 / np.pi, rel=0.01)  # 0.955
    assert abc2.kothari_ml / bleed.volume_ml == pytest.approx(0.652, rel=0.015)
    assert abc2.abc3_ml == pytest.approx(abc2.coniglobus_ml * 2 / 3)
    assert abc2.two_thirds_sh_ml / bleed.volume_ml == pytest.approx(1, rel=0.01)
    assert (abc2.a_mm, abc2.b_mm, abc2.c_mm) == pytest.approx((60, 40, 40), rel=0.01)
    assert abc2.shape_class == "regular" and abc2.expected_error_percent == 9.8


@pytest.mark.parametrize("in_plane_phase", [(0, 0), (0.2, 0.3), (0.5, 0.5)])
@pytest.mark.parametrize("step_mm, known_ml", [(1, 48.5), (4, 47.3), (5, 47.0)])
def test_a_voxel_ellipsoid_lying_evenly_between_slices_gives_the_known_volume(step_mm, known_ml, in_plane_phase):
    assert _ellipsoid_abc2(step_mm, 0.5, *in_plane_phase).coniglobus_ml == pytest.approx(known_ml, rel=0.025)


def test_thick_slices_give_the_known_volume_on_average_over_the_slice_phase():
    found = [_ellipsoid_abc2(7.5, phase).coniglobus_ml for phase in np.arange(16) / 16]
    assert np.mean(found) == pytest.approx(47.3, rel=0.02)


def test_thick_slices_spread_with_the_slice_phase_as_known():
    found = [_ellipsoid_abc2(7.5, phase).coniglobus_ml for phase in np.linspace(0, 1, 8, endpoint=False)]
    assert (min(found), max(found)) == pytest.approx((45.2, 52.9), rel=0.02)


@pytest.mark.parametrize("grid", [grid for grid in GRIDS if "uneven" not in grid])
def test_the_lengths_are_the_bodys_own_on_every_grid(grid):
    bleed = ellipsoid_ct(grid, head=False, semi_axes_mm=(30, 20, 20))
    abc2 = measure_mask(bleed.ct, bleed.mask).abc2
    assert (abc2.a_mm, abc2.b_mm) == pytest.approx((60, 40), rel=0.04)
    assert abc2.c_mm == pytest.approx(40, abs=2 * 2.5)
    assert abc2.coniglobus_ml == pytest.approx(0.955 * bleed.volume_ml, rel=0.1)


@pytest.mark.parametrize("grid", GRIDS)
def test_the_lines_are_drawn_on_their_slice_as_long_as_said_and_perpendicular(grid):
    bleed = ellipsoid_ct(grid, head=False, semi_axes_mm=(30, 20, 15), center_mm=(5, -8, 10))
    abc2 = measure_mask(bleed.ct, bleed.mask).abc2
    a, b = np.array(abc2.a_line_ras), np.array(abc2.b_line_ras)
    assert np.linalg.norm(a[1] - a[0]) == pytest.approx(abc2.a_mm)
    assert np.linalg.norm(b[1] - b[0]) == pytest.approx(abc2.b_mm)
    assert (a[1] - a[0]) @ (b[1] - b[0]) == pytest.approx(0, abs=1e-6)
    on_slice = (np.concatenate([a, b]) - bleed.ct.slice_origins_ras[abc2.slice_index]) @ bleed.ct.slice_normal_ras
    np.testing.assert_allclose(on_slice, 0, atol=1e-6)
    middle = a.mean(axis=0)
    assert np.linalg.norm(middle - (5, -8, 10)) < 4  # the line lies on the bleed, not elsewhere in the head


def test_a_rectangle_is_measured_between_pixel_corners_with_its_own_pixel_sizes():
    mask = np.zeros((3, 20, 40), np.uint8)
    mask[1, 4:10, 5:35] = 1  # 6 rows of 0.5 mm, 30 columns of 2 mm
    abc2 = measure_mask(_stack(mask, (2.0, 0.5, 3.0)), mask).abc2
    assert abc2.a_mm == pytest.approx(hypot(60, 3))
    # The perpendicular through a corner leaves through the opposite long side.
    assert abc2.b_mm == pytest.approx(3 * hypot(60, 3) / 60)
    assert abc2.a_line_ras == pytest.approx(np.array([(9.0, 1.75, 3.0), (69.0, 4.75, 3.0)]))


def test_an_l_shape_tells_the_segment_from_the_caliper():
    mask = np.zeros((3, 64, 64), np.uint8)
    mask[1, 2:62, 2:12] = 1
    mask[1, 52:62, 2:62] = 1
    ct = _stack(mask)
    assert measure_mask(ct, mask).abc2.a_mm == pytest.approx(60 * sqrt(2))
    assert measure_mask(ct, mask).abc2.b_mm == pytest.approx(10 * sqrt(2))
    assert measure_mask(ct, mask, b_definition=CALIPER).abc2.b_mm == pytest.approx(70 / sqrt(2))


def test_a_lobe_on_each_side_at_different_places_does_not_add_to_b():
    mask = np.zeros((3, 80, 120), np.uint8)
    mask[1, 35:45, 10:110] = 1
    mask[1, 15:35, 30:50] = 1
    mask[1, 45:65, 70:90] = 1
    ct = _stack(mask)
    segment, caliper = (measure_mask(ct, mask, b_definition=name).abc2 for name in ("segment", CALIPER))
    assert segment.a_mm == caliper.a_mm
    assert 30 <= segment.b_mm <= 34 and 45 <= caliper.b_mm <= 55
    assert segment.shape_class == "multilobular" and segment.expected_error_percent == 39.1


def test_on_a_convex_shape_segment_and_caliper_nearly_agree():
    bleed = ellipsoid_ct(head=False)
    segment, caliper = (measure_mask(bleed.ct, bleed.mask, b_definition=name).abc2 for name in ("segment", CALIPER))
    assert 1 <= caliper.b_mm / segment.b_mm < 1.03


def test_a_bay_between_the_end_points_is_bridged():
    mask = np.zeros((3, 40, 60), np.uint8)
    mask[1, 10:30, 5:55] = 1
    filled = measure_mask(_stack(mask), mask).abc2
    mask[1, 15:25, 10:50] = 0
    hollow = measure_mask(_stack(mask), mask).abc2
    assert hollow.b_mm == pytest.approx(filled.b_mm)


@pytest.mark.parametrize("seed", range(12))
def test_random_shapes_agree_with_a_brute_force_search(seed):
    rng = np.random.default_rng(seed)
    picture = np.zeros((24, 24), bool)
    for _ in range(4):
        j, i = rng.integers(2, 16, 2)
        picture[j:j + rng.integers(1, 8), i:i + rng.integers(1, 8)] = True
    mask = np.zeros((3, 24, 24), np.uint8)
    mask[1] = picture
    spacing = rng.uniform(0.4, 1.2, 2)
    ct = _stack(mask, (*spacing, 2.0))
    largest = max(measure_mask(ct, mask).components, key=lambda piece: piece.volume_ml)
    mask[1] = _piece_at(picture, largest.centroid_ras[:2] / spacing, largest.volume_ml, ct)
    a_mm, b_mm = _brute_force(mask[1] > 0, spacing)
    abc2 = measure_mask(ct, mask).abc2
    assert abc2.a_mm == pytest.approx(a_mm)
    assert b_mm - 1e-6 <= abc2.b_mm <= b_mm + 0.03  # the search samples perpendiculars 0.01 mm apart


def test_of_equal_slices_the_lowest_is_taken_and_of_equal_diagonals_the_first():
    mask = np.zeros((6, 20, 20), np.uint8)
    mask[2:5, 5:15, 5:15] = 1
    abc2 = measure_mask(_stack(mask), mask).abc2
    assert abc2.slice_index == 2
    assert abc2.a_line_ras == pytest.approx(np.array([(4.5, 4.5, 2.0), (14.5, 14.5, 2.0)]))
    assert measure_mask(_stack(mask), mask).abc2 == abc2


def test_kotharis_slices_count_one_a_half_or_nothing():
    mask = np.zeros((7, 30, 30), np.uint8)
    for k, (rows, columns) in enumerate([(20, 5), (19, 4), (15, 5), (5, 5), (4, 6)], start=1):  # 100 76 75 25 24 pixels
        mask[k, 5:5 + rows, 5:5 + columns] = 1
    abc2 = measure_mask(_stack(mask, (1, 1, 3.0)), mask).abc2
    assert abc2.c_kothari_mm == pytest.approx((1 + 1 + 0.5 + 0.5 + 0) * 3)
    assert abc2.c_mm == pytest.approx(15)
    assert abc2.kothari_ml == pytest.approx(abc2.a_mm * abc2.b_mm * abc2.c_kothari_mm / 2000)


def test_c_adds_the_slab_heights_where_slices_are_uneven():
    bleed = ellipsoid_ct("uneven", head=False, semi_axes_mm=(30, 20, 20))
    bleeding = bleed.mask.any(axis=(1, 2))
    abc2 = measure_mask(bleed.ct, bleed.mask).abc2
    assert abc2.c_mm == pytest.approx(bleed.ct.slab_heights_mm[bleeding].sum())
    assert abc2.c_mm == pytest.approx(40, abs=4)


def test_several_hematomas_are_measured_alone_and_summed():
    mask, ct = _two_blocks_and_a_speck()
    measurement = measure_mask(ct, mask)
    large, small, speck = measurement.components
    assert [piece.counted_in_abc2 for piece in measurement.components] == [True, True, False]
    assert measurement.abc2.coniglobus_ml == pytest.approx(large.abc2_ml + small.abc2_ml)
    assert measurement.abc2.pieces == 2
    alone = measure_mask(ct, np.where(mask == 1, mask, 0) * (np.arange(40) < 20).astype(np.uint8)).abc2
    assert (measurement.abc2.a_mm, measurement.abc2.a_line_ras) == (alone.a_mm, alone.a_line_ras)
    assert alone.coniglobus_ml == pytest.approx(large.abc2_ml)
    assert speck.abc2_ml > 0


def test_the_smallest_counted_piece_is_a_setting():
    mask, ct = _two_blocks_and_a_speck()
    assert measure_mask(ct, mask, min_component_ml=0).abc2.pieces == 3
    assert measure_mask(ct, mask, min_component_ml=0.5).abc2.pieces == 1


def test_a_single_tiny_bleed_still_has_its_abc2():
    mask = np.zeros((3, 8, 8), np.uint8)
    mask[1, 2:4, 2:4] = 1
    measurement = measure_mask(_stack(mask), mask)
    assert measurement.components[0].counted_in_abc2
    assert measurement.abc2.coniglobus_ml == pytest.approx(2 * sqrt(2) * 2 * sqrt(2) * 1 / 2000)


def test_ventricular_blood_is_left_out_and_does_not_join_pieces():
    mask = np.zeros((3, 20, 60), np.uint8)
    mask[1, 5:15, 5:20], mask[1, 5:15, 20:40], mask[1, 5:15, 40:52] = 1, 2, 1
    measurement = measure_mask(_stack(mask, (1, 1, 5)), mask)
    assert measurement.abc2.pieces == 2 and measurement.abc2.a_mm == pytest.approx(hypot(10, 15))
    assert {piece.label: piece.abc2_ml is None for piece in measurement.components} == {"ICH": False, "IVH": True}


def test_with_ventricular_blood_only_there_is_no_abc2():
    mask = np.zeros((3, 8, 8), np.uint8)
    mask[1, 2:6, 2:6] = 2
    assert measure_mask(_stack(mask), mask).abc2 is None


def test_an_unknown_definition_of_b_is_refused():
    bleed = ellipsoid_ct(head=False)
    with pytest.raises(InputError, match="'segment' or 'caliper'"):
        measure_mask(bleed.ct, bleed.mask, b_definition="feret")


def _stack(mask, spacing=(1.0, 1.0, 1.0)):
    return CTVolume.regular(np.full(mask.shape, 60, np.int16), np.diag([*spacing, 1.0]))


def _ellipsoid_abc2(step_mm, slice_phase, row_phase=0.2, column_phase=0.3, pixel_mm=0.45):
    """Semi-axes 30 x 20 x 20 mm in 0.45 mm pixels; its middle lies `phase` of a voxel beside a voxel centre."""
    z = (np.arange(int(44 / step_mm) + 3) - int(22 / step_mm) - 1 + slice_phase) * step_mm
    j, i = np.ogrid[:160, :160]
    in_plane = ((i - 80 + column_phase) * pixel_mm / 30) ** 2 + ((j - 80 + row_phase) * pixel_mm / 20) ** 2
    mask = (in_plane[None] + (z / 20)[:, None, None] ** 2 <= 1).astype(np.uint8)
    return measure_mask(_stack(mask, (pixel_mm, pixel_mm, step_mm)), mask).abc2


def _two_blocks_and_a_speck():
    mask = np.zeros((6, 20, 40), np.uint8)
    mask[1:4, 5:15, 4:16] = 1
    mask[2:5, 5:12, 25:32] = 1
    mask[2, 17, 37] = 1
    return mask, _stack(mask)


def _piece_at(picture, centre_ij, volume_ml, ct):
    """The 8-connected part of the picture with this volume and centre, by flooding."""
    for seed in np.argwhere(picture):
        part = np.zeros_like(picture)
        part[tuple(seed)] = True
        while True:
            grown = np.pad(part, 1)
            grown = np.any([np.roll(grown, (a, b), (0, 1)) for a in (-1, 0, 1) for b in (-1, 0, 1)], axis=0)
            grown = grown[1:-1, 1:-1] & picture
            if (grown == part).all():
                break
            part = grown
        j, i = np.argwhere(part).mean(axis=0)
        same_size = np.isclose(part.sum() * ct.voxel_volumes_mm3[1] / 1000, volume_ml)
        if same_size and np.allclose((i, j), centre_ij):
            return part
    raise LookupError("no such part")


def _brute_force(picture, spacing):
    """A over all pairs of pixel corners; B over perpendiculars every 0.01 mm against all pixel edges."""
    corners = {(i + a, j + b) for j, i in np.argwhere(picture) for a in (0, 1) for b in (0, 1)}
    points = np.array(sorted(corners)) * spacing
    distances = np.linalg.norm(points[:, None] - points[None], axis=-1)
    a_mm = distances.max()
    candidates = []
    for n, m in np.argwhere(distances > a_mm - 1e-9):
        along = (points[m] - points[n]) / a_mm
        candidates.append(_longest_chord(picture, spacing, along))
    return a_mm, candidates[0] if np.ptp(candidates) < 0.02 else pytest.skip("two diameters of equal length")


def _longest_chord(picture, spacing, along):
    across = np.array([-along[1], along[0]])
    edges = []
    for j, i in np.argwhere(picture):
        square = np.array([(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1)]) * spacing
        edges += [(square[n], square[(n + 1) % 4]) for n in range(4)]
    edges = np.array(edges)
    t, s = edges @ along, edges @ across
    best = 0.0
    for position in np.arange(t.min() + 0.005, t.max(), 0.01):
        hit = (t[:, 0] - position) * (t[:, 1] - position) <= 0
        where = (position - t[hit, 0]) / np.where(t[hit, 1] == t[hit, 0], 1, t[hit, 1] - t[hit, 0])
        met = s[hit, 0] + where * (s[hit, 1] - s[hit, 0])
        best = max(best, np.ptp(met)) if len(met) else best
    return best
