"""The fine network is shown what the coarse pass says of a slice, on its own pixels and the right way round."""

import numpy as np
import pytest
from phantoms import ellipsoid_ct

from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.segmentation.coarse_channels import on_fine_grid
from ICHVolumeLib.segmentation.grid import Grid

pytest.importorskip("torch")
pytest.importorskip("ICHVolumeLib.engines.quiet_openvino")

from network_weights import thresholding_weights  # noqa: E402

from ICHVolumeLib.segmentation import segmenter as segmenter_module  # noqa: E402
from ICHVolumeLib.segmentation.segmenter import Segmenter  # noqa: E402

AS_SCANNED = {"pixel_spacing_mm": {"native_range": [0.3, 2.0], "target": 0.47}}
HEAD = {"half_height_mm": 48, "pixel_mm": 1.0, "columns": 256, "rows": 224, "step_mm": 6.0, "noise_hu": 1.0}


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ICHVOLUME_CACHE", str(tmp_path / "cache"))


def weights(folder, coarse=True):
    """A fine network that marks what the coarse one calls ICH, and nothing else."""
    thresholding_weights(folder, AS_SCANNED, in_slices=3, coarse_channels=3, channel=3, starts=(0.5, 9.0, 9.0))
    if coarse:
        thresholding_weights(folder / "coarse", {**AS_SCANNED, "threshold": 0.2}, classes=4)
    return folder


def bleed(grid="regular"):
    return ellipsoid_ct(grid, **HEAD, semi_axes_mm=(18, 12, 18), center_mm=(24, -10, 6))


@pytest.mark.parametrize("grid", ["regular", "flipped", "tilted", "uneven"])
def test_they_lie_where_the_coarse_network_saw_it(tmp_path, grid):
    phantom = bleed(grid)
    assert (Segmenter("cpu", weights(tmp_path / "weights")).apply(phantom.ct).mask == phantom.mask).all()


def test_the_fine_network_is_told_when_it_looks_at_the_whole_head_too(tmp_path):
    phantom = bleed()
    whole = Segmenter("cpu", weights(tmp_path / "weights"), coarse=False)
    assert (whole.apply(phantom.ct).mask == phantom.mask).all()


def test_it_is_told_where_no_skull_is_found_and_nothing_is_cropped(tmp_path):
    phantom = bleed()
    found = Segmenter("cpu", weights(tmp_path / "weights"), crop=False).apply(phantom.ct)
    assert found.seconds["coarse"] == 0 and (found.mask[phantom.mask > 0] > 0).all()


def test_it_is_told_on_a_gpu_where_it_looks_at_everything(tmp_path, monkeypatch):
    monkeypatch.setattr(segmenter_module, "ON_A_GPU", "openvino")  # as if that were the engine on a GPU
    phantom = bleed()
    assert (Segmenter("cpu", weights(tmp_path / "weights")).apply(phantom.ct).mask == phantom.mask).all()


def test_each_slice_is_looked_at_once_by_the_coarse_network(tmp_path, monkeypatch):
    segmenter, asked = Segmenter("cpu", weights(tmp_path / "weights")), []
    predict = segmenter._coarse.predict
    monkeypatch.setattr(segmenter._coarse, "predict", lambda slices: asked.append(len(slices)) or predict(slices))
    phantom = bleed()
    segmenter.apply(phantom.ct)
    assert sum(asked) <= len(phantom.ct.hu)


def test_what_calibration_reads_is_told_the_same(tmp_path):
    phantom = bleed()
    lesions = Segmenter("cpu", weights(tmp_path / "weights")).lesion_probabilities(phantom.ct)
    assert ((lesions[0] > 0.5) == (phantom.mask > 0)).all()


def test_the_networks_input_holds_the_slices_and_then_what_is_told(tmp_path):
    segmenter, phantom = Segmenter("cpu", weights(tmp_path / "weights")), bleed()
    middle = int(np.flatnonzero(phantom.mask.any(axis=(1, 2))).mean())
    (shown,) = segmenter.network_input(phantom.ct, np.array([middle]))
    assert len(shown) == 6
    blood = (shown[1] > 0.57) & (shown[1] < 0.73)  # 54 to 86 HU in the window of -60 to 140
    assert shown[3][blood].min() > 0.9 and shown[3][~blood].max() < 0.1 and shown[4:].max() < 0.1


def test_weights_that_are_told_are_refused_without_the_coarse_pass(tmp_path):
    with pytest.raises(InputError, match="3 classes of a coarse pass and there is none"):
        Segmenter("cpu", weights(tmp_path / "weights", coarse=False))


def test_weights_that_are_told_of_other_classes_are_refused(tmp_path):
    folder = weights(tmp_path / "weights", coarse=False)
    thresholding_weights(folder / "coarse", AS_SCANNED)
    with pytest.raises(InputError, match="knows 2"):
        Segmenter("cpu", folder)


def test_a_slope_is_the_same_slope_on_finer_pixels():
    """Both boxes lie anywhere in their slices; places are told by their share of the slice."""
    coarse = Grid((90, 110), (60, 72), (8, 56, 12, 60))
    fine = Grid((90, 110), (130, 160), (32, 112, 48, 128))
    rows, columns = ((np.arange(start, end) + 0.5) / size
                     for start, end, size in ((8, 56, 60), (12, 60, 72)))
    slope = (0.2 + 0.5 * rows[:, None] + 0.2 * columns).astype(np.float32)
    seen = on_fine_grid(np.stack([slope, 0 * slope]), coarse, fine)
    rows, columns = ((np.arange(start, end) + 0.5) / size
                     for start, end, size in ((32, 112, 130), (48, 128, 160)))
    assert seen.shape == (2, 80, 80) and not seen[1].any()
    inside = np.s_[2:-2, 2:-2]
    np.testing.assert_allclose(seen[0][inside], (0.2 + 0.5 * rows[:, None] + 0.2 * columns)[inside], atol=1e-5)


def test_beyond_what_the_coarse_network_saw_it_says_nothing():
    grid = Grid((64, 64), (64, 64), (16, 48, 16, 48))
    everything = Grid((64, 64), (64, 64), (0, 64, 0, 64))
    seen = on_fine_grid(np.ones((1, 32, 32), np.float32), grid, everything)
    assert seen[0, 16:48, 16:48].all() and seen.sum() == 32 * 32
