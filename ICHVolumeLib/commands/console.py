"""What the commands write: answers on standard output, the progress bar and complaints on standard error."""

import argparse
import json
import shutil
import sys
import time
from pathlib import Path

from ..core.text import shown, shown_values

STAGE_WORDS = {"head": "Making the head", "scan": "Scanning it", "read": "Reading", "coarse": "Looking at the head",
               "network": "Finding the bleed", "clean": "Cleaning the mask", "measure": "Measuring",
               "register": "Matching the heads", "report": "Drawing the report", "write": "Writing"}


def say(text: str = "") -> None:
    sys.stdout.write(shown(text) + "\n")


def say_json(values: dict) -> None:
    """One line of ASCII: whole on a console of any encoding."""
    sys.stdout.write(json.dumps(shown_values(values), allow_nan=False) + "\n")
    sys.stdout.flush()


def complain(sentence: str) -> None:
    """One line on standard error, whatever the message was broken into."""
    sys.stderr.write("ichvolume: " + " ".join(shown(sentence).split()) + "\n")


def count(text: str) -> int:
    """An argument that counts something: 0, 1, 2, ..."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 on")
    return int(text)


def add_force_argument(parser) -> None:
    parser.add_argument("--force", action="store_true",
                        help="write into OUT although files there were changed since (a correction); a copy of each "
                             "stays beside under a name with the date")


def add_dicom_argument(parser) -> None:
    parser.add_argument("--dicom", action="store_true",
                        help="also write a DICOM Segmentation (ich.seg.dcm) and a structured report (ich.sr.dcm); "
                             "INPUT must be DICOM, and the package highdicom installed")


def add_patient_key_argument(parser) -> None:
    parser.add_argument("--patient-key", type=Path, metavar="SALT_FILE",
                        help="put a pseudonym of the patient into result.json and result.csv, made from the patient ID "
                             "and the secret in this file: the same for all scans of a patient (default: none)")


def add_report_argument(parser) -> None:
    parser.add_argument("--no-report", dest="report", action="store_false",
                        help="leave report.html out (an earlier one in OUT is removed: it would show other numbers)")


def add_progress_argument(parser) -> None:
    parser.add_argument("--progress", choices=("bar", "json", "none"), default=None,
                        help="bar (default on a terminal), json (one JSON object a line on standard output, "
                             "nothing else there) or none")


class Progress:
    """Called as progress(stage, done, total) by every step. kind: "bar", "json", "none" or None (decide)."""

    def __init__(self, kind: str | None = None):
        self.kind = kind or ("bar" if sys.stderr.isatty() else "none")
        self._started = time.perf_counter()
        self._width_drawn = 0

    def __call__(self, stage: str, done: int, total: int) -> None:
        seconds = round(time.perf_counter() - self._started, 2)
        if self.kind == "json":
            say_json({"event": "progress", "stage": stage, "done": done, "total": total, "seconds": seconds})
        elif self.kind == "bar":
            self._draw(stage, done, total, seconds)

    def close(self) -> None:
        """Take the bar away, so that the next line starts clean."""
        if self._width_drawn:
            sys.stderr.write("\r" + " " * self._width_drawn + "\r")
            sys.stderr.flush()
            self._width_drawn = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _draw(self, stage, done, total, seconds):
        filled = round(24 * done / total) if total else 0
        line = f"{STAGE_WORDS.get(stage, stage):<20} [{'#' * filled}{'.' * (24 - filled)}] {done}/{total}  {seconds} s"
        line = line[:shutil.get_terminal_size().columns - 1]
        sys.stderr.write("\r" + line.ljust(self._width_drawn))
        sys.stderr.flush()
        self._width_drawn = len(line)
