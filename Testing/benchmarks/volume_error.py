"""Where the volume is lost: error of the calibration patients by size and contrast, before the clean-up.

    python Testing/benchmarks/volume_error.py FOLDER --threshold 0.46

FOLDER: the calibration folder that `ichvolume release` leaves beside its run or weights.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from ICHVolumeLib.calibration.probability_cache import load_probabilities  # noqa: E402
from ICHVolumeLib.postprocessing.local_contrast import BRAIN_HU  # noqa: E402

SIZES_ML = (0, 1, 10, 30, np.inf)
CONTRASTS_HU = (-np.inf, 8, 14, 20, 30, np.inf)


def row(path: Path, threshold: float) -> tuple[float, float, float] | None:
    """(true mL, HU of the blood above the brain in its slices, marked - true mL); None where no blood was kept."""
    kept = load_probabilities(path)
    blood = kept.truth > 0
    if not blood.any():
        return None
    mm3 = kept.voxel_volumes_mm3[kept.box[0]]
    true_ml, marked_ml = (float(np.count_nonzero(one, axis=(1, 2)) @ mm3) / 1000
                          for one in (blood, kept.probability >= np.float16(threshold)))
    seen = blood.any(axis=(1, 2))
    hu = kept.hu[seen]
    brain = hu[(hu > BRAIN_HU[0]) & (hu < BRAIN_HU[1]) & ~blood[seen]]
    return true_ml, float(np.median(kept.hu[blood]) - np.median(brain)), marked_ml - true_ml


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--threshold", type=float, default=0.46)
    args = parser.parse_args()
    rows = [row(path, args.threshold) for path in sorted((args.folder / "chances").glob("*.npz"))]
    true_ml, contrast_hu, error_ml = np.array([one for one in rows if one]).T
    total = np.abs(error_ml).sum()
    for low, high in zip(SIZES_ML, SIZES_ML[1:], strict=False):
        for dim, bright in zip(CONTRASTS_HU, CONTRASTS_HU[1:], strict=False):
            part = (true_ml >= low) & (true_ml < high) & (contrast_hu >= dim) & (contrast_hu < bright)
            if part.any():
                share = np.abs(error_ml[part]).sum() / total
                sys.stdout.write(f"{low:g} to {high:g} mL, {dim:g} to {bright:g} HU: {part.sum()} patients, "
                                 f"{100 * share:.1f} % of all error, {error_ml[part].sum():+.0f} mL\n")


if __name__ == "__main__":
    main()
