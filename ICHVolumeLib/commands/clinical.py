"""The clinical options that `segment` and `measure` share. What is not given stays unknown and scores as a range."""

from ..core.result import ClinicalInputs

_YES_NO = {"yes": True, "no": False, "unknown": None}


def add_clinical_arguments(parser) -> None:
    group = parser.add_argument_group("clinical items (never guessed; unknown ones make the scores a range)")
    group.add_argument("--age", type=float, metavar="YEARS")
    group.add_argument("--gcs", type=int, metavar="N", help="Glasgow Coma Scale, 3 to 15")
    group.add_argument("--infratentorial", choices=_YES_NO, default="unknown", help="origin of the bleed")
    group.add_argument("--ivh", choices=_YES_NO, default="unknown",
                       help="blood in the ventricles; unknown: suggested from the mask")
    group.add_argument("--nihss", type=int, metavar="N", help="NIH Stroke Scale, 0 to 42 (max-ICH)")
    group.add_argument("--anticoagulated", choices=_YES_NO, default="unknown", help="oral anticoagulation (max-ICH)")
    group.add_argument("--location", choices=("lobar", "deep", "infratentorial"), help="site (max-ICH and FUNC)")
    group.add_argument("--cognitive-impairment", choices=_YES_NO, default="unknown", help="before the bleed (FUNC)")


def clinical_inputs(args) -> ClinicalInputs:
    """The options as values. Raises InputError for a value that cannot be, before any work is done."""
    from ..clinical.scores import check_inputs

    inputs = ClinicalInputs(
        age_years=args.age,
        gcs=args.gcs,
        infratentorial=_YES_NO[args.infratentorial],
        ivh=_YES_NO[args.ivh],
        nihss=args.nihss,
        oral_anticoagulation=_YES_NO[args.anticoagulated],
        location=args.location,
        cognitive_impairment=_YES_NO[args.cognitive_impairment],
    )
    check_inputs(inputs)
    return inputs
