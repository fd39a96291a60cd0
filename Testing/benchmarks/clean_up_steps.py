"""What each step of the clean-up brings: the masks of calibration patients with every step but one, and with none.

    python Testing/benchmarks/clean_up_steps.py RUN/calibration --weights WEIGHTS [--real DATA] [--patients 100]

RUN/calibration is what `ichvolume release` keeps of its patients; WEIGHTS are those that it wrote. --real: the same of
the real stacks with masks below DATA that are not trained on (see the model card), Dice then by slice with blood. The
table says how much each figure falls when the step is left out; where nothing falls, the step brings nothing.
"""

import argparse
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from ICHVolumeLib.calibration.probability_cache import load_probabilities, probabilities_of
from ICHVolumeLib.datasets.case import OUTSIDE_BRAIN, UNSURE, VALIDATE
from ICHVolumeLib.datasets.ct_ich import STEP_MM
from ICHVolumeLib.datasets.ct_ich_bleeds import load_bleeds
from ICHVolumeLib.imaging.dice import dice
from ICHVolumeLib.postprocessing.steps import LOOKED_AT
from ICHVolumeLib.segmentation.segmenter import Segmenter
from ICHVolumeLib.synthetic.patients import as_ct

STEPS = ("outside the skull", "specks", *LOOKED_AT)
VARIANTS = {"all steps": (), **{f"without {name}": (name,) for name in STEPS}, "no step": STEPS}


def scores(mask: np.ndarray, truth: np.ndarray, slices: bool) -> list[tuple]:
    """(Dice of any blood, of ICH, of IVH), None where the truth has none; of the case or of each slice with blood."""
    truth, mask = np.where(truth == OUTSIDE_BRAIN, 0, truth), np.where(truth == UNSURE, 0, mask)
    truth = np.where(truth == UNSURE, 0, truth)
    if not truth.any():  # all of the blood lies where the network saw nothing: no step matters
        return []
    parts = [(mask[k], truth[k]) for k in np.flatnonzero(truth.any((1, 2)))] if slices else [(mask, truth)]
    return [(dice(m > 0, t > 0), *(dice(m == label, t == label) if (t == label).any() else None for label in (1, 2)))
            for m, t in parts]


def of_cases(cases, weights, slices: bool) -> dict[str, dict]:
    """Variant -> figures."""
    limits, pieces = weights.manifest["clean_up_mm3"], weights.manifest["calibration"].get("pieces")
    found = {name: {"scores": [], "ml": [], "true_ml": []} for name in VARIANTS}
    for kept, true_ml in cases:
        for name, leave_out in VARIANTS.items():
            mask = kept.mask(weights.threshold, limits, pieces, leave_out)
            found[name]["scores"] += scores(mask, kept.truth, slices)
            mm3 = kept.voxel_volumes_mm3[kept.box[0]]
            found[name]["ml"].append(float(np.count_nonzero(mask, axis=(1, 2)) @ mm3) / 1000)
            found[name]["true_ml"].append(true_ml)
    return found


def figures(one: dict, with_volume: bool) -> list[float]:
    columns = [np.array([row[n] for row in one["scores"] if row[n] is not None], float) for n in range(3)]
    values = [float(column.mean()) for column in columns]
    if with_volume:
        ml, true_ml = np.array(one["ml"]), np.array(one["true_ml"])
        values += [100 * float(np.abs(ml - true_ml).sum() / true_ml.sum()), 100 * float(ml.sum() / true_ml.sum() - 1)]
    return values


def table(found: dict[str, dict], with_volume: bool) -> str:
    heads = ["", "Dice", "ICH", "IVH", *(["error of the volume", "bias"] if with_volume else [])]
    lines = ["| " + " | ".join(heads) + " |", "|---|" + "---:|" * (len(heads) - 1)]
    for name, one in found.items():
        values = figures(one, with_volume)
        cells = [f"{value:.4f}" for value in values[:3]] + [f"{value:+.1f} %" for value in values[3:]]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("calibration", type=Path)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--real", type=Path)
    parser.add_argument("--patients", type=int, default=100)
    args = parser.parse_args()
    segmenter = Segmenter("cpu", args.weights)
    files = sorted((args.calibration / "probabilities").glob("*.npz"))[:args.patients]
    kept = (load_probabilities(file) for file in files)
    cases = ((one, float(np.count_nonzero(one.truth, axis=(1, 2)) @ one.voxel_volumes_mm3[one.box[0]]) / 1000)
             for one in kept)
    print(f"{len(files)} synthetic calibration patients\n\n{table(of_cases(cases, segmenter.weights, False), True)}\n",
          flush=True)
    if args.real:
        stacks = load_bleeds(args.real, VALIDATE)
        made = (probabilities_of(segmenter, SimpleNamespace(ct=as_ct(one.hu, STEP_MM, one.spacing_mm), truth=one.truth))
                for one in stacks)
        found = of_cases(((one, 0.0) for one in made), segmenter.weights, True)
        print(f"Real slices with blood\n\n{table(found, False)}")


if __name__ == "__main__":
    main()
