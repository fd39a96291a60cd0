"""The command line: picks the command, and turns every ending into one exit code and one sentence.

Exit codes: 0 done (also when no bleed is found), 2 bad usage or input, 3 cancelled, 1 anything else.
"""

import argparse
import os
import signal
import sys
import threading
import traceback
from contextlib import contextmanager
from importlib import import_module

from . import __version__
from .commands import COMMANDS
from .commands.console import complain
from .core.errors import Cancelled, ICHVolumeError, InputError

DONE, FAILED, BAD_INPUT, CANCELLED = 0, 1, 2, 3


class _Parser(argparse.ArgumentParser):
    """argparse with an error of one line."""

    def error(self, message):
        self.exit(BAD_INPUT, f"{self.prog}: {message}; see {self.prog} --help.\n")


def build_parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="ichvolume", description="Head CT to hematoma mask, volume, ABC/2, ICH score and report. "
                                                   "Research use only; not a medical device.")
    parser.add_argument("--version", action="version", version=f"ICHVolume {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in COMMANDS:
        module = import_module(f"{__package__}.commands.{name}")
        help_text = module.__doc__.splitlines()[0]
        command = commands.add_parser(name, help=help_text, description=module.__doc__,
                                      formatter_class=argparse.RawDescriptionHelpFormatter)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    return parser


def main(argv=None) -> int:
    """Run one command; returns the exit code. Set ICHVOLUME_TRACEBACK=1 to see where an internal error came from."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a console that lacks a character must not end a case
    args = build_parser().parse_args(argv)
    try:
        with _polite_end_like_ctrl_c():
            args.run(args)
            sys.stdout.flush()
        return DONE
    except BrokenPipeError:  # whoever reads the answers has seen enough (`| head`); the files are complete
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains when it ends
        return DONE
    except InputError as error:
        complain(str(error))
        return BAD_INPUT
    except Cancelled as error:
        complain(str(error))
        return CANCELLED
    except KeyboardInterrupt:
        complain("Cancelled; nothing was written.")
        return CANCELLED
    except ICHVolumeError as error:
        complain(str(error))
        return FAILED
    except Exception as error:  # the last line of defence: a sentence instead of a traceback
        if os.environ.get("ICHVOLUME_TRACEBACK"):
            traceback.print_exc()
        complain(f"Internal error ({type(error).__name__}: {error}); nothing was written. "
                 "Set ICHVOLUME_TRACEBACK=1 and run again to see where.")
        return FAILED


@contextmanager
def _polite_end_like_ctrl_c():
    """A `kill` or Ctrl-Break ends a case as Ctrl-C does: cleaned up, exit code 3."""
    def stop(*_):
        raise KeyboardInterrupt

    before = {}
    for name in ("SIGTERM", "SIGBREAK"):  # the second one exists on Windows only
        number = getattr(signal, name, None)
        if number is not None and threading.current_thread() is threading.main_thread():
            before[number] = signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
