"""How long re-measuring takes after an edit: medians, printed.

Run: python Testing/benchmarks/bench_measure.py [repeats]
Targets: 50 ms for 40 slices and 150 ms for 300 slices of 512 x 512, on an office processor.
"""

import os
import platform
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from ICHVolumeLib.bench.whole_case import median_ms  # noqa: E402
from ICHVolumeLib.core.ct_volume import CTVolume  # noqa: E402
from ICHVolumeLib.measure import abc2, measure_mask  # noqa: E402
from ICHVolumeLib.measure.surface import hematoma_surface  # noqa: E402

PIXEL_MM = 0.45


def head(slices, step_mm, bleeds, specks=0):
    """A scan of 512 x 512 with ellipsoids (centre mm, semi-axes mm, label) and single-voxel specks."""
    rng = np.random.default_rng(0)
    mask = np.zeros((slices, 512, 512), np.uint8)
    k, j, i = np.ogrid[:slices, :512, :512]
    for (x, y, z), (a, b, c), label in bleeds:
        body = (((i - 255.5) * PIXEL_MM - x) / a) ** 2 + (((j - 255.5) * PIXEL_MM - y) / b) ** 2
        mask[body + (((k - (slices - 1) / 2) * step_mm - z) / c) ** 2 <= 1] = label
    mask[tuple(rng.integers(0, size, specks) for size in mask.shape)] = 1
    hu = rng.integers(-20, 90, mask.shape, np.int16)
    return CTVolume.regular(hu, np.diag([PIXEL_MM, PIXEL_MM, step_mm, 1.0])), mask


def measure_anew(ct, mask):
    """As if every piece had been edited: remembered lines are forgotten."""
    abc2.forget_lines()
    return measure_mask(ct, mask)


def main():
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    sys.stdout.write(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores{load}; "
                     f"median of {repeats}\n")
    one = [((25, 10, 0), (30, 20, 20), 1)]
    large = [((25, 10, 0), (40, 30, 30), 1), ((-10, -5, 5), (35, 12, 15), 2), ((-45, 30, -30), (12, 8, 9), 1)]
    for name, slices, step_mm, bleeds, specks in [
            ("40 slices, 50 mL", 40, 4.0, one, 0), ("40 slices, 180 mL with IVH", 40, 4.0, large, 0),
            ("40 slices, 180 mL and 500 specks", 40, 4.0, large, 500),
            ("300 slices, 50 mL", 300, 0.5, one, 0), ("300 slices, 180 mL with IVH", 300, 0.5, large, 0),
            ("300 slices, 180 mL and 500 specks", 300, 0.5, large, 500)]:
        ct, mask = head(slices, step_mm, bleeds, specks)
        measuring = median_ms(lambda ct=ct, mask=mask: measure_anew(ct, mask), repeats)
        surface = median_ms(lambda ct=ct, mask=mask: hematoma_surface(mask, ct), max(3, repeats // 5))
        sys.stdout.write(f"{name:36} measure {measuring:7.1f} ms   surface {surface:7.0f} ms\n")


if __name__ == "__main__":
    main()
