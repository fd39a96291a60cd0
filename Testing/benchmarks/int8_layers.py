"""Which layers may round to 8 bits: slices of synthetic test patients in f32 and with these layers exact or rounded.

    python Testing/benchmarks/int8_layers.py DATA --heads runs/heads.npz

DATA holds the bleed-free heads (see the model card). The first, middle and last slices of every patient's blood and the
one below it are run by turns in f32 and in int8. Kind by kind the layers of ADDED join those that stay exact; the last
line is what calibration/int8_ranges.py does. A line: Dice of the two masks, all slices together, and the lowest of
slices with 400 pixels and more; area; time.
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from ICHVolumeLib.engines.openvino_engine import OpenVinoEngine
from ICHVolumeLib.engines.openvino_graph import build_range_graph
from ICHVolumeLib.engines.quiet_openvino import ov
from ICHVolumeLib.imaging.dice import dice
from ICHVolumeLib.network.weights import load_weights
from ICHVolumeLib.segmentation.scan import NetworkSlices, TurnedScan
from ICHVolumeLib.synthetic.background_pool import load_pool
from ICHVolumeLib.synthetic.patients import CALIBRATION, TEST, synthetic_patients

ADDED = ("head", "stem.", "downs.0.", "downs.3.", "ups.3.block.1", ".gate.", ".shrink", "ups.3.")
LARGE_PX = 400


def chosen_slices(patient, weights) -> np.ndarray:
    scan = TurnedScan(patient.ct)
    bleeding = np.flatnonzero(scan.orientation.view(patient.truth).any(axis=(1, 2)))
    middle = len(bleeding) // 2
    wanted = np.unique([*bleeding[:2], *bleeding[middle:middle + 2], *bleeding[-2:], max(bleeding[0] - 1, 0)])
    return NetworkSlices(scan, weights).of(wanted)


def all_ranges(weights, patients) -> dict[str, float]:
    largest = {}
    for patient in patients:
        slices = chosen_slices(patient, weights)
        graph, layers = build_range_graph(weights, *slices.shape[2:])
        request = ov.Core().compile_model(graph, "CPU").create_infer_request()
        for one in slices:
            for layer, value in zip(layers, request.infer([one[None]]).values(), strict=True):
                largest[layer] = max(largest.get(layer, 0.0), float(value.max()))
    return largest


def compare(cases, exact, rounded, threshold) -> str:
    seconds, masks = [0.0, 0.0], []
    for slices in cases:
        for one in slices:
            both = []
            for number, engine in enumerate((exact, rounded)):
                start = time.perf_counter()
                both.append(engine.predict(one[None])[0].sum(axis=0) >= threshold)
                seconds[number] += time.perf_counter() - start
            masks.append(both)
    area = [sum(int(pair[number].sum()) for pair in masks) for number in (0, 1)]
    shared = sum(int((one & other).sum()) for one, other in masks)
    lowest = min(float(dice(one, other)) for one, other in masks if one.sum() >= LARGE_PX)
    each = [1000 * total / len(masks) for total in seconds]
    return (f"Dice {2 * shared / sum(area):.4f}, lowest {lowest:.3f}, area {area[1] / area[0] - 1:+.2%}, "
            f"{each[1]:.0f} ms against {each[0]:.0f} ms: {each[0] / each[1]:.2f} times as fast")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--patients", type=int, default=11)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--heads", type=Path, required=True, help="heads.npz, made where it lacks")
    args = parser.parse_args()
    weights, pool = load_weights(args.weights), load_pool(args.data, args.heads)
    ranges = all_ranges(weights, synthetic_patients(pool, CALIBRATION, 10))
    cases = [chosen_slices(one, weights) for one in synthetic_patients(pool, TEST, args.patients)]
    options = {"INFERENCE_NUM_THREADS": args.threads}
    for count in range(1, len(ADDED) + 1):
        kept = {layer: value for layer, value in ranges.items()
                if not any(part in f".{layer}." for part in ADDED[:count])}
        one = replace(weights, manifest={**weights.manifest, "int8_ranges": kept})
        engines = OpenVinoEngine(one, "f32", options), OpenVinoEngine(one, "int8", options)
        print(f"exact, too: {ADDED[count - 1]:14} {compare(cases, *engines, weights.threshold)}", flush=True)


if __name__ == "__main__":
    main()
