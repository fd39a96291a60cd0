import numpy as np
import pytest

from ICHVolumeLib.bench import peers
from ICHVolumeLib.core.ct_volume import CTVolume


@pytest.mark.parametrize(("shape", "window", "overlap", "expected"), [
    ((40, 512, 512), (32, 128, 128), 0.25, 2 * 5 * 5), ((96, 96, 96), (96, 96, 96), 0.25, 1),
    ((10, 96, 97), (96, 96, 96), 0.25, 2), ((107, 154, 154), (96, 96, 96), 0.625, 2 * 3 * 3),
])
def test_windows_are_counted_as_a_sliding_inference_places_them(shape, window, overlap, expected):
    assert peers.window_count(shape, window, overlap) == expected


def test_the_count_is_monai_s(monkeypatch):
    inferers = pytest.importorskip("monai.inferers.utils", reason="MONAI is not installed (extra `bench`)")
    from monai.data.utils import dense_patch_slices

    for shape, window, overlap in [((40, 512, 512), (32, 128, 128), 0.25), ((107, 154, 154), (96, 96, 96), 0.625)]:
        interval = inferers._get_scan_interval(shape, window, 3, [overlap] * 3)
        assert peers.window_count(shape, window, overlap) == len(dense_patch_slices(shape, window, interval))


def test_the_paper_s_scan_has_40_slices_and_50_windows():
    ct = CTVolume.regular(np.zeros((40, 512, 512), np.int16), np.diag([0.45, 0.45, 4.0, 1.0]))
    assert (peers._slices(ct), peers._windows_of((32, 128, 128))(ct), peers._bundle_windows(ct)) == (40, 50, 8)


def test_the_peers_are_the_rivals_of_the_registry_and_segresnet():
    pytest.importorskip("torch")
    pytest.importorskip("monai", reason="MONAI is not installed (extra `bench`)")
    pytest.importorskip("einops", reason="einops is not installed (extra `bench`)")
    found = {one.name: one for one in peers.peers()}
    assert set(found) == {"AttUNet", "UNet++", "PraNet", "3D U-Net", "UNETR", "SegResNet 3D"}
    assert "base width 64" in found["AttUNet"].size and found["PraNet"].input_shape == (1, 512, 512)
    assert found["UNETR"].input_shape == (32, 128, 128) and "windows of 32x128x128" in found["UNETR"].size


@pytest.mark.slow
def test_every_peer_runs_on_one_of_its_parts():
    torch = pytest.importorskip("torch")
    pytest.importorskip("monai", reason="MONAI is not installed (extra `bench`)")
    for peer in peers.peers():
        with torch.inference_mode():
            answer = peer.make().eval()(torch.rand(1, *peer.input_shape))
        answer = answer[0] if isinstance(answer, list) else answer  # UNet++ gives a list
        assert answer.shape[2:] == torch.Size(peer.input_shape[1:]), peer.name
