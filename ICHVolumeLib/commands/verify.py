"""Say whether the mask, the 3D model, the report and the numbers of an output folder still belong together.

Nothing is written. Exit code 0 when they do, 1 when a file was changed or is missing.
"""

from pathlib import Path

from ..core.errors import ICHVolumeError
from .console import say


def add_arguments(parser) -> None:
    parser.add_argument("out", type=Path, metavar="OUT", help="an output folder of `segment`, `measure` or `compare`")


def run(args) -> None:
    from ..io.input_problems import explained
    from ..workflow.verify import verify

    with explained(args.out):
        checked = verify(args.out)
    for row in checked.rows:
        say(f"  {row.name:<16} {row.state}{': ' + row.remark if row.remark else ''}")
    for version in checked.history:
        say(f"  mask             {version}")
    if not checked.belongs_together:
        raise ICHVolumeError(f"The files in {args.out} do not belong together any more: measure the mask again with "
                             "`ichvolume measure` into another folder, segment the scan again, or compare again.")
    say(f"The files in {args.out} belong together.")
