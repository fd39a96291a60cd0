"""Standard output kept for events alone, whatever a library prints."""

import os
import sys
from typing import TextIO


def event_stream() -> TextIO:
    """A line-buffered UTF-8 copy of stdout; whatever else is printed to stdout from now on goes to stderr."""
    sys.stdout.flush()
    events = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n", buffering=1)
    os.dup2(2, 1)
    return events
