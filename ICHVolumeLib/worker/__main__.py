"""`python -m ICHVolumeLib.worker` is the child process that Slicer starts."""

import sys

from .server import main

if __name__ == "__main__":
    sys.exit(main())
