"""The engines that are compared, all from the same weights.

"torch-eager" is the baseline: the network as one would train and run it, batch norms unfolded, fp32, NCHW.
"""

from collections.abc import Callable

from ..engines import FAILURES
from ..network.registry import network_of
from ..network.weights import Weights

BASELINE = "torch-eager"
WORDS = {
    "openvino": "OpenVINO as a case runs it", "openvino-bf16": "OpenVINO bf16", "openvino-f32": "OpenVINO f32",
    "openvino-int8": "OpenVINO int8 alone",
    BASELINE: "torch fp32, eager (baseline)", "torch-folded": "torch fp32, folded, channels last",
    "torch-bf16": "torch bf16, folded, channels last", "cuda": "torch CUDA, batch 1"}
NAMES = tuple(WORDS)


def make_runners(weights: Weights, names: tuple[str, ...], threads: int, rows: int, columns: int) \
        -> tuple[dict[str, Callable], dict[str, str]]:
    """(name -> function, name -> why it is left out). A function takes (1, in_slices, rows, columns) float32 and
    returns p(ICH), p(IVH) as (1, 2, rows, columns)."""
    runners, left_out = {}, {}
    for name in names:
        try:
            runners[name] = _make(name, weights, threads, rows, columns)
        except FAILURES as error:
            left_out[name] = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return runners, left_out


def _make(name: str, weights: Weights, threads: int, rows: int, columns: int) -> Callable:
    if name.startswith("openvino"):
        return _openvino(weights, name.removeprefix("openvino").removeprefix("-") or None, threads, rows, columns)
    import torch

    torch.set_num_threads(threads)
    if name in ("torch-folded", "cuda"):
        from ..engines.torch_engine import TorchEngine

        return TorchEngine(weights, "cuda" if name == "cuda" else "cpu").predict
    if name == BASELINE:
        return _torch(network_of(weights.config).training_model(weights))
    return _torch_bf16(weights)


def _openvino(weights, precision, threads, rows, columns):
    from ..engines.int8 import int8_runs_here
    from ..engines.openvino_engine import OpenVinoEngine
    from ..engines.quiet_openvino import ov

    if precision == "bf16" and "BF16" not in ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        raise RuntimeError("this processor has no bf16")
    if precision == "int8" and not (weights.int8_ranges and int8_runs_here(ov.Core())):
        raise RuntimeError("no int8 on this processor, or no ranges for it in these weights")
    engine = OpenVinoEngine(weights, precision, {"INFERENCE_NUM_THREADS": threads})
    engine.prepare(rows, columns)
    return engine.predict


def _torch(model, dtype=None):
    import torch

    @torch.inference_mode()
    def run(slices):
        x = torch.from_numpy(slices)
        if dtype is not None:
            x = x.to(dtype).to(memory_format=torch.channels_last)
        return model(x).float().softmax(dim=1)[:, 1:].contiguous().numpy()

    return run


def _torch_bf16(weights):
    import torch

    model = network_of(weights.config).inference_model(weights)
    return _torch(model.to(torch.bfloat16).to(memory_format=torch.channels_last), torch.bfloat16)
