"""Two ways of `ichvolume evaluate`: masks of any program, or a network on scans, against the truth. No command of its
own."""

import argparse
import sys
from pathlib import Path

from .console import Progress, count, say

PAIRS = ".csv"


def add_mask_arguments(parser) -> None:
    group = parser.add_argument_group("masks against the truth")
    group.add_argument("--ct", type=Path, metavar="FOLDER",
                       help="the scans by the same names: for contrast, and where masks alone do not tell the true "
                            "slice positions (uneven slices, DICOM SEG)")
    group.add_argument("--cases", type=Path, metavar="CSV",
                       help="what is known of each case: a column case, and patient, ct, site, contrast_agent, or any "
                            "other to make groups by")
    for option, words in (("--label", "both sides"), ("--truth-label", "the truth"),
                          ("--prediction-label", "the predictions")):
        group.add_argument(option, type=_meaning, action="append", default=[],
                           metavar="NAME=ich|ivh|outside|unsure|ignore",
                           help=f"what a segment of this name, or a voxel value, means in {words}; may be repeated")
    group.add_argument("--tolerance", type=_millimetres, default=2.0, metavar="MM", help="of surface Dice (default: 2)")
    group.add_argument("--skip-bad", action="store_true",
                       help="evaluate the good cases although others have a problem; a case that is bad for one model "
                            "is left out of all")
    group.add_argument("--several-scans", action="store_true",
                       help="a patient may have several cases; intervals then draw patients, not scans")
    group.add_argument("--repeats", type=count, default=2000, metavar="N", help="bootstrap draws (default: 2000)")
    group.add_argument("--seed", type=count, default=0, metavar="N", help="of the bootstrap (default: 0)")


def are_masks(paths: list[Path]) -> bool:
    """Whether `evaluate` was given a truth (several paths, a CSV of pairs, a data set), not a folder of heads."""
    return len(paths) > 1 or paths[0].suffix.lower() == PAIRS or _dataset(paths) is not None


def _dataset(paths: list[Path]) -> tuple[str, Path] | None:
    """(name, folder) where `evaluate` was given NAME=FOLDER alone."""
    name, equals, folder = str(paths[0]).partition("=")
    return (name, Path(folder)) if len(paths) == 1 and equals and not paths[0].exists() else None


def _meaning(text) -> tuple[str, str]:
    from ..evaluation.mask_labels import parse_meaning

    try:
        return parse_meaning(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _millimetres(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is no distance in mm")
    return value


def run_masks(args) -> None:
    from ..evaluation.mask_evaluation import evaluate_masks
    from ..evaluation.mask_labels import LabelMap
    from ..evaluation.mask_scoring import EvaluationSettings
    from ..evaluation.mask_tables import SUMMARY

    with Progress() as progress:
        if args.weights or args.network or _dataset(args.data):
            cases, truth_labels = _segmented(args, progress)
        else:
            cases, truth_labels = _cases(args), dict([*args.label, *args.truth_label])
        labels = LabelMap(truth=truth_labels, predictions=dict([*args.label, *args.prediction_label]))
        settings = EvaluationSettings(tolerance_mm=args.tolerance, repeats=args.repeats, seed=args.seed,
                                      skip_bad=args.skip_bad, labels=labels)
        found = evaluate_masks(cases, args.out, settings, command="ichvolume " + " ".join(sys.argv[1:]),
                               progress=progress, jobs=args.jobs or 1)
    _tell(found, args.out / SUMMARY)


def _segmented(args, progress):
    """(cases, labels of the truths) of a network on scans: SCANS TRUTH, or NAME=FOLDER."""
    from ..core.errors import InputError
    from ..evaluation.network_cases import TRUTH_LABELS, cases_of_dataset, cases_of_scans, network_segmenter

    refused = {"--ct": args.ct, "--cases": args.cases, "--prediction-label": args.prediction_label}
    dataset = _dataset(args.data)
    if dataset:
        refused |= {"--label": args.label, "--truth-label": args.truth_label}
    for option, value in refused.items():
        if value:
            raise InputError(f"{option} is not for a network on scans; the masks that it makes and a data set's labels "
                             "are known.")
    if not dataset and len(args.data) != 2:
        raise InputError("A network is evaluated on SCANS TRUTH, two folders, or on a data set, NAME=FOLDER; for the "
                         "masks of several models leave --network and --weights out.")
    segmenter = network_segmenter(args.weights, args.network)
    if dataset:
        return cases_of_dataset(segmenter, *dataset, args.out, progress=progress), TRUTH_LABELS
    return cases_of_scans(segmenter, *args.data, args.out, several_scans=args.several_scans,
                          progress=progress), dict([*args.label, *args.truth_label])


def _cases(args):
    from ..core.errors import InputError
    from ..evaluation.mask_pairs import cases_of_folders, cases_of_table

    if len(args.data) == 1:
        for option, value in (("--ct", args.ct), ("--cases", args.cases)):
            if value:
                raise InputError(f"{option} goes with folders of masks; a CSV of pairs has the columns ct and others "
                                 "itself.")
        return cases_of_table(args.data[0], several_scans=args.several_scans)
    *predictions, truth = args.data
    return cases_of_folders(_named(predictions), truth, cts=args.ct, table=args.cases,
                            several_scans=args.several_scans)


def _named(paths: list[Path]) -> dict[str, Path]:
    """Model -> folder; NAME=FOLDER says the name, which is the folder's own else."""
    from ..core.errors import InputError

    named: dict[str, Path] = {}
    for path in paths:
        name, equals, folder = str(path).partition("=")
        if not equals or path.exists():
            name, folder = path.absolute().name, str(path)
        if name in named:
            raise InputError(f"Two models are called {name}; name them: NAME=FOLDER.")
        named[name] = Path(folder)
    return named


def _tell(found, summary: Path) -> None:
    for problem in found.problems:
        say(f"left out: {problem.sentence}")
    for model, of in found.figures["models"].items():
        total = of["total"]
        dice, icc, bias = total["per_case"]["dice"], total["volume"]["icc_a1"], total["volume"]["bland_altman_ml"]
        parts = [f"{total['cases']} cases"]
        parts += [f"Dice per case {dice['mean']:.3f} (median {dice['median']:.3f})"] if dice else []
        parts += [f"volume ICC(A,1) {icc['value']:.3f}"] if icc else []
        parts += [f"bias {bias['bias']:+.2f} mL, limits {bias['low']:+.2f} to {bias['high']:+.2f} mL"] if bias else []
        missed, alarms = total["empties"]["missed"], total["empties"]["false_alarms"]
        parts += [f"{missed} missed"] if missed else []
        parts += [f"{alarms} false alarms"] if alarms else []
        say(f"{model}: {'; '.join(parts)}")
    say(f"Written   {summary.parent}: {summary.name} and the tables beside it")
