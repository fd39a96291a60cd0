"""Who a scan of RSNA 2019 (the challenge's DICOM files) is: its IDs stay in the names of sets that were made from it.

BHSD's files are called ID_<patient>_ID_<study>; HemSeg's are called <study>, and their list names the patient.
"""

import re

_BOTH = re.compile(r"(ID_[0-9a-f]{8})_(ID_[0-9a-f]{10})")
_STUDY = re.compile(r"[0-9a-f]{10}")


def identity(name: str) -> dict[str, str]:
    """{"patient", "study"} as RSNA's DICOM headers have them, as far as the name of a file tells."""
    if both := _BOTH.fullmatch(name):
        return {"patient": both[1], "study": both[2]}
    return {"study": f"ID_{name}"} if _STUDY.fullmatch(name) else {}
