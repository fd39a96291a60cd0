"""`python -m ICHVolumeLib.worker` is the child process that Slicer starts."""

import sys

from .event_stream import event_stream

if __name__ == "__main__":
    events = event_stream()  # before anything that may print is imported
    from .server import main

    sys.exit(main(events))
