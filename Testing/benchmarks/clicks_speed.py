"""The processor time of each correction tool on a scan of 40 slices of 512 x 512, for three sizes of bleeds.

    python Testing/benchmarks/clicks_speed.py

Processor time of one thread, the fastest of several runs: other work on the machine adds to seconds, hardly to it.
Needs no data: the bleeds are ellipsoids in a head phantom.
"""

import argparse
import os
import sys
import time
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np  # noqa: E402

sys.path[:0] = [str(folder) for folder in Path(__file__).resolve().parents[1:3]]

from phantoms import ellipsoid_ct  # noqa: E402

from ICHVolumeLib.bench.machine import describe_machine  # noqa: E402
from ICHVolumeLib.correction import grow, keep_component, relabel, remove_component, repair_slice  # noqa: E402
from ICHVolumeLib.imaging.itk_threads import use_one_itk_thread  # noqa: E402

SLICES, SIZE_PX, PIXEL_MM, STEP_MM = 40, 512, 0.45, 4.0
HALF_HEIGHT_MM = (SLICES - 1) / 2 * STEP_MM
BLEEDS_MM = {"small": (8.0, 7.0, 8.0), "middle": (22.0, 18.0, 22.0), "large": (36.0, 26.0, 36.0)}
CENTER_MM = (30.0, 0.0, 0.0)


def work(semi_axes_mm):
    """(mL, {tool: function without arguments})."""
    phantom = ellipsoid_ct(pixel_mm=PIXEL_MM, columns=SIZE_PX, rows=SIZE_PX, step_mm=STEP_MM,
                           half_height_mm=HALF_HEIGHT_MM, semi_axes_mm=semi_axes_mm, center_mm=CENTER_MM)
    ct, truth = phantom.ct, phantom.mask
    empty = np.zeros_like(truth)
    click = tuple(int(round(float(np.mean(one)))) for one in np.nonzero(truth))
    gap = truth.copy()
    gap[click[0]] = 0
    ml = np.count_nonzero(truth) * float(ct.voxel_volumes_mm3[0]) / 1000
    return ml, {"Add bleed here": lambda: grow(ct, empty, click),
                "Remove piece": lambda: remove_component(ct, truth, click),
                "Keep only piece": lambda: keep_component(ct, truth, click),
                "This is IVH": lambda: relabel(ct, truth, click, 3 - int(truth[click])),
                "Fill or trim slice": lambda: repair_slice(ct, gap, click)}


def processor_ms(action, rounds: int) -> float:
    spent = []
    for _ in range(rounds):
        start = time.process_time()
        action()
        spent.append(1000 * (time.process_time() - start))
    return min(spent)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    use_one_itk_thread()
    columns = [work(axes) for axes in BLEEDS_MM.values()]
    titles = " | ".join(f"{ml:.0f} mL" for ml, _ in columns)
    lines = [f"{describe_machine(1)['processor']}, one thread, {SLICES} x {SIZE_PX} x {SIZE_PX}, ms of processor time, "
             f"fastest of {rounds}:", "",
             f"| tool | {titles} |", "|---|" + "---|" * len(columns)]
    for tool in columns[0][1]:
        lines.append(f"| {tool} | " + " | ".join(f"{processor_ms(tools[tool], rounds):.0f}"
                                                 for _, tools in columns) + " |")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
