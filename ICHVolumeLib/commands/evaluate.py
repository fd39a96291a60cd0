"""Measure a model: held-out synthetic patients, and false alarms on real bleed-free scans.

Writes OUT/cases.jsonl and OUT/figures.json and prints the figures. Synthetic patients only: the figures are no
claim about real ones.
"""

from pathlib import Path

from .console import say


def add_arguments(parser) -> None:
    parser.add_argument("data", type=Path, metavar="DATA", help="folder of the bleed-free heads")
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--weights", type=Path, metavar="DIR")
    parser.add_argument("--patients", type=int, default=200)
    parser.add_argument("--scan", type=Path, action="append", default=[], metavar="FOLDER",
                        help="a real bleed-free scan; its marked volume is listed (may be repeated)")


def run(args) -> None:
    import json
    import logging

    from ..reading import read_ct
    from ..segmentation import Segmenter
    from ..training import evaluate as evaluation
    from ..training.heads import is_validation, load_pool

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    args.out.mkdir(parents=True, exist_ok=True)
    pool = load_pool(args.data, args.out.parent / "heads.npz")
    segmenter = Segmenter(weights_dir=args.weights)
    patients = evaluation.synthetic_patients(pool, evaluation.TEST, args.patients)
    figures = evaluation.summarise(evaluation.evaluate(segmenter, patients, args.out / "cases.jsonl"))
    unseen = [one for one in pool if is_validation(one.patient)]
    for kind in ("ct_ich", "extra_axial"):
        figures[f"false_alarms_{kind}"] = evaluation.false_alarms(segmenter, (o for o in unseen if o.kind == kind))
    for scan in args.scan:
        ct = read_ct(scan)
        marked = (segmenter.apply(ct).mask > 0).sum(axis=(1, 2)) @ ct.voxel_volumes_mm3 / 1000
        figures.setdefault("bleed_free_scans_ml", {})[scan.name] = float(marked)
    text = json.dumps(figures, indent=2)
    (args.out / "figures.json").write_text(text + "\n", encoding="utf-8")
    say(text)
