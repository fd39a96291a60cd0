from dataclasses import replace

import numpy as np
import pytest
from phantoms import ellipsoid_ct

pytest.importorskip("torch")
pytest.importorskip("ICHVolumeLib.engines.quiet_openvino")

from network_weights import thresholding_weights  # noqa: E402

from ICHVolumeLib.core.errors import Cancelled  # noqa: E402
from ICHVolumeLib.segmentation import segmenter as segmenter_module  # noqa: E402
from ICHVolumeLib.segmentation.coarse_pass import on_grid  # noqa: E402
from ICHVolumeLib.segmentation.grid import Grid  # noqa: E402
from ICHVolumeLib.segmentation.segmenter import Segmenter  # noqa: E402

AS_SCANNED = {"native_range": [0.3, 2.0], "target": 0.47}
RESAMPLED = {"native_range": [2.9, 3.1], "target": 3.0}  # there the blurred edge of the skull looks like blood, too
EVERYWHERE = {"half_height_mm": 48, "pixel_mm": 1.0, "columns": 256, "rows": 256, "step_mm": 6.0, "noise_hu": 1.0}


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ICHVOLUME_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def weights_dir(tmp_path):
    return two_networks(tmp_path / "weights", AS_SCANNED)


def two_networks(folder, coarse_pixels):
    """A fine network that marks what is bright, and a coarse one that proposes it."""
    thresholding_weights(folder, {"pixel_spacing_mm": AS_SCANNED})
    thresholding_weights(folder / "coarse", {"pixel_spacing_mm": coarse_pixels, "threshold": 0.2})
    return folder


def phantom(grid="regular", **changes):
    return ellipsoid_ct(grid, **{**EVERYWHERE, "semi_axes_mm": (9, 7, 8), "center_mm": (-25, 30, 10), **changes})


def fine_pixels(segmenter, monkeypatch):
    """How many pixels the fine network is given, counted while it runs."""
    seen = []
    predict = segmenter._fine.predict
    monkeypatch.setattr(segmenter._fine, "predict", lambda slices: seen.append(slices[0, 0].size) or predict(slices))
    return seen


@pytest.mark.parametrize("grid", ["regular", "flipped", "tilted", "uneven"])
def test_the_mask_is_that_of_the_whole_head_for_a_fraction_of_its_pixels(weights_dir, monkeypatch, grid):
    case = phantom(grid)
    full, short = Segmenter("cpu", weights_dir, coarse=False), Segmenter("cpu", weights_dir)
    seen_full, seen_short = fine_pixels(full, monkeypatch), fine_pixels(short, monkeypatch)
    whole, quick = full.apply(case.ct), short.apply(case.ct)
    assert (quick.mask == whole.mask).all() and (quick.mask == case.mask).all()
    assert sum(seen_short) < 0.25 * sum(seen_full)
    assert quick.seconds["coarse"] > 0 and whole.seconds["coarse"] == 0


def test_the_coarse_network_may_see_other_pixels(tmp_path):
    case = phantom("flipped")
    segmentation = Segmenter("cpu", two_networks(tmp_path, RESAMPLED)).apply(case.ct)
    assert (segmentation.mask == case.mask).all()


def test_two_bleeds_far_apart_are_both_found(weights_dir):
    case, other = phantom(), phantom(center_mm=(30, -35, -20))
    hu = np.where(other.mask > 0, other.ct.hu, case.ct.hu)
    mask = Segmenter("cpu", weights_dir).apply(replace(case.ct, hu=hu)).mask
    assert (mask == np.maximum(case.mask, other.mask)).all()


def test_where_nothing_is_proposed_the_fine_network_is_not_even_loaded(weights_dir):
    case = phantom(semi_axes_mm=(1e-6, 1e-6, 1e-6), center_mm=(0.3, 0.3, 0.3))
    segmenter = Segmenter("cpu", weights_dir)
    segmentation = segmenter.apply(case.ct)
    assert not segmentation.mask.any() and segmentation.engine == "openvino"
    assert segmenter._fine.engine is None
    assert segmentation.model_sha256 == segmenter.weights.sha256


def test_the_neighbours_of_a_slice_with_a_proposal_are_looked_at_too(weights_dir, monkeypatch):
    case = phantom(semi_axes_mm=(9, 7, 1), center_mm=(-25, 30, 12))  # in a single slice
    segmenter = Segmenter("cpu", weights_dir)
    seen = fine_pixels(segmenter, monkeypatch)
    segmenter.apply(case.ct)
    assert case.mask.any(axis=(1, 2)).sum() == 1 and len(seen) == 3


def test_without_a_skull_everything_is_looked_at(weights_dir):
    case = phantom(head=False)
    segmentation = Segmenter("cpu", weights_dir).apply(case.ct)
    assert segmentation.seconds["coarse"] == 0
    assert "no-skull" in [finding.code for finding in segmentation.findings]


def test_weights_without_a_coarse_network_look_at_everything(tmp_path):
    folder = thresholding_weights(tmp_path, {"pixel_spacing_mm": AS_SCANNED})
    assert Segmenter("cpu", folder).apply(phantom().ct).seconds["coarse"] == 0


def test_a_gpu_which_needs_no_help_looks_at_everything(weights_dir, monkeypatch):
    monkeypatch.setattr(segmenter_module, "ON_A_GPU", "openvino")
    segmentation = Segmenter("cpu", weights_dir).apply(phantom().ct)
    assert segmentation.seconds["coarse"] == 0 and (segmentation.mask == phantom().mask).all()


def test_cancel_stops_within_the_coarse_pass(weights_dir):
    done = []
    with pytest.raises(Cancelled):
        Segmenter("cpu", weights_dir).apply(phantom().ct, progress=lambda stage, count, total: done.append(stage),
                                            is_cancelled=lambda: len(done) > 3)
    assert done == ["coarse"] * 4


def test_what_calibration_reads_is_what_the_mask_is_made_of(weights_dir):
    case = phantom()
    probability = Segmenter("cpu", weights_dir).lesion_probabilities(case.ct).sum(0)
    assert ((probability >= 0.5) == (case.mask > 0)).all()


def test_a_box_is_the_same_place_on_another_grid():
    fine = Grid((512, 512), (381, 381), (16, 368, 0, 384))
    assert on_grid((0.25, 0.5, 0.25, 0.5), fine) == (95 - 16, 191 - 16, 95, 191)
    assert on_grid((0.0, 0.04, 0.3, 0.4), fine) is None  # above the box
