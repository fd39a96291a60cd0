"""What coarse pass and int8 save and what they lose, on synthetic test patients: the mask against that of the full run,
which looks at the whole head in f32.

    python Testing/benchmarks/shortcuts.py DATA --patients 40 -o runs/shortcuts.jsonl

DATA holds the bleed-free heads (see the model card). One line a patient; a second call goes on. A bleed is lost when
the full run marks a tenth of it and the short one does not. --keep: what the full run keeps of the two.
"""

import argparse
import json
import shutil
import statistics
import tempfile
from pathlib import Path

from ICHVolumeLib.evaluation.cases import lesions_found
from ICHVolumeLib.imaging.dice import dice
from ICHVolumeLib.network.weights import MANIFEST_FILE, weights_folder
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
            "coarse_seconds": quick.seconds["coarse"], "fine_seconds": quick.seconds["network"], "device": quick.device,
            "full_device": whole.device}


def without_int8(weights: Path | None, folder: Path) -> Path:
    """A copy of the weights whose layers have no ranges, so that they run in f32 (or bf16, where that is faster)."""
    shutil.copytree(weights_folder(weights), folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    for manifest in folder.rglob(MANIFEST_FILE):
        fields = {**json.loads(manifest.read_text(encoding="utf-8")), "int8_ranges": {}}
        manifest.write_text(json.dumps(fields), encoding="utf-8")
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--patients", type=int, default=40)
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--keep", choices=("none", "coarse", "int8"), default="none")
    parser.add_argument("--threads", type=int, help="cores for the network, default all")
    parser.add_argument("--heads", type=Path, help="heads.npz of an earlier command, else beside OUT")
    args = parser.parse_args()
    rows = [json.loads(line) for line in args.out.read_text("utf-8").splitlines()] if args.out.is_file() else []
    args.out.parent.mkdir(parents=True, exist_ok=True)
    pool = load_pool(args.data, args.heads or args.out.parent / "heads.npz")
    short = Segmenter("cpu", args.weights, threads=args.threads)
    with tempfile.TemporaryDirectory() as room:
        exact = args.weights if args.keep == "int8" else without_int8(args.weights, Path(room) / "weights")
        full = Segmenter("cpu", exact, coarse=args.keep == "coarse", threads=args.threads)
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
