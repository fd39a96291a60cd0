"""Findings: what a check of the scan or the mask noticed, in words a surgeon understands."""

from dataclasses import dataclass

INFO = "info"  # worth knowing
WARNING = "warning"  # the numbers may be off; look
ERROR = "error"  # the scan cannot be used


@dataclass(frozen=True)
class Finding:
    """code: short and stable, lower-case words with dashes ("gantry-tilt"); severity: info, warning or error."""

    code: str
    severity: str
    message: str
