"""Measure a mask that you give (corrected or from another program); no network runs.

Mask values: 1 intracerebral (ICH), 2 intraventricular (IVH). Writes the same files as `segment`.
"""

from pathlib import Path

from .clinical import add_clinical_arguments, clinical_inputs
from .console import Progress, add_force_argument, add_progress_argument, add_report_argument
from .outcome import tell_outcome


def add_arguments(parser) -> None:
    parser.add_argument("input", type=Path, metavar="INPUT", help="the CT: a DICOM folder, or a NIfTI or NRRD file")
    parser.add_argument("mask", type=Path, metavar="MASK", help="the mask on the CT's grid: .seg.nrrd, NRRD or NIfTI")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="OUT", help="output folder")
    parser.add_argument("--series", metavar="UID", help="which series, when the folder holds several")
    parser.add_argument("--automatic", type=Path, metavar="RESULT_JSON",
                        help="result.json of the automatic mask this one was corrected from: its volumes are "
                             "reported beside the new ones")
    add_force_argument(parser)
    add_report_argument(parser)
    add_clinical_arguments(parser)
    add_progress_argument(parser)


def run(args) -> None:
    clinical = clinical_inputs(args)
    from ..workflow.case import run_measure
    from ..workflow.exporters import EXPORTERS, WITHOUT_REPORT

    with Progress(args.progress) as progress:
        case = run_measure(args.input, args.mask, args.out, clinical=clinical, series_uid=args.series,
                           automatic_json=args.automatic, force=args.force, progress=progress,
                           exporters=EXPORTERS if args.report else WITHOUT_REPORT)
    tell_outcome(case, progress.kind)
