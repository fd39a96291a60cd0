"""List the data sets that are known, look through them, and find scans that are in two of them.

    ichvolume datasets                          the names, with licence
    ichvolume datasets bhsd=FOLDER              its scans and the blood marked in them, what cannot be read, doubles
    ichvolume datasets TRAIN TEST -o OUT        also whether a scan or a patient is in both

SET is NAME=FOLDER with one of the names, a folder with images/ and masks/, or any folder tree of scans (DICOM, NIfTI,
NRRD); another NAME only names it. Scans are compared by study, by patient where the numbers mean something, and by the
pixels of every slice, see Resources/Datasets.md. Exit code 1 where a scan or patient is in two sets or two splits.
"""

from pathlib import Path

from .console import Progress, say


def add_arguments(parser) -> None:
    parser.add_argument("sets", nargs="*", metavar="SET", help="NAME=FOLDER or FOLDER; none: list what is known")
    parser.add_argument("-o", "--out", type=Path, metavar="OUT",
                        help="write OUT/datasets.csv (a line a scan) and OUT/duplicates.csv (a line a pair)")


def run(args) -> None:
    from ..core.errors import ICHVolumeError, InputError
    from ..datasets.registry import dataset_named, names
    from ..evaluation.dataset_survey import survey, write_survey

    if not args.sets:
        if args.out:
            raise InputError("-o OUT goes with data sets to look through; name some: NAME=FOLDER.")
        for name in names():
            known = dataset_named(name)
            say(f"{name:<14} {known.words}\n{'':<14} {known.licence}")
        return
    with Progress() as progress:
        found = survey(args.sets, progress)
    if args.out:
        write_survey(found, args.out)
    for line in found.lines():
        say(line)
    leaks = [pair for pair in found.duplicates if pair.is_leak]
    if leaks:
        raise ICHVolumeError(f"{len(leaks)} pair{'s' if len(leaks) > 1 else ''} of scans in two sets; leave one of "
                             "each out of training or of the test.")
