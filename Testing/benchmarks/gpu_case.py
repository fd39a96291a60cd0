"""What a graphics card makes of a case: precision and batch by measurement, the share of its bound, a whole case, and
whether the mask is that of the processor, tiny bleeds too.

    python Testing/benchmarks/gpu_case.py -o gpu.json [--patients 12] [--device cpu]

Needs torch with CUDA and no data: the patients have heads made by code. --device cpu runs the same on the processor, to
see that everything is there; its seconds say nothing of a card. About two minutes on a data-centre card.
"""

import argparse
import contextlib
import json
import statistics
import time
from pathlib import Path

import numpy as np
import torch

from ICHVolumeLib.evaluation.cases import lesions_found
from ICHVolumeLib.imaging.dice import dice
from ICHVolumeLib.network.cost import gflop_per_slice
from ICHVolumeLib.network.memory_layout import channels_last
from ICHVolumeLib.network.registry import network_of
from ICHVolumeLib.network.weights import load_weights
from ICHVolumeLib.segmentation.segmenter import Segmenter
from ICHVolumeLib.synthetic.patients import TEST, make_patients, orders

PRECISIONS = {"float32": None, "float16": torch.float16, "bfloat16": torch.bfloat16}
BATCHES = (1, 2, 4, 8, 16, 32)
ROUNDS, PEAK_SIZE = 12, 8192
SMALL_ML = 1.0


def seconds_of(work, device: str, rounds: int = ROUNDS) -> float:
    """Median of the rounds after two that are not counted, each with all that was queued done."""
    def once() -> float:
        start = time.perf_counter()
        work()
        if device == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - start

    once(), once()
    return statistics.median(once() for _ in range(rounds))


def precision_of(device: str, kind):
    return torch.autocast(device, kind) if kind else contextlib.nullcontext()


def peak_tflops(device: str, kind, size: int) -> float:
    """Of a product of two large matrices, what the card reaches at best in this precision."""
    a, b = (torch.randn(size, size, device=device, dtype=kind or torch.float32) for _ in range(2))
    return 2 * size**3 / seconds_of(lambda: a @ b, device, 5) / 1e12


@torch.inference_mode()
def network_rows(device: str, size: int, batches, rounds: int) -> list[dict]:
    """Milliseconds a slice by precision and batch, with the largest difference of p(blood) to float32."""
    weights = load_weights(None)
    network, config = network_of(weights.config), weights.config
    model = channels_last(network.inference_model(weights)).to(device)
    gflop = gflop_per_slice(config, size, size)
    noise = torch.rand(max(batches), config.in_slices, size, size, generator=torch.Generator().manual_seed(0))
    images = (0.35 + 0.1 * noise).to(device).to(memory_format=torch.channels_last)
    exact = model(images[:1]).float().softmax(1)[:, 1:].sum(1)
    rows = []
    for name, kind in PRECISIONS.items():
        with precision_of(device, kind):
            peak = peak_tflops(device, kind, PEAK_SIZE if device == "cuda" else 512)
            moved = float((model(images[:1]).float().softmax(1)[:, 1:].sum(1) - exact).abs().max())
            for batch in batches:
                seconds = seconds_of(lambda n=batch: model(images[:n]), device, rounds) / batch
                rows.append({"precision": name, "batch": batch, "ms": 1000 * seconds, "peak_tflop_s": peak,
                             "share_of_peak": gflop / 1000 / seconds / peak, "moved": moved})
    return rows


def case_rows(device: str, patients: int, size: int) -> list[dict]:
    """Whole cases on the card and on the processor: seconds by step, Dice of both masks, bleeds that one lost."""
    on_card, on_processor = Segmenter(device, engine="torch"), Segmenter("cpu")
    rows = []
    for patient in make_patients((one for one in orders([], TEST, range(3 * patients)) if one.index % 3 == 2), 0):
        on_card.apply(patient.ct)  # warm, as the second scan of a session is
        card, processor = on_card.apply(patient.ct), on_processor.apply(patient.ct)
        found = [lesions_found(one.mask, patient.truth, patient.ct) for one in (card, processor)]
        small = [(seen, seen_too) for (ml, seen), (_, seen_too) in zip(*found, strict=True) if ml < SMALL_ML]
        rows.append({"patient": patient.name, "slices": len(patient.ct.hu), "device": card.device,
                     "seconds": card.seconds, "case_s": sum(card.seconds.values()),
                     "processor_s": sum(processor.seconds.values()), "processor": processor.device,
                     "dice_of_both": float(dice(card.mask, processor.mask)),
                     "small_bleeds": len(small), "small_bleeds_agree": sum(a == b for a, b in small)})
        print(json.dumps(rows[-1]), flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--patients", type=int, default=12)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    args = parser.parse_args()
    is_dry = args.device == "cpu"
    rows = network_rows(args.device, 128 if is_dry else 320, (1, 2) if is_dry else BATCHES, 1 if is_dry else ROUNDS)
    for row in rows:
        print(json.dumps(row), flush=True)
    card = "the processor: a dry run" if is_dry else torch.cuda.get_device_name()
    cases = case_rows(args.device, args.patients, 512)
    result = {"card": card, "torch": torch.__version__, "network": rows, "cases": cases,
              "case_s_median": statistics.median(one["case_s"] for one in cases),
              "dice_of_both_mean": float(np.mean([one["dice_of_both"] for one in cases]))}
    args.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(f"{card}: {result['case_s_median']:.3f} s a case without reading, Dice with the processor "
          f"{result['dice_of_both_mean']:.4f}")


if __name__ == "__main__":
    main()
