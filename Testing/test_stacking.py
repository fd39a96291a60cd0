"""The second network: what it is shown of the slices around, on every kind of scan."""

import numpy as np
import pytest
from phantoms import ellipsoid_ct

torch = pytest.importorskip("torch")
pytest.importorskip("ICHVolumeLib.engines.quiet_openvino")

from network_weights import stacked_weights, thresholding_weights  # noqa: E402

from ICHVolumeLib import stacking  # noqa: E402
from ICHVolumeLib.segmentation import Segmenter, segment_ct  # noqa: E402

AS_SCANNED = {"pixel_spacing_mm": {"native_range": [0.3, 2.0], "target": 0.47}}


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ICHVOLUME_CACHE", str(tmp_path / "cache"))


def case(grid="regular", **changes):
    coarse = {"pixel_mm": 1.5, "columns": 128, "rows": 144, "step_mm": 6.0, "noise_hu": 1.0}
    return ellipsoid_ct(grid, **{**coarse, **changes})


def moved_up(mask: np.ndarray, slices: int) -> np.ndarray:
    """The mask so many slices nearer to the last one; what leaves the stack is lost."""
    moved = np.zeros_like(mask)
    if slices >= 0:
        moved[slices:] = mask[:len(mask) - slices]
    else:
        moved[:slices] = mask[-slices:]
    return moved


def test_a_verdict_is_the_logit_between_its_limits():
    chances = np.array([0.0, 1 / (1 + np.e**4), 0.5, 1 / (1 + np.e**-4), 1.0])
    np.testing.assert_allclose(stacking.verdict(chances), [0, 0.25, 0.5, 0.75, 1], atol=1e-5)


@pytest.mark.parametrize(("step_mm", "gap"), [(0.6, 8), (1.0, 5), (2.5, 2), (4.0, 1), (5.0, 1), (10.0, 1)])
def test_a_neighbour_is_about_five_millimetres_away_and_never_the_slice_itself(step_mm, gap):
    assert stacking.neighbour_gap(step_mm) == gap


def test_beyond_the_ends_of_the_scan_the_end_slice_stands_in():
    assert stacking.neighbours(1, 8, 2, 2).tolist() == [0, 0, 1, 3, 5]
    assert stacking.neighbours(7, 8, 1, 1).tolist() == [6, 7, 7]


def test_a_correction_multiplies_the_chances_of_all_three_classes():
    first, second = np.array([[[0.6]], [[0.1]]]), np.array([[[0.2]], [[0.7]]])
    product = np.array([0.3 * 0.1, 0.6 * 0.2, 0.1 * 0.7])  # background, ICH, IVH
    found = stacking.corrected(stacking.verdict(first), second)
    np.testing.assert_allclose(found[:, 0, 0], product[1:] / product.sum(), rtol=1e-5)


def test_a_second_network_that_says_nothing_changes_nothing():
    first = np.array([[[0.0, 0.5, 0.2, 0.9]], [[0.0, 0.5, 0.1, 0.05]]])
    found = stacking.corrected(stacking.verdict(first), np.full((2, 1, 4), 1 / 3))
    np.testing.assert_allclose(found, first, atol=5e-4)  # a verdict ends at a chance of 0.0003


@pytest.mark.parametrize(("grid", "offset"), [("regular", -2), ("regular", 0), ("regular", 1), ("flipped", -1)])
def test_the_second_network_sees_the_verdicts_around_whatever_the_order_of_the_scan(tmp_path, grid, offset):
    phantom = case(grid)
    found = segment_ct(phantom.ct, device="cpu", weights_dir=stacked_weights(tmp_path, offset, AS_SCANNED)).mask
    upwards = -1 if phantom.ct.slice_origins_ras[-1, 2] < phantom.ct.slice_origins_ras[0, 2] else 1
    assert (found == moved_up(phantom.mask, -offset * upwards)).all()


def test_in_a_thin_scan_the_neighbour_is_further_away(tmp_path):
    phantom = case(step_mm=1.0, half_height_mm=40)
    found = segment_ct(phantom.ct, device="cpu", weights_dir=stacked_weights(tmp_path, -1, AS_SCANNED)).mask
    assert (found == moved_up(phantom.mask, 5)).all()


def test_engines_that_take_many_slices_at_a_time_give_the_same_mask(tmp_path):
    phantom, segmenter = case(), Segmenter("cpu", stacked_weights(tmp_path, 1, AS_SCANNED), "torch")
    one_by_one = segmenter.apply(phantom.ct).mask
    segmenter.engine.batch_size = 7
    assert one_by_one.any() and (segmenter.apply(phantom.ct).mask == one_by_one).all()


def test_the_first_network_judges_every_slice_once(tmp_path, monkeypatch):
    phantom, segmenter = case(), Segmenter("cpu", stacked_weights(tmp_path, 0, AS_SCANNED))
    segmenter.apply(phantom.ct)
    predict, judged, steps = segmenter.engine.predict, [], []
    monkeypatch.setattr(segmenter.engine, "predict", lambda slices: judged.append(len(slices)) or predict(slices))
    segmenter.apply(phantom.ct, progress=lambda *step: steps.append(step))
    assert sum(judged) == next(total for stage, _, total in steps if stage == "network")


def test_without_a_second_network_the_first_decides(tmp_path):
    phantom = case()
    alone = segment_ct(phantom.ct, device="cpu", weights_dir=thresholding_weights(tmp_path, AS_SCANNED)).mask
    assert (alone == phantom.mask).all()
