"""Blood outside the brain, as the coarse network sees it: shown beside the mask, never in it."""

from dataclasses import replace

import numpy as np
import pytest
from phantoms import ellipsoid_ct

pytest.importorskip("torch")
pytest.importorskip("ICHVolumeLib.engines.quiet_openvino")

from network_weights import thresholding_weights  # noqa: E402

from ICHVolumeLib.core.errors import InputError  # noqa: E402
from ICHVolumeLib.imaging.volume import volume_ml  # noqa: E402
from ICHVolumeLib.network.attfocusnet import AttFocusNetConfig  # noqa: E402
from ICHVolumeLib.segmentation import segmenter as segmenter_module  # noqa: E402
from ICHVolumeLib.segmentation.outside_brain import LEAST_ML, outside_finding  # noqa: E402
from ICHVolumeLib.segmentation.segmenter import Segmenter  # noqa: E402

AS_SCANNED = {"pixel_spacing_mm": {"native_range": [0.3, 2.0], "target": 0.47}}
OUTSIDE_HU = 95  # of the class `dense`
HEAD = {"half_height_mm": 48, "pixel_mm": 1.0, "columns": 256, "rows": 256, "step_mm": 6.0, "noise_hu": 1.0}


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ICHVOLUME_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def weights_dir(tmp_path):
    """A fine network that marks 54 to 87 HU, a coarse one with a fourth class from 87 HU."""
    folder = tmp_path / "weights"
    thresholding_weights(folder, AS_SCANNED, dense=0)
    thresholding_weights(folder / "coarse", {**AS_SCANNED, "threshold": 0.2}, dense=3, classes=4)
    return folder


def head_with(grid, semi_axes_mm, center_mm=(-30, 40, 10)):
    """A bleed of 20 mL deep in the head, and a body of OUTSIDE_HU: (ct, mask of the bleed, mask of the body)."""
    bleed = ellipsoid_ct(grid, **HEAD, semi_axes_mm=(18, 15, 18), center_mm=(20, -10, 0))
    body = ellipsoid_ct(grid, **HEAD, semi_axes_mm=semi_axes_mm, center_mm=center_mm).mask > 0
    hu = np.where(body, OUTSIDE_HU, bleed.ct.hu).astype(np.int16)
    return replace(bleed.ct, hu=hu), bleed.mask, body


@pytest.mark.parametrize("grid", ["regular", "flipped", "tilted", "uneven"])
def test_it_lies_on_the_scans_own_grid_and_in_no_volume(weights_dir, grid):
    ct, bleed, body = head_with(grid, (12, 8, 15))
    found = Segmenter("cpu", weights_dir).apply(ct)
    assert (found.mask == bleed).all()
    assert found.outside.dtype == np.uint8 and (found.outside == body).mean() > 0.999
    assert 2 * (found.outside & body).sum() / (found.outside.sum() + body.sum()) > 0.97
    assert found.outside_ml == pytest.approx(volume_ml(body, ct.voxel_volumes_mm3), rel=0.04)
    told = next(finding for finding in found.findings if finding.code == "blood-outside-brain")
    slices = np.flatnonzero(body.any(axis=(1, 2))) + 1
    assert f"slices {slices[0]} to {slices[-1]}" in told.message and told.severity == "warning"


def test_a_little_is_not_told_as_heads_without_any_show_it_too(weights_dir):
    ct, _, body = head_with("regular", (5, 4, 7))
    assert volume_ml(body, ct.voxel_volumes_mm3) < LEAST_ML
    found = Segmenter("cpu", weights_dir).apply(ct)
    assert not found.outside.any() and found.outside_ml == 0
    assert "blood-outside-brain" not in [finding.code for finding in found.findings]


def test_swelling_of_the_scalp_is_outside_the_skull_and_not_told(weights_dir):
    ct, bleed, body = head_with("regular", (14, 18, 20), center_mm=(-96, 0, 10))
    assert volume_ml(body, ct.voxel_volumes_mm3) > 5 * LEAST_ML and (ct.hu[body] == OUTSIDE_HU).all()
    found = Segmenter("cpu", weights_dir).apply(ct)
    assert found.outside_ml == 0 and (found.mask == bleed).all()


def test_what_the_fine_network_marks_is_not_outside(tmp_path):
    folder = tmp_path / "weights"
    thresholding_weights(folder, AS_SCANNED)  # 87 HU and more is IVH to it
    thresholding_weights(folder / "coarse", {**AS_SCANNED, "threshold": 0.2}, dense=3, classes=4)
    ct, bleed, body = head_with("regular", (12, 8, 15), center_mm=(22, 12, 0))  # at the bleed, which is proposed
    found = Segmenter("cpu", folder).apply(ct)
    assert (found.mask[body] == 2).mean() > 0.9 and not (found.outside & (found.mask > 0)).any()


def test_on_a_gpu_it_is_seen_and_the_fine_network_looks_at_everything(weights_dir, monkeypatch):
    ct, bleed, body = head_with("regular", (12, 8, 15))
    monkeypatch.setattr(segmenter_module, "ON_A_GPU", "openvino")
    segmenter = Segmenter("cpu", weights_dir)
    seen = []
    predict = segmenter._fine.predict
    monkeypatch.setattr(segmenter._fine, "predict", lambda slices: seen.append(len(slices)) or predict(slices))
    found = segmenter.apply(ct)
    assert found.outside.any() and sum(seen) == len(ct.hu) and (found.mask == bleed).all()


def test_weights_that_do_not_know_it_say_nothing_of_it(tmp_path):
    thresholding_weights(tmp_path, AS_SCANNED)
    thresholding_weights(tmp_path / "coarse", {**AS_SCANNED, "threshold": 0.2})
    found = Segmenter("cpu", tmp_path).apply(head_with("regular", (12, 8, 15))[0])
    assert found.outside is None and found.outside_ml is None


def test_without_a_skull_nobody_knows_what_is_outside(weights_dir):
    bare = ellipsoid_ct("regular", **{**HEAD, "head": False}, semi_axes_mm=(9, 7, 8))
    assert Segmenter("cpu", weights_dir).apply(bare.ct).outside is None


def test_a_coarse_network_of_other_classes_is_refused(tmp_path):
    thresholding_weights(tmp_path, AS_SCANNED)
    thresholding_weights(tmp_path / "coarse", AS_SCANNED, classes=5)
    with pytest.raises(InputError, match="5 classes; 4 are needed"):
        Segmenter("cpu", tmp_path)
    with pytest.raises(InputError, match="4 classes; 3 are needed"):
        Segmenter("cpu", thresholding_weights(tmp_path / "fine", AS_SCANNED, classes=4).parent / "fine")
    assert AttFocusNetConfig().classes == 3


@pytest.mark.parametrize(("first", "last", "ml", "expected"), [(3, 3, 1.23, "About 1.2 mL in slice 4 "),
                                                               (3, 8, 12.7, "About 13 mL in slices 4 to 9 ")])
def test_the_finding_says_how_much_and_where(first, last, ml, expected):
    mask = np.zeros((12, 4, 4), np.uint8)
    mask[first:last + 1, 2, 2] = 1
    said = outside_finding(mask, ml, mask * 0)[0].message
    assert said.startswith(expected) and "may be a part of it" not in said
    assert "may be a part of it" in outside_finding(mask, ml, np.roll(mask, 1, axis=2))[0].message
    assert outside_finding(mask * 0, 0.0, mask) == []
