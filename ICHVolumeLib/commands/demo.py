"""Make a synthetic patient, segment it, and compare with the truth: Dice, volume error and seconds.

Writes OUT/sample (the patient) and the files of `segment` into OUT.
"""

from pathlib import Path

from .console import Progress, add_progress_argument, say, say_json
from .outcome import tell_outcome
from .sample import CT_FOLDER, write_sample

PAPER_SECONDS = 5.6  # Peng 2022: network seconds a case on a Quadro RTX5000
AGE_YEARS, GCS = 67.0, 11  # of the invented patient; where the bleed is, the sample knows
CASE_STEPS = ("prepare", "load", "coarse", "network", "clean", "measure")


def add_arguments(parser) -> None:
    parser.add_argument("out", type=Path, metavar="OUT", help="output folder")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="which synthetic patient")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--engine", choices=("auto", "openvino", "torch"), default="auto")
    add_progress_argument(parser)


def run(args) -> None:
    from ..core.result import ClinicalInputs
    from ..workflow.case import run_segment

    with Progress(args.progress) as progress:
        sample = write_sample(args.out / "sample", seed=args.seed, ivh=True, progress=progress)
        clinical = ClinicalInputs(age_years=AGE_YEARS, gcs=GCS, location=sample.location,
                                  infratentorial=sample.location == "infratentorial")
        case = run_segment(args.out / "sample" / CT_FOLDER, args.out, clinical=clinical,
                           device=args.device, engine=args.engine, progress=progress)
    tell_outcome(case, progress.kind)
    comparison = compare(sample, case)
    if progress.kind == "json":
        say_json({"event": "compared", **comparison})
    else:
        _tell(comparison)


def compare(sample, case) -> dict:
    """Dice per label and of their union, volumes in mL, and the seconds the paper's figure can be held against."""
    from ..core.labels import ICH, IVH
    from ..imaging.dice import dice

    pairs = {"all": (sample.mask > 0, case.mask > 0)}
    pairs |= {label.name: (sample.mask == label.value, case.mask == label.value) for label in (ICH, IVH)}
    true_ml, marked_ml = sample.true_volume_ml["total"], case.result.volume_ml.total
    return {"dice": {name: dice(*pair) for name, pair in pairs.items()},
            "true_ml": true_ml, "marked_ml": marked_ml,
            "error_percent": 100 * (marked_ml / true_ml - 1),
            "case_seconds": sum(seconds for name, seconds in case.seconds.items() if name in CASE_STEPS),
            "apart_seconds": {name: seconds for name, seconds in case.seconds.items() if name not in CASE_STEPS},
            "report": str(case.out / "report.html")}


def _tell(comparison):
    dice = ", ".join(f"{name} {value:.3f}" for name, value in comparison["dice"].items())
    apart = ", ".join(f"{name} {seconds:.2f}" for name, seconds in comparison["apart_seconds"].items())
    say()
    say("Against the truth (synthetic patient)")
    say(f"  Dice         {dice}")
    say(f"  Volume       {comparison['marked_ml']:.1f} mL marked, {comparison['true_ml']:.1f} mL true: "
        f"{comparison['error_percent']:+.1f} %")
    say(f"  Case         {comparison['case_seconds']:.2f} s ({', '.join(CASE_STEPS)}); the paper: {PAPER_SECONDS} s "
        "on a Quadro RTX5000")
    say(f"  Apart        {apart} s")
    say(f"  Look at      {comparison['report']}")
