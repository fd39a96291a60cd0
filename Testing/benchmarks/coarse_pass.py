"""What the coarse pass saves and what it loses, on synthetic test patients: the mask against that of the full run.

    python Testing/benchmarks/coarse_pass.py DATA --patients 40 -o runs/coarse_pass.jsonl

DATA holds the bleed-free heads (see the model card). One line a patient; a second call goes on. A bleed is lost when
the full run marks a tenth of it and the run with the coarse pass does not.
"""

import argparse
import json
import statistics
from pathlib import Path

from ICHVolumeLib.evaluation.cases import lesions_found
from ICHVolumeLib.imaging.dice import dice
from ICHVolumeLib.segmentation.segmenter import Segmenter
from ICHVolumeLib.synthetic.background_pool import load_pool
from ICHVolumeLib.synthetic.patients import TEST, synthetic_patients

WORK = ("prepare", "coarse", "network", "clean")


def row(patient, short: Segmenter, full: Segmenter) -> dict:
    quick, whole = short.apply(patient.ct), full.apply(patient.ct)
    found = [lesions_found(one.mask, patient.truth, patient.ct) for one in (quick, whole)]
    lost = [ml for (ml, seen), (_, seen_full) in zip(*found, strict=True) if seen_full and not seen]
    ml, full_ml = (float((one.mask > 0).sum((1, 2)) @ patient.ct.voxel_volumes_mm3) / 1000 for one in (quick, whole))
    seconds, full_seconds = (sum(one.seconds[name] for name in WORK) for one in (quick, whole))
    return {"patient": patient.name, "slices": len(patient.ct.hu), "lost_ml": lost,
            "dice_of_both": float(dice(quick.mask, whole.mask)), "dice": float(dice(quick.mask, patient.truth)),
            "full_dice": float(dice(whole.mask, patient.truth)),
            "ml": ml, "full_ml": full_ml, "seconds": seconds, "full_seconds": full_seconds,
            "coarse_seconds": quick.seconds["coarse"], "fine_seconds": quick.seconds["network"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--patients", type=int, default=40)
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--heads", type=Path, help="heads.npz of an earlier command, else beside OUT")
    args = parser.parse_args()
    rows = [json.loads(line) for line in args.out.read_text("utf-8").splitlines()] if args.out.is_file() else []
    args.out.parent.mkdir(parents=True, exist_ok=True)
    pool = load_pool(args.data, args.heads or args.out.parent / "heads.npz")
    short, full = Segmenter("cpu", args.weights), Segmenter("cpu", args.weights, coarse=False)
    for patient in synthetic_patients(pool, TEST, args.patients, known=[one["patient"] for one in rows]):
        rows.append(row(patient, short, full))
        with args.out.open("a", encoding="utf-8") as file:
            file.write(json.dumps(rows[-1]) + "\n")
        tell(rows[-1])
    summary(rows)


def tell(one: dict) -> None:
    print(f"{one['patient']:34} Dice of both {one['dice_of_both']:.4f}  {one['ml']:6.1f} / {one['full_ml']:6.1f} mL  "
          f"{one['full_seconds'] / one['seconds']:5.2f} times  lost {one['lost_ml']}", flush=True)


def summary(rows: list[dict]) -> None:
    both = [one["dice_of_both"] for one in rows]
    print(f"{len(rows)} patients: Dice of the two masks mean {statistics.fmean(both):.4f}, lowest {min(both):.4f}; "
          f"against the truth {statistics.fmean(one['dice'] for one in rows):.4f}, full "
          f"{statistics.fmean(one['full_dice'] for one in rows):.4f}; bleeds lost over 0.1 mL "
          f"{sum(ml > 0.1 for one in rows for ml in one['lost_ml'])}; median "
          f"{statistics.median(one['full_seconds'] / one['seconds'] for one in rows):.2f} times as fast")


if __name__ == "__main__":
    main()
