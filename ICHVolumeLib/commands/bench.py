"""Measure how fast this computer is: engines, a whole case cold and warm, memory, and other networks beside.

Prints a table; -o also writes every figure as JSON. The whole of it takes 3 to 20 minutes on an office PC, --quick one
minute. Close other programs first: over a load of 3 the figures are void, and the table says so.
"""

import sys
from pathlib import Path

from ..core.errors import InputError
from .console import say


def add_arguments(parser) -> None:
    parser.add_argument("-o", "--out", type=Path, metavar="JSON", help="write all figures into this file")
    parser.add_argument("--quick", action="store_true", help="about one minute: fewer rounds, 40 slices, no peers")
    parser.add_argument("--engines", metavar="NAMES", help="only these, comma between: openvino (as a case runs it), "
                        "openvino-bf16, openvino-f32, openvino-int8, torch-eager (the baseline), torch-folded, "
                        "torch-bf16, cuda")
    parser.add_argument("--no-peers", action="store_true", help="leave other networks (MONAI, extra `bench`) out")
    parser.add_argument("--threads", type=int, default=2, metavar="N", help="for engines and peers (default 2)")
    parser.add_argument("--layers", action="store_true", help="time and bound of every layer of the network")
    parser.add_argument("--patients", type=int, default=6, metavar="N",
                        help="made patients to compare head box and skipped slices with the full run on (default 6)")
    parser.add_argument("--weights", type=Path, metavar="DIR", help="folder with other weights and their manifest")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="which made patient")


def run(args) -> None:
    options = _options(args)
    from ..bench.run import run_bench
    from ..bench.table import lines

    result = run_bench(options, lambda text: sys.stderr.write(text + " ...\n"))
    for line in lines(result):
        say(line)
    if args.out:
        from ..io.result_files import write_json

        write_json(args.out, result)


def _options(args):
    from ..bench.engines import NAMES
    from ..bench.run import Options

    engines = tuple(name.strip() for name in args.engines.split(",")) if args.engines else NAMES
    unknown = [name for name in engines if name not in NAMES]
    if unknown:
        raise InputError(f"--engines: {', '.join(unknown)} unknown; choose from {', '.join(NAMES)}.")
    if args.threads < 1:
        raise InputError(f"--threads {args.threads}: give at least 1.")
    if args.patients < 0:
        raise InputError(f"--patients {args.patients} is negative; 0 leaves the comparison out.")
    if args.out and not args.out.resolve().parent.is_dir():
        raise InputError(f"{args.out}: there is no such folder to write into; make it first.")
    return Options(engines, args.threads, args.quick, not args.no_peers, args.layers, args.patients, args.weights,
                   args.seed)
