"""What runs the network: OpenVINO or torch on the processor, torch on an NVIDIA GPU. See choose_engine."""

import logging
from collections.abc import Callable
from importlib.util import find_spec
from typing import Protocol

import numpy as np

from ..core.errors import ICHVolumeError, InputError
from ..core.findings import INFO, Finding
from ..network.base import PackageMissing
from ..network.weights import Weights
from . import nvidia

log = logging.getLogger(__name__)

FAILURES = (ImportError, RuntimeError, OSError, ValueError, MemoryError)  # what an engine may raise when it cannot run


class EngineError(ICHVolumeError):
    """No engine can run the network here."""


class PackagesMissing(EngineError):
    """Neither OpenVINO nor torch is installed."""


class Engine(Protocol):
    name: str  # "openvino" or "torch"
    label: str  # as choose_engine's skip wants it: "openvino", "torch cpu", "torch cuda"
    device: str  # for people: "CPU bf16", "NVIDIA RTX A2000"
    batch_size: int  # slices per predict call that suit it
    findings: list[Finding]  # what happened while running (out of memory, ...)

    def prepare(self, rows: int, columns: int) -> None:
        """Get ready for slices of this size; called again for a scan of another size."""

    def predict(self, slices: np.ndarray) -> np.ndarray:
        """(n, in_slices, rows, columns) float32 in 0..1 -> (n, classes - 1, rows, columns) float32: p(ICH), p(IVH)."""


def choose_engine(device: str, engine: str, weights: Weights, rows: int = 512, columns: int = 512,
                  skip: tuple[str, ...] = (), threads: int | None = None) -> tuple[Engine, list[Finding]]:
    """The first engine that gets ready, and a finding for each that was wanted and did not, saying why.

    device: "auto", "cpu" or "cuda"; engine: "auto", "openvino" or "torch". The order of "auto" is torch on an NVIDIA
    GPU, OpenVINO, torch on the CPU; an engine asked for by name comes first and the others stand by, so that the case
    is finished. skip: labels of engines that already failed ("torch cuda", "openvino", "torch cpu").
    threads: how many of the processor's cores an engine may use; None: all.
    Raises InputError for an unknown device or engine, PackagesMissing or EngineError when nothing runs.
    """
    findings = []
    candidates = _candidates(device, engine, findings)
    failures = []
    for label, make in candidates:
        if label in skip:
            continue
        try:
            chosen = make(weights, threads)
            chosen.prepare(rows, columns)
            return chosen, findings
        except FAILURES as error:
            log.warning("%s cannot run: %s", label, error)
            failures.append(error)
            findings.append(fallback_finding(label, error))
    if failures and all(isinstance(error, ImportError) and not isinstance(error, PackageMissing) for error in failures):
        raise PackagesMissing("The network needs the package openvino (or torch), and neither is installed in this "
                              "Python; install openvino and try again.") from failures[-1]
    raise EngineError("No engine can run the network here: " + " ".join(finding.message for finding in findings))


def fallback_finding(label: str, error: BaseException) -> Finding:
    reason = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
    return Finding("engine-fallback", INFO, f"The engine '{label}' could not be used ({reason}); the next one was "
                                            "taken; the mask is made by the same network.")


def _candidates(device: str, engine: str, findings: list[Finding]) \
        -> list[tuple[str, Callable[[Weights, int | None], Engine]]]:
    if device not in ("auto", "cpu", "cuda"):
        raise InputError(f"device {device!r} is unknown; choose auto, cpu or cuda.")
    if engine not in ("auto", "openvino", "torch"):
        raise InputError(f"engine {engine!r} is unknown; choose auto, openvino or torch.")
    on_processor = [("openvino", _openvino), ("torch cpu", _torch_cpu)]
    if engine == "torch":
        on_processor.reverse()
    if device == "cpu" or engine == "openvino":
        return on_processor
    if device == "cuda":
        return [("torch cuda", _torch_cuda), *on_processor]
    if not nvidia.gpu_count():
        return on_processor
    if find_spec("torch") is None:
        findings.append(Finding("gpu-unused", INFO, "This PC has an NVIDIA GPU, but torch is not installed, so the "
                                                    "processor was used; install torch with CUDA to use the GPU."))
        return on_processor
    return [("torch cuda", _torch_cuda), *on_processor]


def _openvino(weights: Weights, threads: int | None) -> Engine:
    from .openvino_engine import OpenVinoEngine

    # OpenVINO ties its threads to the first cores: of several programs that share a machine, all to the same ones
    few = {"INFERENCE_NUM_THREADS": threads, "ENABLE_CPU_PINNING": False} if threads else None
    return OpenVinoEngine(weights, options=few)


def _torch_cpu(weights: Weights, threads: int | None) -> Engine:
    from .torch_engine import TorchEngine, set_threads

    set_threads(threads)
    return TorchEngine(weights, "cpu")


def _torch_cuda(weights: Weights, threads: int | None) -> Engine:
    from .torch_engine import TorchEngine, set_threads

    set_threads(threads)
    return TorchEngine(weights, "cuda")
