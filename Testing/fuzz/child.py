"""One process that tries inputs by number and says a line for each; its limits are those that the readers must keep.

    python child.py FOLDER SEED FIRST LAST        ->   [12, "nrrd", "refused", "", ""]

Memory is limited to MEMORY beyond what the process needs itself; sockets, other programs and writing outside FOLDER are
noticed and forbidden. An input that takes SECONDS of the processor is stopped with a traceback, and one that waits for
something after WAITING times as long: on a busy machine the clock alone would accuse the innocent.
"""

import json
import os
import random
import resource
import signal
import sys
import time
import traceback
import warnings
from pathlib import Path

SECONDS, WAITING = 10, 6
MEMORY = 2 << 30
_forbidden: list[str] = []
_may_start_python = [True]


class _TooLong(BaseException):
    """Not an Exception: no reader may catch it."""


class _Forbidden(BaseException):
    """As above."""


def main(folder, seed, first, last) -> None:
    sys.dont_write_bytecode = True
    here = Path(__file__).resolve().parent
    sys.path[:0] = [str(here.parent.parent), str(here.parent)]
    warnings.simplefilter("ignore")
    import pydicom.pixels  # noqa: F401  # heavy packages come before the limit
    import safetensors.numpy  # noqa: F401
    import SimpleITK  # noqa: F401
    from fuzz.targets import make_targets

    from ICHVolumeLib.core.errors import InputError

    folder = Path(folder)
    targets = make_targets(folder)
    for target in targets:
        _try(target, target.sound, InputError, must_read=target.name != "zip")
    _forbid_outside(folder.resolve())
    before = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (before + MEMORY, before + MEMORY))
    for number in range(first, last):
        rng = random.Random(f"{seed}/{number}")
        target = rng.choices(targets, [target.share for target in targets])[0]
        _may_start_python[:] = [target.has_child]
        say(number, target.name, "begun")
        data = target.damage(target.sound, rng, target.header_bytes)
        say(number, target.name, *_try(target, data, InputError))


def say(number, name, outcome, signature="", details="") -> None:
    sys.stdout.write(json.dumps([number, name, outcome, signature, details]) + "\n")
    sys.stdout.flush()


def _try(target, data, refusal, must_read=False) -> tuple[str, ...]:
    target.file.write_bytes(data)
    if not must_read:
        _watch()
    try:
        target.read()
        outcome = ("read",)
    except refusal as error:
        outcome = ("refused",) if str(error) else ("failed", "a refusal without words", "")
        if must_read:
            raise
    except BaseException as error:
        signal.setitimer(signal.ITIMER_REAL, 0)
        if must_read or isinstance(error, KeyboardInterrupt):
            raise
        outcome = ("failed", _signature(error), traceback.format_exc()[-3000:])
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        target.file.write_bytes(target.sound)
    if _forbidden:
        outcome = ("failed", _forbidden[0], "; ".join(_forbidden))
        _forbidden.clear()
    return outcome


def _signature(error) -> str:
    """The kind of failure, and where in the library it came from."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "ICHVolumeLib" in frame.filename]
    place = f"{Path(frames[-1].filename).name}:{frames[-1].name}" if frames else "?"
    return f"{type(error).__name__} in {place}"


def _watch() -> None:
    begun, used = time.monotonic(), time.process_time()

    def look(*_):
        if time.process_time() - used > 0.9 * SECONDS or time.monotonic() - begun > 0.9 * SECONDS * WAITING:
            signal.setitimer(signal.ITIMER_REAL, 0)
            raise _TooLong(f"more than {SECONDS} s")

    signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, SECONDS, 1)


def _forbid_outside(folder) -> None:
    """An audit hook: what no reader may do is noted and ends the call."""
    changing = {"os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod"}

    def outside(path):
        return isinstance(path, (str, bytes)) and os.fsdecode(path) != os.devnull \
            and not Path(os.fsdecode(path)).resolve().is_relative_to(folder)

    def hook(event, arguments):
        bad = event.startswith(("socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn"))
        if event == "open" and isinstance(arguments[2], int):
            writing = arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
            bad = bool(writing) and outside(arguments[0])
        elif event in changing:
            in_open_folder = isinstance(arguments[-1], int) and arguments[-1] >= 0  # as shutil.rmtree does
            bad = not in_open_folder and any(map(outside, arguments))
        elif event == "subprocess.Popen" and _may_start_python[0]:
            bad = arguments[0] != sys.executable
        if bad:
            _forbidden.append(f"{event} {arguments[0] if arguments else ''}")
            raise _Forbidden(event)

    sys.addaudithook(hook)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
