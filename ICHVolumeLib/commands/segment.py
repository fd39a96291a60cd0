"""Find the bleed in a head CT, measure it and write mask, numbers, report and 3D model.

Writes OUT/result.json, result.csv, report.html, mask.seg.nrrd and ich.stl (no ich.stl when no bleed is found).
"""

from pathlib import Path

from .clinical import add_clinical_arguments, clinical_inputs
from .console import (
    Progress,
    add_dicom_argument,
    add_force_argument,
    add_patient_key_argument,
    add_progress_argument,
    add_report_argument,
)
from .outcome import tell_outcome


def add_arguments(parser) -> None:
    parser.add_argument("input", type=Path, metavar="INPUT",
                        help="a DICOM folder, a .zip of one, or a NIfTI or NRRD file")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="OUT", help="output folder")
    parser.add_argument("--series", metavar="UID|NUMBER",
                        help="which series, when the folder holds several: its UID or its number, see `check`")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--engine", choices=("auto", "openvino", "torch"), default="auto")
    parser.add_argument("--weights", type=Path, metavar="DIR",
                        help="folder with other weights and their manifest (default: those shipped, or the folder "
                             "named by the environment variable ICHVOLUME_WEIGHTS)")
    add_dicom_argument(parser)
    add_force_argument(parser)
    add_patient_key_argument(parser)
    add_report_argument(parser)
    add_clinical_arguments(parser)
    add_progress_argument(parser)


def run(args) -> None:
    clinical = clinical_inputs(args)
    from ..workflow.case import run_segment
    from ..workflow.exporters import chosen_exporters

    exporters = chosen_exporters(args.input, report=args.report, dicom=args.dicom)
    with Progress(args.progress) as progress:
        case = run_segment(args.input, args.out, clinical=clinical, series_uid=args.series, device=args.device,
                           engine=args.engine, weights_dir=args.weights, force=args.force,
                           patient_salt=args.patient_key, progress=progress,
                           exporters=exporters)
    tell_outcome(case, progress.kind)
