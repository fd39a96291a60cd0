"""The exceptions a caller may meet. Each message says what is wrong, where, and what to do."""

from .text import shown


class ICHVolumeError(Exception):
    """Anything this library raises on purpose; the command line exits with 1.

    Its text can be written and printed whatever path it names.
    """

    def __init__(self, message=""):
        super().__init__(shown(message))


class InputError(ICHVolumeError):
    """The scan, mask, weights or output folder cannot be used as given; the command line exits with 2."""


class Cancelled(ICHVolumeError):
    """The user asked to stop; nothing was written. The command line exits with 3."""
