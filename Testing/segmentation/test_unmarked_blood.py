"""A large region that only the coarse network takes for blood is told, and never marked."""

from dataclasses import replace

import numpy as np
import pytest
from phantoms import ellipsoid_ct

pytest.importorskip("torch")
pytest.importorskip("ICHVolumeLib.engines.quiet_openvino")

from network_weights import thresholding_weights  # noqa: E402

from ICHVolumeLib.imaging.volume import volume_ml  # noqa: E402
from ICHVolumeLib.network.weights import load_weights  # noqa: E402
from ICHVolumeLib.segmentation.coarse_pieces import CoarsePieces  # noqa: E402
from ICHVolumeLib.segmentation.scan import NetworkSlices, TurnedScan  # noqa: E402
from ICHVolumeLib.segmentation.segmenter import Segmenter  # noqa: E402
from ICHVolumeLib.segmentation.unmarked_blood import LEAST_ML, NEAR_MM  # noqa: E402

AS_SCANNED = {"pixel_spacing_mm": {"native_range": [0.3, 2.0], "target": 0.47}}
SEEN_HU = 95  # from 87 HU on
HEAD = {"half_height_mm": 48, "pixel_mm": 1.0, "columns": 256, "rows": 256, "step_mm": 6.0, "noise_hu": 1.0}


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ICHVOLUME_CACHE", str(tmp_path / "cache"))


def weights(folder, fine_label=0, **manifest):
    """A fine network that marks 54 to 87 HU, and 87 HU and more only with a label for it, beside a coarse one to which
    that is ICH, too."""
    thresholding_weights(folder, {**AS_SCANNED, **manifest}, dense=fine_label)
    thresholding_weights(folder / "coarse", {**AS_SCANNED, "threshold": 0.2}, dense=1)
    return folder


def head_with(semi_axes_mm, center_mm=(-30, 20, 0), grid="regular"):
    """A bleed of 20 mL, and a body of SEEN_HU elsewhere: (ct, mask of the bleed, mask of the body)."""
    bleed = ellipsoid_ct(grid, **HEAD, semi_axes_mm=(18, 15, 18), center_mm=(20, -10, 0))
    body = ellipsoid_ct(grid, **HEAD, semi_axes_mm=semi_axes_mm, center_mm=center_mm).mask > 0
    return replace(bleed.ct, hu=np.where(body, SEEN_HU, bleed.ct.hu).astype(np.int16)), bleed.mask, body


def told_in(segmentation):
    return [finding for finding in segmentation.findings if finding.code == "unmarked-blood"]


@pytest.mark.parametrize("grid", ["regular", "flipped", "tilted", "uneven"])
def test_a_large_one_is_told_with_its_slices_and_its_volume(tmp_path, grid):
    ct, bleed, body = head_with((16, 16, 24), grid=grid)
    found = Segmenter("cpu", weights(tmp_path / "weights")).apply(ct)
    assert (found.mask == bleed).all()
    (told,) = told_in(found)
    slices, ml = np.flatnonzero(body.any(axis=(1, 2))) + 1, volume_ml(body, ct.voxel_volumes_mm3)
    assert told.severity == "warning" and f"slices {slices[0]} to {slices[-1]}" in told.message
    assert float(told.message.split()[1]) == pytest.approx(ml, rel=0.06)


def test_a_small_one_is_not_told_as_heads_without_any_show_it_too(tmp_path):
    ct, _, body = head_with((12, 10, 14))
    assert 0.5 * LEAST_ML < volume_ml(body, ct.voxel_volumes_mm3) < LEAST_ML
    assert not told_in(Segmenter("cpu", weights(tmp_path / "weights")).apply(ct))


def test_what_the_fine_network_marks_is_not_told(tmp_path):
    ct, _, body = head_with((16, 16, 24))
    found = Segmenter("cpu", weights(tmp_path / "weights", fine_label=1)).apply(ct)
    assert (found.mask[body] > 0).mean() > 0.95 and not told_in(found)


def test_an_edge_that_is_drawn_a_little_wider_is_not_told(tmp_path):
    ct, _, wide = head_with((30, 30, 40), center_mm=(-20, 20, 0))
    narrow = ellipsoid_ct("regular", **HEAD, semi_axes_mm=(27.9, 27.9, 40), center_mm=(-20, 20, 0)).mask
    scan = TurnedScan(ct)
    grid = NetworkSlices(scan, load_weights(weights(tmp_path / "weights") / "coarse")).grid
    pieces = CoarsePieces(scan, grid, LEAST_ML)
    for k, one in enumerate(scan.orientation.view(wide)):
        pieces.take(k, grid.to_network(one.astype(np.float32)))
    assert volume_ml(pieces.mask(narrow), ct.voxel_volumes_mm3) > LEAST_ML  # the rim is large
    assert not pieces.mask(narrow, NEAR_MM).any()


def test_swelling_of_the_scalp_is_not_told(tmp_path):
    ct, _, body = head_with((14, 18, 24), center_mm=(-96, 0, 0))
    assert volume_ml(body & (ct.hu == SEEN_HU), ct.voxel_volumes_mm3) > LEAST_ML
    assert not told_in(Segmenter("cpu", weights(tmp_path / "weights")).apply(ct))


def test_what_lies_below_the_skull_is_not_told(tmp_path, monkeypatch):
    monkeypatch.setattr("ICHVolumeLib.segmentation.coarse_view.drop_below_skull",
                        lambda ct, mask, has_brain: mask.fill(0))  # as if all of it lay there
    ct, _, _ = head_with((16, 16, 24))
    assert not told_in(Segmenter("cpu", weights(tmp_path / "weights")).apply(ct))


def test_without_a_coarse_pass_nothing_is_told(tmp_path):
    ct, _, _ = head_with((16, 16, 24))
    assert not told_in(Segmenter("cpu", weights(tmp_path / "weights"), coarse=False).apply(ct))


def test_the_intervals_of_the_total_and_the_ich_reach_up_to_it(tmp_path):
    ct, _, body = head_with((16, 16, 24))
    interval = {"coverage": 0.9, "quantile": 1.0, "floor_ml": 0.2, "relative": 0.02, "patients": 100}
    calibration = {"interval": interval, "interval_ich": interval, "interval_ivh": interval}
    folder = weights(tmp_path / "weights", calibration=calibration)
    found, blind = (Segmenter("cpu", folder, coarse=coarse).apply(ct) for coarse in (True, False))
    assert told_in(found) and not told_in(blind) and (found.mask == blind.mask).all()
    ml = volume_ml(body, ct.voxel_volumes_mm3)
    for one, other in ((found.interval_ml, blind.interval_ml),
                       (found.label_intervals_ml["ICH"], blind.label_intervals_ml["ICH"])):
        assert one[0] == other[0] and one[1] - other[1] == pytest.approx(ml, rel=0.06)
