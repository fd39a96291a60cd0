"""Measure a model: masks of any program against the truth, or a network on held-out synthetic patients.

    ichvolume evaluate PREDICTIONS [MORE ...] TRUTH -o OUT    folders of masks, paired by name
    ichvolume evaluate PAIRS.csv -o OUT                       a table: case, prediction, truth, model ...
    ichvolume evaluate SCANS TRUTH -o OUT --weights DIR       a network on scans, by the names of the truths
    ichvolume evaluate bhsd=FOLDER -o OUT --weights DIR       the same on a data set, see Resources/Datasets.md
    ichvolume evaluate DATA -o OUT                            our network on synthetic patients in bleed-free heads

Masks: overlap, distances, volumes and their agreement, and models compared on the same patients, into summary.md,
cases.csv and figures.json in OUT, see Resources/Study.md. NAME=FOLDER names a model. Stopped, it goes on where it was.
Scans: --network NAME is any network that `train` knows, --weights its released weights; the masks stay in OUT/masks.

Synthetic patients: writes OUT/cases.jsonl and OUT/figures.json, prints the figures, and counts false alarms on real
bleed-free scans; goes on where it was stopped. With --pictures it also draws the cases that went wrong, for
`ichvolume card`. Synthetic patients only: the figures are no claim about real ones. With --trained-heads new bleeds
lie in the heads that were trained on: figures better than in unseen heads mean that the network has seen too few.
"""

from pathlib import Path

from .console import count, say
from .evaluate_masks import add_mask_arguments, are_masks, run_masks


def add_arguments(parser) -> None:
    parser.add_argument("data", type=Path, nargs="+", metavar="PATH",
                        help="folders of masks and then that of the truth; or a CSV of pairs; or the one folder of the "
                             "bleed-free heads")
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--weights", type=Path, metavar="DIR", help="of the network (default: those that are shipped)")
    parser.add_argument("--network", metavar="NAME",
                        help="segment SCANS with this network; the weights must be of it (default: the weights' own)")
    parser.add_argument("--patients", type=count, default=200)
    parser.add_argument("--scan", type=Path, action="append", default=[], metavar="FOLDER",
                        help="a real bleed-free scan; its marked volume is listed (may be repeated)")
    parser.add_argument("--pictures", type=int, default=0, metavar="N", help="draw N cases of every kind of failure")
    parser.add_argument("--trained-heads", action="store_true",
                        help="put the bleeds into heads that were trained on; counts no false alarms")
    parser.add_argument("--synthetic-only", action="store_true",
                        help="count no false alarms on real slices (`ichvolume real` does)")
    add_jobs_argument(parser, "; with masks: processes that compare them (default: 1)")
    add_mask_arguments(parser)


def add_jobs_argument(parser, more: str = "") -> None:
    parser.add_argument("--jobs", type=count, metavar="N",
                        help=f"processes that make patients ahead of the network; 0: none (default: one per core, at "
                             f"most 4){more}")


def run(args) -> None:
    if are_masks(args.data):
        return run_masks(args)
    return _run_synthetic(args)


def _run_synthetic(args) -> None:
    import json
    import logging

    from ..evaluation.cases import evaluate
    from ..evaluation.network_cases import network_segmenter
    from ..evaluation.prediction import model_id, predict_with
    from ..evaluation.summary import summarise
    from ..imaging.itk_threads import use_one_itk_thread
    from ..synthetic.background_pool import load_pool
    from ..synthetic.code_version import generator_mark
    from ..synthetic.patients import TEST, TRAINED, default_jobs, synthetic_patients

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    use_one_itk_thread()
    args.out.mkdir(parents=True, exist_ok=True)
    pool = load_pool(args.data[0], args.out.parent / "heads.npz")
    segmenter, rows_file = network_segmenter(args.weights, args.network), args.out / "cases.jsonl"
    jobs = default_jobs() if args.jobs is None else args.jobs
    part = TRAINED if args.trained_heads else TEST
    predict, mark = predict_with(segmenter), f"{model_id(segmenter)}, patients {generator_mark()}"
    rows = evaluate(predict, mark, lambda known: synthetic_patients(pool, part, args.patients, jobs=jobs, known=known),
                    rows_file)[:args.patients]
    figures = {"model": {"version": segmenter.weights.version, "sha256": segmenter.weights.sha256,
                         "threshold": segmenter.weights.threshold}, "command": _command(args), **summarise(rows)}
    if args.trained_heads:
        figures["trained_heads"] = True
    else:
        figures |= _bleed_free(predict, [] if args.synthetic_only else pool, args.scan)
    text = json.dumps(figures, indent=2)
    (args.out / "figures.json").write_text(text + "\n", encoding="utf-8", newline="\n")
    if args.pictures:
        from ..evaluation.failures import draw_failures

        draw_failures(predict, pool, rows, args.out / "pictures", args.pictures, part)
    say(text)


def _bleed_free(predict, pool, scans) -> dict:
    """False alarms on the real slices of unseen patients, and the mL marked in each bleed-free scan."""
    from ..evaluation.cases import false_alarms
    from ..io.read_ct import read_ct
    from ..synthetic.background_pool import is_validation

    unseen = [one for one in pool if is_validation(one.patient)]
    found = {f"false_alarms_{kind}": false_alarms(predict, (one for one in unseen if one.kind == kind))
             for kind in ("ct_ich", "extra_axial")} if unseen else {}
    for scan in scans:
        ct = read_ct(scan)
        marked = (predict(ct).mask > 0).sum(axis=(1, 2)) @ ct.voxel_volumes_mm3 / 1000
        found.setdefault("bleed_free_scans_ml", {})[scan.name] = float(marked)
    return found


def _command(args) -> str:
    """The command that gives these figures again, with DATA for the folder of the heads."""
    words = ["ichvolume evaluate DATA -o runs/figures", f"--patients {args.patients}"]
    words += [f"--scan {scan.name if scan.is_file() else 'DATA/' + scan.name}" for scan in args.scan]
    words += [f"--pictures {args.pictures}"] if args.pictures else []
    words += ["--trained-heads"] if args.trained_heads else []
    words += ["--synthetic-only"] if args.synthetic_only else []
    return " ".join(words)
