"""The torch engine: NVIDIA GPUs in half precision and batches, and the processor in fp32 where OpenVINO is missing."""

import contextlib

import numpy as np
import torch

from ..core.findings import INFO, Finding
from ..network.memory_layout import channels_last
from ..network.registry import network_of
from ..network.weights import Weights

BATCH_SIZE = 8


def set_threads(threads: int | None) -> None:
    """Cores that torch may use in this process, from here on; None changes nothing."""
    if threads:
        torch.set_num_threads(threads)


class TorchEngine:
    """See engines.Engine. device: "cpu" or "cuda"; raises RuntimeError when torch finds no usable GPU."""

    name = "torch"

    def __init__(self, weights: Weights, device: str = "cpu", batch_size: int | None = None):
        if device == "cuda" and not torch.cuda.is_available():
            raise RuntimeError("torch finds no usable NVIDIA GPU: none is there, its driver is too old, "
                               "or torch was installed without CUDA")
        self.label = f"torch {device}"
        self.findings: list[Finding] = []
        self._network = network_of(weights.config)
        self.batch_size = (batch_size or self._network.slices_at_once(weights.config)
                           or (BATCH_SIZE if device == "cuda" else 1))
        self._model = channels_last(self._network.inference_model(weights))
        self._wanted_device = device
        self._move_to(device)

    def prepare(self, rows: int, columns: int) -> None:
        """torch takes any size; a GPU left for lack of memory during the last scan is tried again."""
        if self._device != self._wanted_device:
            try:
                self._move_to(self._wanted_device)
            except torch.cuda.OutOfMemoryError:
                self._say("the scan was done on the processor")
                self._move_to("cpu")

    @torch.inference_mode()
    def predict(self, slices: np.ndarray) -> np.ndarray:
        done = []
        while len(done) < len(slices):
            try:
                done.extend(self._run(slices[len(done):len(done) + self.batch_size]))
            except torch.cuda.OutOfMemoryError:
                self._need_less_memory()
        return np.stack(done)

    def _run(self, slices: np.ndarray) -> np.ndarray:
        x = torch.from_numpy(np.ascontiguousarray(slices))
        precision = contextlib.nullcontext()
        if self._device == "cuda":
            x = x.pin_memory()
            precision = torch.autocast("cuda", torch.float16)  # bf16 moves the edges of tiny bleeds
        x = x.to(self._device, non_blocking=True).to(memory_format=torch.channels_last)
        with precision:
            logits = self._network.logits(self._model, x)
        return logits.float().softmax(dim=1)[:, 1:].contiguous().cpu().numpy()

    def _need_less_memory(self) -> None:
        """Half the batch; with a single slice already, leave the GPU. Raises MemoryError on the processor."""
        if self._device == "cuda":
            torch.cuda.empty_cache()
        if self.batch_size > 1:
            self.batch_size //= 2
            self._say(f"the network now takes {self.batch_size} slices at a time")
        elif self._device == "cuda":
            self._say("the rest of the scan was done on the processor")
            self._move_to("cpu")
        else:
            raise MemoryError("not enough memory for one slice; close other programs and try again")

    def _move_to(self, device: str) -> None:
        self._device = device
        self._model.to(device)
        if device == "cuda":
            self.device = f"{torch.cuda.get_device_name()} float16"
        else:
            self.device = "CPU f32"

    def _say(self, consequence: str) -> None:
        self.findings.append(Finding("out-of-memory", INFO,
                                     f"The GPU's memory was not enough; {consequence}; the mask is made by the "
                                     "same network."))
