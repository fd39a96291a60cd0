"""`python -m ICHVolumeLib` is the command `ichvolume`."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
