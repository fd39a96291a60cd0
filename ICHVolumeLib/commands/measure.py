"""Measure a mask that you give (corrected or from another program); no network runs.

Segments count by their name or code (ICH, IVH, "intraparenchymal hemorrhage" ...); without names 1 is intracerebral
(ICH) and 2 intraventricular (IVH). What is known but no blood in the brain or its ventricles (edema, subdural blood)
is left out and named. What is not known is asked for: --label "Lesion 1=ich". Writes the same files as `segment`.
"""

import argparse
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
                        help="the CT: a DICOM folder, a .zip of one, or a NIfTI or NRRD file")
    parser.add_argument("mask", type=Path, metavar="MASK",
                        help="the mask on the CT's grid: .seg.nrrd, NRRD, NIfTI or DICOM SEG")
    parser.add_argument("--label", type=_label, action="append", default=[], metavar="NAME=ich|ivh|ignore",
                        help="what a segment of this name, or a voxel value, means; may be given several times")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="OUT", help="output folder")
    parser.add_argument("--series", metavar="UID|NUMBER",
                        help="which series, when the folder holds several: its UID or its number, see `check`")
    parser.add_argument("--automatic", type=Path, metavar="RESULT_JSON",
                        help="result.json of the automatic mask this one was corrected from: its volumes are "
                             "reported beside the new ones")
    add_dicom_argument(parser)
    add_force_argument(parser)
    add_patient_key_argument(parser)
    add_report_argument(parser)
    add_clinical_arguments(parser)
    add_progress_argument(parser)


def _label(text) -> tuple[str, str]:
    from ..io.label_names import parse_label

    try:
        return parse_label(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def run(args) -> None:
    clinical = clinical_inputs(args)
    from ..workflow.case import run_measure
    from ..workflow.exporters import chosen_exporters

    exporters = chosen_exporters(args.input, report=args.report, dicom=args.dicom)
    with Progress(args.progress) as progress:
        case = run_measure(args.input, args.mask, args.out, labels=dict(args.label), clinical=clinical,
                           series_uid=args.series, automatic_json=args.automatic, force=args.force,
                           patient_salt=args.patient_key, progress=progress,
                           exporters=exporters)
    tell_outcome(case, progress.kind)
