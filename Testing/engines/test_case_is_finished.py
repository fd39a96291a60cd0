"""Whatever an engine does, the case is finished by the next one, with the right mask, and says which and why."""

import sys

import pytest
from phantoms import ellipsoid_ct

torch = pytest.importorskip("torch")
pytest.importorskip("ICHVolumeLib.engines.quiet_openvino")

from network_weights import thresholding_weights  # noqa: E402

from ICHVolumeLib.engines import nvidia, openvino_engine, torch_engine  # noqa: E402
from ICHVolumeLib.engines.openvino_engine import OpenVinoEngine  # noqa: E402
from ICHVolumeLib.engines.torch_engine import TorchEngine  # noqa: E402
from ICHVolumeLib.segmentation.segmenter import Segmenter  # noqa: E402

AS_SCANNED = {"pixel_spacing_mm": {"native_range": [0.3, 2.0], "target": 0.47}}


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ICHVOLUME_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def weights_dir(tmp_path_factory):
    return thresholding_weights(tmp_path_factory.mktemp("weights"), AS_SCANNED)


@pytest.fixture(scope="module")
def small_phantom():
    return ellipsoid_ct("regular", pixel_mm=1.5, columns=128, rows=144, step_mm=10.0, noise_hu=1.0)


def refuse(message, error=RuntimeError):
    def fail(*_):
        raise error(message)

    return fail


def openvino_missing(patch):
    patch.setitem(sys.modules, "ICHVolumeLib.engines.openvino_engine", None)


def openvino_fails_to_compile(patch):
    patch.setattr(OpenVinoEngine, "_compile", refuse("could not create a primitive"))


def openvino_breaks_while_running(patch):
    patch.setattr(OpenVinoEngine, "predict", refuse("inference failed"))


def openvino_runs_out_of_memory(patch):
    patch.setattr(OpenVinoEngine, "predict", refuse("bad allocation", MemoryError))


def emulated_bf16(patch):
    patch.setattr(openvino_engine, "_lists_bf16", lambda core: True)
    patch.setattr(openvino_engine, "bf16_gain", lambda core: 0.3)


def gpu_stand_in(patch):
    """A GPU that the driver offers; the network stays on the processor and does what a card would."""
    patch.setattr(nvidia, "gpu_count", lambda: 1)
    patch.setattr(torch.cuda, "is_available", lambda: True)
    patch.setattr(torch.cuda, "get_device_name", lambda: "stand-in")
    patch.setattr(torch.cuda, "empty_cache", lambda: None)


def stay_on_the_processor(self, device):
    self._device = self.device = device


def driver_too_old(patch):
    gpu_stand_in(patch)
    patch.setattr(TorchEngine, "_move_to", refuse("The NVIDIA driver on your system is too old (found version 11040)"))


def gpu_without_kernels_for_it(patch):
    gpu_stand_in(patch)
    patch.setattr(TorchEngine, "_move_to", stay_on_the_processor)
    patch.setattr(TorchEngine, "predict", refuse("CUDA error: no kernel image is available"))


def gpu_out_of_memory_at_once(patch):
    gpu_stand_in(patch)
    patch.setattr(TorchEngine, "_move_to", refuse("CUDA out of memory", torch.cuda.OutOfMemoryError))


BREAKAGES = [
    (openvino_missing, "torch", ["'openvino'"]),
    (openvino_fails_to_compile, "torch", ["'openvino'", "could not create a primitive"]),
    (openvino_breaks_while_running, "torch", ["'openvino'", "inference failed"]),
    (openvino_runs_out_of_memory, "torch", ["'openvino'", "bad allocation"]),
    (driver_too_old, "openvino", ["'torch cuda'", "driver on your system is too old"]),
    (gpu_without_kernels_for_it, "openvino", ["'torch cuda'", "no kernel image"]),
    (gpu_out_of_memory_at_once, "openvino", ["'torch cuda'", "CUDA out of memory"]),
]


@pytest.mark.parametrize(("breakage", "engine", "words"), BREAKAGES, ids=[row[0].__name__ for row in BREAKAGES])
def test_the_next_engine_finishes_the_case_and_the_findings_say_why(weights_dir, small_phantom, monkeypatch, breakage,
                                                                    engine, words):
    breakage(monkeypatch)
    segmentation = Segmenter("auto", weights_dir).apply(small_phantom.ct)
    assert segmentation.engine == engine
    said, = [finding.message for finding in segmentation.findings if finding.code == "engine-fallback"]
    assert all(word in said for word in words)
    assert (segmentation.mask == small_phantom.mask).all()


def test_a_gpu_too_small_for_one_slice_finishes_the_case_on_the_processor(weights_dir, small_phantom, monkeypatch):
    gpu_stand_in(monkeypatch)
    run = TorchEngine._run

    def small_gpu(self, slices):
        if self._device == "cuda":
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        return run(self, slices)

    monkeypatch.setattr(torch_engine.TorchEngine, "_move_to", stay_on_the_processor)
    monkeypatch.setattr(torch_engine.TorchEngine, "_run", small_gpu)
    segmentation = Segmenter("auto", weights_dir).apply(small_phantom.ct)
    assert segmentation.engine == "torch" and segmentation.device == "cpu"
    assert any("done on the processor" in finding.message for finding in segmentation.findings)
    assert (segmentation.mask == small_phantom.mask).all()


def test_with_emulated_bf16_the_case_runs_in_f32_and_the_device_says_why(weights_dir, small_phantom, monkeypatch):
    emulated_bf16(monkeypatch)
    segmentation = Segmenter("cpu", weights_dir).apply(small_phantom.ct)
    assert segmentation.device.startswith("CPU f32") and "no faster" in segmentation.device
    assert (segmentation.mask == small_phantom.mask).all()
