"""The exceptions a caller may meet. Each message says what is wrong, where, and what to do."""


class ICHVolumeError(Exception):
    """Anything this library raises on purpose; the command line exits with 1."""


class InputError(ICHVolumeError):
    """The scan, mask, weights or output folder cannot be used as given; the command line exits with 2."""


class Cancelled(ICHVolumeError):
    """The user asked to stop; nothing was written. The command line exits with 3."""
