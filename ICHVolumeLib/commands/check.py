"""Look at a head CT without segmenting it: geometry, and anything that may spoil the numbers.

Where a folder holds several series they are listed, each with the number that --series takes.
"""

from pathlib import Path

from .console import say, say_json


def add_arguments(parser) -> None:
    parser.add_argument("input", type=Path, metavar="INPUT",
                        help="a DICOM folder, a .zip of one, or a NIfTI or NRRD file")
    parser.add_argument("--series", metavar="UID|NUMBER",
                        help="which series, when the folder holds several: its UID or its number, see `check`")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of sentences")


def run(args) -> None:
    from ..anatomy.head_frame import fit_head_frame
    from ..core.findings import ERROR
    from ..io.input_problems import SCAN, explained
    from ..io.read_ct import read_ct, series_lines
    from ..quality.checks import check_ct
    from ..quality.head_pose import check_head_pose
    from ..workflow.case import refuse_unusable
    from ..workflow.make_result import describe_geometry

    with explained(args.input, SCAN):
        series = series_lines(args.input)
        ct = read_ct(args.input, args.series)
    noticed = check_ct(ct)
    if not any(finding.severity == ERROR for finding in noticed):
        noticed += check_head_pose(ct, fit_head_frame(ct))
    if args.json:
        from dataclasses import asdict

        say_json({"source": str(args.input), "series_uid": ct.info.series_uid,
                  "geometry": asdict(describe_geometry(ct)), "findings": [asdict(finding) for finding in noticed],
                  "series": series})
    else:
        from ..report.summary import finding_lines, geometry_line

        say(f"{args.input}: {geometry_line(describe_geometry(ct))}")
        for line in finding_lines(noticed):
            say(line)
        for line in ["Series (the number is for --series)", *series] if len(series) > 1 else []:
            say(line)
    refuse_unusable(args.input, noticed)
