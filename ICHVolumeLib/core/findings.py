"""Findings: what a check of the scan or the mask noticed, in words a surgeon understands."""

from dataclasses import dataclass

INFO = "info"  # worth knowing
WARNING = "warning"  # the numbers may be off; look
ERROR = "error"  # the scan cannot be used

# codes of what is said of the model's mask, or of what it left out: no longer so where a person has corrected the mask
OF_THE_MODELS_MASK = ("doubtful-pieces", "left-out-below-skull", "possible-pieces", "clean-up-changed",
                      "unmarked-blood", "blood-outside-brain")


@dataclass(frozen=True)
class Finding:
    """code: short and stable, lower-case words with dashes ("gantry-tilt"); severity: info, warning or error."""

    code: str
    severity: str
    message: str
