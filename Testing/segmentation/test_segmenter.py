from dataclasses import replace

import numpy as np
import pytest
from phantoms import GRIDS, ellipsoid_ct

torch = pytest.importorskip("torch")
pytest.importorskip("ICHVolumeLib.engines.quiet_openvino")

from network_weights import thresholding_weights  # noqa: E402

from ICHVolumeLib.core.ct_volume import CTVolume  # noqa: E402
from ICHVolumeLib.core.errors import Cancelled, InputError  # noqa: E402
from ICHVolumeLib.engines import choose_engine  # noqa: E402
from ICHVolumeLib.postprocessing.steps import LOOKED_AT  # noqa: E402
from ICHVolumeLib.segmentation.input_slices import moved_hu  # noqa: E402
from ICHVolumeLib.segmentation.segmenter import Segmenter, segment_ct  # noqa: E402

INTERVAL = {name: {"coverage": 0.9, "quantile": quantile, "floor_ml": 1.0, "relative": 0.1}
            for name, quantile in (("interval", 1.0), ("interval_ich", 2.0), ("interval_ivh", 3.0))}
AS_SCANNED = {"native_range": [0.3, 2.0], "target": 0.47}  # phantoms are coarse; most tests want their pixels untouched


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ICHVOLUME_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def weights_dir(tmp_path_factory):
    return thresholding_weights(tmp_path_factory.mktemp("weights"), {"pixel_spacing_mm": AS_SCANNED,
                                                                    "calibration": INTERVAL})


@pytest.fixture(scope="module")
def segmenter(weights_dir):
    return Segmenter(device="cpu", weights_dir=weights_dir)


def case(grid="regular", **changes):
    coarse = {"pixel_mm": 1.5, "columns": 128, "rows": 144, "step_mm": 6.0, "noise_hu": 1.0}
    return ellipsoid_ct(grid, **{**coarse, **changes})


def dice(one, other):
    return 2 * ((one > 0) & (other > 0)).sum() / ((one > 0).sum() + (other > 0).sum())


@pytest.mark.parametrize("grid", GRIDS)
def test_a_known_bleed_is_marked_voxel_by_voxel_on_every_grid(segmenter, grid):
    phantom = case(grid)
    segmentation = segmenter.apply(phantom.ct)
    assert (segmentation.mask == phantom.mask).all()
    assert segmentation.mask.dtype == np.uint8 and segmentation.mask.shape == phantom.ct.hu.shape


@pytest.mark.parametrize("axes", [(0, 2, 1), (0, 1, 2)])
@pytest.mark.parametrize("flips", [(-1, 1, 1), (1, -1, -1), (-1, -1, 1)])
def test_a_scan_stored_in_any_order_gets_its_mask_in_that_order(segmenter, axes, flips):
    phantom = case(center_mm=(20, 10, 5), semi_axes_mm=(22, 12, 15))
    turned, matrix = phantom.ct.hu, phantom.ct.ijk_to_ras.copy()
    for axis, flip in enumerate(flips):
        if flip < 0:
            turned = np.flip(turned, axis)
            matrix[:3, 3] += matrix[:3, 2 - axis] * (turned.shape[axis] - 1)
            matrix[:3, 2 - axis] *= -1
    expected = phantom.mask[tuple(slice(None, None, flip) for flip in flips)].transpose(axes)
    columns = [2 - axes[2 - column] for column in range(3)] + [3]
    ct = CTVolume.regular(np.ascontiguousarray(turned.transpose(axes)), matrix[:, columns])
    segmentation = segmenter.apply(ct)
    assert (segmentation.mask == expected).all()


def test_ich_and_ivh_are_told_apart(segmenter):
    phantom = case()
    hu, expected = phantom.ct.hu.copy(), phantom.mask.copy()
    middle = len(hu) // 2
    hu[middle - 2:middle + 3, 90:100, 60:70] = 95  # denser than ICH to this network
    expected[middle - 2:middle + 3, 90:100, 60:70] = 2
    assert (segmenter.apply(replace(phantom.ct, hu=hu)).mask == expected).all()


@pytest.mark.parametrize("moved_hu", [-12, 8, 14])
def test_a_scan_with_brighter_brain_is_shown_to_the_network_as_any_other(tmp_path, moved_hu):
    ct = case().ct
    brighter = replace(ct, hu=np.where(ct.hu > -500, ct.hu + moved_hu, ct.hu).astype(np.int16))
    levelled = Segmenter("cpu", thresholding_weights(tmp_path / "levelled", {"brain_hu": [35, 35],
                                                                             "pixel_spacing_mm": AS_SCANNED}))
    as_scanned = Segmenter("cpu", thresholding_weights(tmp_path / "as_scanned", {"pixel_spacing_mm": AS_SCANNED}))
    middle = np.array([len(ct.hu) // 2])
    shown = [levelled.network_input(one, middle) for one in (ct, brighter)]
    assert np.abs(shown[0] - shown[1]).max() * 200 < 1  # HU; the window of these weights is 200 HU wide
    soft = (shown[0] > 0.3) & (shown[0] < 0.6)
    assert np.median(shown[0][soft]) * 200 + levelled.weights.window_hu[0] == pytest.approx(35, abs=1)
    before, after = (as_scanned.network_input(one, middle) for one in (ct, brighter))
    assert np.median((after - before)[soft]) * 200 == pytest.approx(moved_hu, abs=0.01)


def test_a_usual_level_that_the_network_does_not_know_is_moved_without_a_word(tmp_path):
    weights = thresholding_weights(tmp_path, {"brain_hu": [36, 38], "pixel_spacing_mm": AS_SCANNED})
    said = segment_ct(case().ct, device="cpu", weights_dir=weights).findings  # a brain of 32 HU
    assert "brain-level" not in [one.code for one in said]


@pytest.mark.parametrize(("moved_hu", "expected"), [(0, None), (9, None), (12, "brighter (44 HU)"),
                                                    (-9, "darker (23 HU)")])
def test_a_scan_far_beyond_the_levels_of_training_is_said(tmp_path, moved_hu, expected):
    ct = case().ct
    ct = replace(ct, hu=np.where(ct.hu > -500, ct.hu + moved_hu, ct.hu).astype(np.int16))
    weights = thresholding_weights(tmp_path, {"brain_hu": [28, 39], "pixel_spacing_mm": AS_SCANNED})
    said = [one for one in segment_ct(ct, device="cpu", weights_dir=weights).findings if one.code == "brain-level"]
    assert [expected in one.message and one.severity == "warning" for one in said] == ([True] if expected else [])


@pytest.mark.parametrize(("brain_hu", "expected_hu"), [(22, 6), (28, 0), (35, 0), (40, 0), (45, -5), (None, 0)])
def test_only_a_scan_beyond_the_levels_of_training_is_moved_to_the_nearest(brain_hu, expected_hu):
    assert moved_hu(brain_hu, (28.0, 40.0)) == expected_hu
    assert moved_hu(brain_hu, None) == 0


def test_the_threshold_of_the_manifest_decides(tmp_path):
    phantom = case()
    everything = {"pixel_spacing_mm": AS_SCANNED, "threshold": 1.0}  # no probability reaches it
    weights_dir = thresholding_weights(tmp_path, everything)
    assert not segment_ct(phantom.ct, device="cpu", weights_dir=weights_dir).mask.any()


@pytest.mark.parametrize("engine", ["openvino", "torch"])
def test_cropping_and_skipping_slices_changes_nothing(weights_dir, engine):
    phantom = case(half_height_mm=120, center_mm=(-30, 40, 30), semi_axes_mm=(8, 5, 7))  # small and off centre
    whole = Segmenter("cpu", weights_dir, engine, crop=False).apply(phantom.ct)
    fast = Segmenter("cpu", weights_dir, engine).apply(phantom.ct)
    assert whole.engine == fast.engine == engine
    assert (whole.mask == fast.mask).all() and (fast.mask == phantom.mask).all()


@pytest.mark.parametrize("pixel_mm", [0.8, 0.25])
def test_foreign_pixels_are_resampled_and_the_mask_comes_back_to_the_scan_s_own(tmp_path, pixel_mm):
    weights_dir = thresholding_weights(tmp_path)
    size = {"columns": round(180 / pixel_mm), "rows": round(200 / pixel_mm)}
    phantom = case(pixel_mm=pixel_mm, step_mm=20.0, noise_hu=0.0, **size)
    segmentation = segment_ct(phantom.ct, device="cpu", weights_dir=weights_dir)
    assert segmentation.mask.shape == phantom.ct.hu.shape
    near = np.zeros(phantom.mask.shape, bool)  # this network also marks the blurred inner edge of the skull
    reach = [round(45 / pixel_mm)] * 2
    rows, columns = (size // 2 for size in near.shape[1:])
    near[:, rows - reach[0]:rows + reach[0], columns - reach[1]:columns + reach[1]] = True
    assert dice(segmentation.mask * near, phantom.mask) > 0.97


def test_three_slices_as_input_use_the_neighbours_and_repeat_the_ends(tmp_path):
    phantom = case(half_height_mm=30)  # the bleed reaches the first and the last slice or nearly
    weights_dir = thresholding_weights(tmp_path, {"pixel_spacing_mm": AS_SCANNED}, in_slices=3)
    assert (segment_ct(phantom.ct, device="cpu", weights_dir=weights_dir).mask == phantom.mask).all()


def test_the_network_sees_each_slice_between_the_one_below_and_the_one_above(tmp_path):
    ct = case(noise_hu=3.0).ct
    single, triple = (Segmenter(device="cpu", weights_dir=thresholding_weights(tmp_path / str(count), in_slices=count))
                      for count in (1, 3))
    count = len(ct.hu)
    one = single.network_input(ct, np.arange(count))[:, 0]
    for order in (np.arange(count), np.arange(count)[::-1], np.array([0, 0, count - 1])):
        for k, seen in zip(order, triple.network_input(ct, order), strict=True):
            np.testing.assert_array_equal(seen, one[np.clip([k - 1, k, k + 1], 0, count - 1)])


def test_a_scan_without_a_bleed_gives_an_empty_mask_and_no_error(segmenter):
    phantom = case(semi_axes_mm=(1e-6, 1e-6, 1e-6), center_mm=(0.3, 0.3, 0.3))
    segmentation = segmenter.apply(phantom.ct)
    assert not segmentation.mask.any() and not segmentation.slice_uncertainty.any()
    assert segmentation.interval_ml == (0.0, pytest.approx(1.0, abs=0.01))


def test_no_skull_searches_every_slice_and_says_so(segmenter):
    phantom = case(head=False)
    segmentation = segmenter.apply(phantom.ct)
    assert [finding.code for finding in segmentation.findings] == ["no-skull"]
    assert (segmentation.mask == phantom.mask).all()


def test_the_interval_and_the_doubtful_volume_follow_the_manifest_s_rule(segmenter):
    phantom = case()
    segmentation = segmenter.apply(phantom.ct)
    volume_ml = np.count_nonzero(segmentation.mask, axis=(1, 2)) @ phantom.ct.voxel_volumes_mm3 / 1000
    half = 1.0 + 0.1 * volume_ml + segmentation.ambiguous_ml
    assert segmentation.interval_ml == pytest.approx((volume_ml - half, volume_ml + half))
    low, high = segmentation.label_intervals_ml["ICH"]  # the only label that is marked; mixed with no IVH
    assert high - low == pytest.approx(4 * half, rel=0.02) and "IVH" not in segmentation.label_intervals_ml
    assert segmentation.interval_coverage == segmenter.weights.manifest["calibration"]["interval"]["coverage"]


def test_a_slice_of_doubtful_voxels_is_the_most_uncertain_one_in_the_scan_s_own_order(segmenter):
    phantom = case("flipped")
    hu = phantom.ct.hu.copy()
    doubtful = 7
    hu[doubtful, 80:110, 50:80] = 54  # p(bleed) near 0.5 for this network
    segmentation = segmenter.apply(replace(phantom.ct, hu=hu))
    assert segmentation.slice_uncertainty.argmax() == doubtful
    assert 0 <= segmentation.slice_uncertainty.min() and segmentation.slice_uncertainty.max() <= 1
    assert segmentation.ambiguous_ml == pytest.approx(900 * 1.5**2 * 6 / 1000, rel=0.1)


def test_progress_counts_every_slice_that_runs_and_ends_at_the_last(segmenter):
    seen = []
    segmenter.apply(case().ct, progress=lambda *step: seen.append(step))
    network = [(done, total) for stage, done, total in seen if stage == "network"]
    assert network == [(done, network[-1][1]) for done in range(network[-1][1] + 1)]
    assert 20 < network[-1][1] <= len(case().ct.hu)
    assert [step for step in seen if step[0] == "clean"] == [("clean", 0, 1), ("clean", 1, 1)]


def test_cancel_stops_at_the_next_slice(segmenter):
    done = []
    with pytest.raises(Cancelled):
        segmenter.apply(case().ct, progress=lambda stage, count, total: done.append(count),
                        is_cancelled=lambda: len(done) > 3)
    assert done == [0, 1, 2, 3]


def test_a_sagittal_series_is_refused(segmenter):
    ct = case().ct
    matrix = ct.ijk_to_ras[:, [1, 2, 0, 3]]
    with pytest.raises(InputError, match="not axial"):
        segmenter.apply(CTVolume.regular(ct.hu, matrix))


def test_where_the_mask_came_from_is_said(segmenter):
    segmentation = segmenter.apply(case().ct)
    assert segmentation.engine == "openvino" and segmentation.device.startswith("CPU")
    assert segmentation.model == "test" and len(segmentation.model_sha256) == 64
    assert set(segmentation.seconds) == {"prepare", "load", "coarse", "network", "clean"}
    assert [step["name"] for step in segmentation.clean_up] == ["outside the skull", "specks"]


@pytest.mark.parametrize("grid", ["regular", "flipped"])
def test_a_doubtful_piece_is_left_out_and_its_slices_are_named(tmp_path, grid):
    classifier = {"weights": [0.0, 1.0, 0.0, 0.0], "offset": -2.0, "least": 0.5}  # real from 2 SDs of contrast
    weights = thresholding_weights(tmp_path, {"calibration": {"pieces": classifier}, "pixel_spacing_mm": AS_SCANNED})
    phantom, segmenter, doubtful = case(grid), Segmenter("cpu", weights), 7
    hu = phantom.ct.hu.copy()
    hu[doubtful, 50:100, 40:90] = np.where(np.arange(50) // 4 % 2, 15, 45)  # uneven brain ...
    hu[doubtful, 70:80, 60:70] = 57  # ... in which this is nothing special
    segmentation = segmenter.apply(replace(phantom.ct, hu=hu))
    step = next(step for step in segmentation.clean_up if step["name"] == "doubtful pieces")
    assert step["slices"] == [doubtful] and step["removed_ml"] > 0.5 and step["threshold_mm3"] is None
    assert not segmentation.mask[doubtful].any()
    assert dice(segmentation.mask, phantom.mask) > 0.95
    finding = next(one for one in segmentation.findings if one.code == "doubtful-pieces")
    assert f"in slice {doubtful + 1} " in finding.message and finding.severity == "info"
    hu[phantom.mask > 0] = 30
    alone = segmenter.apply(replace(phantom.ct, hu=hu))
    assert not alone.mask.any()
    assert [one.severity for one in alone.findings if one.code == "doubtful-pieces"] == ["warning"]


@pytest.mark.parametrize("grid", ["regular", "flipped"])
def test_a_spot_the_network_is_not_sure_of_is_marked_and_named_when_it_stands_out(tmp_path, grid):
    classifier = {"weights": [0.0, 1.0, 0.0, 0.0], "offset": -2.0, "least": 0.5, "possible": 0.5}
    weights = thresholding_weights(tmp_path, {"calibration": {"pieces": classifier}, "pixel_spacing_mm": AS_SCANNED,
                                              "threshold": 0.9})
    phantom, segmenter, faint = case(grid), Segmenter("cpu", weights), 7
    hu = phantom.ct.hu.copy()
    hu[faint, 70:80, 60:70] = 54  # p(bleed) near 0.5 for this network
    segmentation = segmenter.apply(replace(phantom.ct, hu=hu))
    step = next(step for step in segmentation.clean_up if step["name"] == "possible pieces")
    assert step["slices"] == [faint] and step["added_ml"] > 0.5 and step["removed_ml"] == 0
    assert segmentation.mask[faint, 71:79, 61:69].all()
    finding = next(one for one in segmentation.findings if one.code == "possible-pieces")
    assert f"in slice {faint + 1} " in finding.message and finding.severity == "info"


def test_weights_without_a_verdict_do_not_ask_the_scan(segmenter):
    names = [step["name"] for step in segmenter.apply(case().ct).clean_up]
    assert not set(names) & set(LOOKED_AT)


def test_the_second_scan_needs_no_engine_and_no_compiling(weights_dir, monkeypatch):
    segmenter, choices = Segmenter("cpu", weights_dir), []
    monkeypatch.setattr("ICHVolumeLib.segmentation.network_runner.choose_engine",
                        lambda *args, **more: choices.append(args) or choose_engine(*args, **more))
    phantom = case()
    segmenter.apply(phantom.ct)
    compiled = dict(segmenter.engine._requests)
    again = segmenter.apply(phantom.ct)
    assert len(choices) == 1 and segmenter.engine._requests == compiled
    assert (again.mask == phantom.mask).all()


def test_an_engine_that_breaks_in_the_middle_is_replaced_and_the_case_is_finished(weights_dir):
    phantom, segmenter = case(), Segmenter("cpu", weights_dir)
    segmenter.apply(phantom.ct)
    assert segmenter.engine.name == "openvino"
    predict, calls = segmenter.engine.predict, []

    def breaks(slices):
        calls.append(1)
        if len(calls) > 5:
            raise RuntimeError("inference failed")
        return predict(slices)

    segmenter.engine.predict = breaks
    segmentation = segmenter.apply(phantom.ct)
    assert segmentation.engine == "torch"
    assert "inference failed" in segmentation.findings[0].message
    assert (segmentation.mask == phantom.mask).all()


def test_the_scan_is_left_as_it_was(segmenter):
    phantom = case()
    before = phantom.ct.hu.copy()
    segmenter.apply(phantom.ct)
    assert (phantom.ct.hu == before).all()


@pytest.mark.parametrize("grid", ["regular", "flipped"])
def test_the_chance_of_a_bleed_reaches_the_threshold_exactly_where_the_mask_is(segmenter, grid):
    phantom = case(grid)
    probabilities = segmenter.lesion_probabilities(phantom.ct)
    assert probabilities.dtype == np.float16 and probabilities.shape == (2, *phantom.ct.hu.shape)
    assert ((probabilities.sum(0) >= segmenter.weights.threshold) == (phantom.mask > 0)).all()
