"""Tables and figures of a study from results of `evaluate`, and everything to make them again in one folder.

    ichvolume study RESULTS [MORE ...] -o OUT      the paper's tables and figures, and what it lacks
    ichvolume study --verify OUT                   make the tables again from OUT and say what differs

RESULTS are output folders of `ichvolume evaluate`; each is a test set, NAME=FOLDER names it. Folders of one name are
put together when their patients and truths are the same. An evaluation on synthetic patients is one network. See
Resources/Study.md. The figures need matplotlib.
"""

import sys
from pathlib import Path

from .console import Progress, count, say


def add_arguments(parser) -> None:
    parser.add_argument("results", type=Path, nargs="*", metavar="RESULTS", help="output folders of `evaluate`")
    parser.add_argument("-o", "--out", type=Path, metavar="OUT", help="output folder")
    parser.add_argument("--verify", type=Path, metavar="STUDY",
                        help="a folder that `study` wrote: make its tables again")
    parser.add_argument("--masks", action="store_true",
                        help="with --verify: score the masks again, too, where they still lie where they were")
    parser.add_argument("--weights", action="append", default=[], metavar="NAME=FOLDER",
                        help="a model's weights or training run: its files are recorded with their SHA-256")
    parser.add_argument("--no-figures", dest="figures", action="store_false", help="tables only; needs no matplotlib")
    parser.add_argument("--repeats", type=count, default=2000, metavar="N", help="bootstrap draws (default: 2000)")
    parser.add_argument("--seed", type=count, default=0, metavar="N", help="of the bootstrap (default: 0)")


def run(args) -> None:
    from ..core.errors import InputError

    if args.verify:
        if args.results or args.out:
            raise InputError("--verify takes the one folder of a study, and no RESULTS and no -o.")
        return _verify(args)
    if not args.results or not args.out:
        raise InputError("Give output folders of `ichvolume evaluate` and -o OUT, or --verify STUDY.")
    return _make(args)


def _make(args) -> None:
    from importlib.util import find_spec

    from ..core.errors import InputError

    if args.figures and find_spec("matplotlib") is None:
        raise InputError("The figures need matplotlib, which is not installed: pip install matplotlib, or give "
                         "--no-figures.")
    from ..evaluation.study import PAGE, make_study

    weights = dict(_named(Path(text), must_be_named=True) for text in args.weights)
    with Progress() as progress:
        study = make_study([_named(path) for path in args.results], args.out, repeats=args.repeats, seed=args.seed,
                           command="ichvolume " + " ".join(sys.argv[1:]), weights=weights, figures=args.figures,
                           progress=progress)
    for one in study.figures:
        if not one.files:
            say(f"left out: {one.title}: {one.words}")
    say(f"Written   {args.out}: {PAGE}, {len(study.tables)} tables, "
        f"{sum(bool(one.files) for one in study.figures)} figures")


def _named(path: Path, must_be_named: bool = False) -> tuple[str, Path]:
    """(name, folder) of NAME=FOLDER, or of a folder by its own name."""
    from ..core.errors import InputError

    name, equals, folder = str(path).partition("=")
    if equals and not path.exists():
        return name, Path(folder)
    if must_be_named:
        raise InputError(f"{path} does not say whose weights it holds; write NAME=FOLDER.")
    return path.absolute().name, path


def _verify(args) -> None:
    from ..core.errors import ICHVolumeError
    from ..evaluation.study_verify import verify_study

    with Progress() as progress:
        found = verify_study(args.verify, masks=args.masks, progress=progress)
    for line in found.same:
        say(f"  {line}")
    for line in found.unknown:
        say(f"  not checked: {line}")
    for line in found.different:
        say(f"  differs: {line}")
    if found.different:
        raise ICHVolumeError(f"{len(found.different)} things in {args.verify} differ from what they are made from.")
    say(f"The tables of {args.verify} follow from its data.")
