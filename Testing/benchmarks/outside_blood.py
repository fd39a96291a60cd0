"""How well blood outside the brain is seen: on made patients with and without it, and on real slices.

    python Testing/benchmarks/outside_blood.py DATA -o runs/outside --weights WEIGHTS [--patients 60] [--coarse-only]

DATA holds the bleed-free heads and the real slices (see the model card). Every second made patient has blood outside
the brain put in (synthetic/outside_blood.py); the heads are those of the test patients. Real: slices of patients of
whom no training was told the outlines. --coarse-only leaves the fine network out, whose marks are then not taken away:
a tenth of the time. OUT/rows.jsonl gets a line a made patient and a real slice; those that are there are not repeated.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from ICHVolumeLib.datasets.case import OUTSIDE_BRAIN, UNSURE, VALIDATE  # noqa: E402
from ICHVolumeLib.datasets.ct_ich import STEP_MM  # noqa: E402
from ICHVolumeLib.datasets.ct_ich_bleeds import OUTSIDE_ONLY, load_bleeds, load_without_bleed  # noqa: E402
from ICHVolumeLib.evaluation.cases import append_row, read_rows  # noqa: E402
from ICHVolumeLib.imaging.dice import dice  # noqa: E402
from ICHVolumeLib.network.weights import coarse_folder, load_weights  # noqa: E402
from ICHVolumeLib.segmentation.coarse_pass import look  # noqa: E402
from ICHVolumeLib.segmentation.coarse_view import CoarseView  # noqa: E402
from ICHVolumeLib.segmentation.network_runner import NetworkRunner  # noqa: E402
from ICHVolumeLib.segmentation.scan import NetworkSlices, TurnedScan  # noqa: E402
from ICHVolumeLib.segmentation.segmenter import Segmenter  # noqa: E402
from ICHVolumeLib.synthetic import outside_blood  # noqa: E402
from ICHVolumeLib.synthetic.background_pool import is_validation, load_pool, procedural  # noqa: E402
from ICHVolumeLib.synthetic.generator import make_block  # noqa: E402
from ICHVolumeLib.synthetic.outside_blood import KINDS  # noqa: E402
from ICHVolumeLib.synthetic.patients import PIXEL_MM, SIZE, TEST, as_ct, orders  # noqa: E402

SEED = 6_000_000
LARGE_ML, ALARM_MM2, HIT = 5.0, 20.0, 0.1


def coarse_seer(folder: Path):
    """ct -> mask of blood outside the brain by the coarse network alone; None where it does not look."""
    runner = NetworkRunner(load_weights(coarse_folder(folder)), "cpu", "auto")

    def see(ct):
        scan = TurnedScan(ct)
        if not scan.head.skull_found:
            return None
        slices = NetworkSlices(scan, runner.weights)
        view = CoarseView(scan, runner.weights)
        look(scan, slices, runner, view, lambda _done: None)
        return view.beside(ct, np.zeros(ct.hu.shape, np.uint8), scan.head.has_brain).outside  # their lowest slice first

    return see


def made_rows(see, pool, count: int, known: set[str]):
    """A row a patient: mL there and seen, Dice, share of what is there that is seen."""
    for order in orders(pool, TEST, range(count)):
        name = f"outside-{order.name}"
        if name in known:
            continue
        kind = KINDS[order.index // 2 % len(KINDS)] if order.index % 2 else ""
        outside_blood.HOW_OFTEN = tuple(float(one == kind) for one in KINDS)
        background = order.background or procedural(order.seed)
        block = make_block(np.random.default_rng([SEED, order.index]), background, size=SIZE, pixel_mm=PIXEL_MM,
                           slices=None, bleed=order.index % 4 < 2, outside_brain=bool(kind))
        ct = as_ct(np.clip(np.round(block.hu), -1024, 3071).astype(np.int16), block.step_mm)
        seen, true = see(ct) > 0, block.outside
        ml = PIXEL_MM**2 * block.step_mm / 1000
        yield {"patient": name, "kind": "made", "put_in": kind, "true_ml": true.sum() * ml, "ml": seen.sum() * ml,
               "dice": dice(seen, true) if true.any() else None,
               "found": (seen & true).sum() / true.sum() if true.any() else None}


def real_rows(see, data: Path, known: set[str]):
    """A row a slice."""
    for stack in [*load_bleeds(data, VALIDATE, OUTSIDE_ONLY), *load_without_bleed(data, is_validation)]:
        if f"{stack.patient} {stack.split} {stack.numbers[0]}" in known:
            continue
        seen = see(as_ct(stack.hu, STEP_MM, stack.spacing_mm))
        seen = np.zeros(stack.hu.shape, bool) if seen is None else seen > 0
        for k, kind in enumerate(stack.kinds):
            true = stack.truth[k] == OUTSIDE_BRAIN
            marked = seen[k] & (stack.truth[k] != UNSURE)
            outlined = bool(true.any())
            yield {"patient": f"{stack.patient} {stack.split} {stack.numbers[k]}",
                   "kind": "outlined" if outlined and kind == "extra_axial" else kind,
                   "mm2": float(marked.sum() * stack.spacing_mm**2),
                   "true_mm2": float(true.sum() * stack.spacing_mm**2) if outlined else None,
                   "dice": dice(marked, true) if outlined else None}


def summary(rows: list[dict]) -> dict:
    made = [row for row in rows if row["kind"] == "made"]
    none = [row for row in made if row["true_ml"] == 0]
    figures = {
        **{f"made, {kind} of 5 mL and more": of_kind([row for row in made if row["put_in"] == kind
                                                     and row["true_ml"] >= LARGE_ML]) for kind in KINDS},
        "made, none": {"patients": len(none), "told": sum(row["ml"] > 0 for row in none),
                       "largest mL": round(max((row["ml"] for row in none), default=0), 1)}}
    for kind in ("outlined", "extra_axial", "normal", "no_blood", "bleeds"):
        slices = [row for row in rows if row["kind"] == kind]
        figures[kind] = {"slices": len(slices), "marked": sum(row["mm2"] > ALARM_MM2 for row in slices)}
        if kind == "outlined":
            figures[kind] |= {"dice mean": mean(slices, "dice"), "dice median": median(slices, "dice")}
    return figures


def of_kind(rows: list[dict]) -> dict:
    return {"patients": len(rows), "dice mean": mean(rows, "dice"), "dice median": median(rows, "dice"),
            "a tenth of it seen": sum(row["found"] >= HIT for row in rows),
            "summed mL": round(sum(row["ml"] for row in rows), 1),
            "of": round(sum(row["true_ml"] for row in rows), 1)}


def mean(rows, name):
    return round(float(np.mean([row[name] for row in rows])), 3) if rows else None


def median(rows, name):
    return round(float(np.median([row[name] for row in rows])), 3) if rows else None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA")
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--patients", type=int, default=60)
    parser.add_argument("--pool", type=Path, default=Path("runs/heads.npz"), help="where the heads are kept")
    parser.add_argument("--coarse-only", action="store_true")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    if args.coarse_only:
        see = coarse_seer(args.weights)
    else:
        segmenter = Segmenter(weights_dir=args.weights)
        see = lambda ct: segmenter.apply(ct).outside  # noqa: E731
    file = args.out / "rows.jsonl"
    known = {row["patient"] for row in read_rows(file)}
    for row in real_rows(see, args.data, known):
        append_row(file, row)
    if args.patients:
        for row in made_rows(see, load_pool(args.data, args.pool), args.patients, known):
            append_row(file, row)
    sys.stdout.write(json.dumps(summary(read_rows(file)), indent=2) + "\n")


if __name__ == "__main__":
    main()
