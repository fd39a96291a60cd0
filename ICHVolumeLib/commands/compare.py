"""Compare two scans of one patient: growth, expansion by both rules, and the scans side by side; no network runs.

EARLIER and LATER are output folders of `segment` or `measure`. Writes compare.json, compare.csv and compare.html.
"""

from pathlib import Path

from .console import Progress, add_force_argument, add_progress_argument, say, say_json


def add_arguments(parser) -> None:
    parser.add_argument("earlier", type=Path, metavar="EARLIER", help="output folder of the first scan")
    parser.add_argument("later", type=Path, metavar="LATER", help="output folder of the follow-up scan")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="OUT", help="output folder")
    for name in ("earlier", "later"):
        parser.add_argument(f"--{name}-scan", type=Path, metavar="SCAN",
                            help=f"where the {name} CT lies now, when it was moved since it was measured")
        parser.add_argument(f"--{name}-series", metavar="UID|NUMBER", help="which series of that folder, see `check`")
    parser.add_argument("--same-patient", action="store_true",
                        help="you have checked that both scans are of one patient, although the files name two")
    add_force_argument(parser)
    add_progress_argument(parser)


def run(args) -> None:
    from ..workflow.follow_up import run_compare

    with Progress(args.progress) as progress:
        comparison = run_compare(args.earlier, args.later, args.out, earlier_scan=args.earlier_scan,
                                 later_scan=args.later_scan, earlier_series=args.earlier_series,
                                 later_series=args.later_series, same_patient=args.same_patient, force=args.force,
                                 progress=progress)
    if progress.kind == "json":
        change = comparison.expansion
        say_json({"event": "done", "out": str(args.out), "ich_change_ml": change.ich_ml,
                  "ich_change_percent": change.ich_percent, "expanded": change.expanded,
                  "expanded_revised": change.expanded_revised})
        return
    _tell(comparison, args.out)


def _tell(comparison, out) -> None:
    from ..report.follow_up_page import between, headline, rule_rows, signed
    from ..report.summary import RESEARCH_USE, finding_lines

    before, after = comparison.earlier.volume_ml, comparison.later.volume_ml
    say(headline(comparison) + (f"; {between(comparison)}" if between(comparison) else ""))
    say()
    for name, then, now, ml, percent in (
            ("ICH", before.ich, after.ich, comparison.expansion.ich_ml, comparison.expansion.ich_percent),
            ("IVH", before.ivh, after.ivh, comparison.expansion.ivh_ml, comparison.ivh_percent),
            ("Total", before.total, after.total, comparison.total_ml, comparison.total_percent)):
        say(f"  {name:<6} {then:8.1f} mL -> {now:8.1f} mL   {signed(ml, percent)}")
    for rule, met, why in rule_rows(comparison):
        say(f"  {'yes' if met else 'no':<4} {rule}; {why}")
    if comparison.residual_ich_ml is not None:
        say(f"  Residual ICH {comparison.residual_ich_ml:.1f} mL, {comparison.residual_ich_percent:.0f} % of the "
            "earlier volume")
    say(f"  Patient: {comparison.patient} ({comparison.patient_why})")
    say()
    say("Findings")
    for line in finding_lines(comparison.findings):
        say(line)
    say()
    say(f"Written   {out}: compare.json, compare.csv, compare.html")
    say(RESEARCH_USE)
