"""Who was scanned and when, for the table of many cases: a salted pseudonym, and the scanner's date and time.

Neither the patient's name nor the patient ID is ever written. The pseudonym is an HMAC-SHA256 (RFC 2104) of the patient
ID with a secret salt: with the salt file one can tell two scans of a patient; without it nobody gets the ID back.
"""

import hashlib
import hmac
from datetime import datetime
from pathlib import Path

from ..core.errors import InputError

IDENTITY_TAGS = ("PatientID", "PatientIdentityRemoved", "AcquisitionDateTime", "AcquisitionDate", "AcquisitionTime",
                 "ContentDate", "ContentTime", "SeriesDate", "SeriesTime", "StudyDate", "StudyTime")
LEAST_SALT_BYTES = 16


def scanned_at(item) -> str:
    """ISO 8601, without the time where only the day is known; item: io.dicom_series.Slice. Empty when the series says
    no date, or calls itself de-identified (DICOM PS3.15, E.1): its dates may be real ones that were overlooked."""
    if item.text("PatientIdentityRemoved").upper() == "YES":
        return ""
    whole = item.text("AcquisitionDateTime")
    stamps = [whole[:14].split(".")[0]] + [
        item.text(f"{kind}Date").replace(".", "") + item.text(f"{kind}Time").replace(":", "").split(".")[0]
        for kind in ("Acquisition", "Content", "Series", "Study")]
    return next(filter(None, map(_iso, stamps)), "")


def _iso(digits: str) -> str:
    """"20221006093012" -> "2022-10-06T09:30:12", "20221006" -> "2022-10-06"; empty when it is no date."""
    for length, read, written in ((14, "%Y%m%d%H%M%S", "%Y-%m-%dT%H:%M:%S"), (12, "%Y%m%d%H%M", "%Y-%m-%dT%H:%M"),
                                  (8, "%Y%m%d", "%Y-%m-%d")):
        if len(digits) >= length and digits[:length].isdecimal():
            try:
                return datetime.strptime(digits[:length], read).strftime(written)
            except ValueError:  # a 13th month, a 25th hour: less of it may still be right
                continue
    return ""


def read_salt(path) -> bytes:
    """The secret of a study. Raises InputError when there is no such file or too little in it to be a secret."""
    try:
        salt = Path(path).read_bytes().strip()  # an editor may add a line end
    except OSError as error:
        raise InputError(f"The salt file {path} cannot be read ({error.strerror}); make one, once for a study, with "
                         f'`python -c "import secrets; print(secrets.token_hex(32))" > {path}`, and keep it secret.') \
            from error
    if len(salt) < LEAST_SALT_BYTES:
        raise InputError(f"The salt file {path} holds {len(salt)} bytes; use {LEAST_SALT_BYTES} or more random ones, "
                         "or patients could be found by trying.")
    return salt


def patient_key(patient_id: str, salt: bytes) -> str:
    """"p-" and 16 hexadecimal digits; empty without a patient ID. The letter keeps a spreadsheet from reading a number
    in it."""
    patient_id = patient_id.strip()
    return "p-" + hmac.new(salt, patient_id.encode("utf-8"), hashlib.sha256).hexdigest()[:16] if patient_id else ""


def salt_mark(salt: bytes) -> str:
    """Tells two salts apart without giving one away: 16 hexadecimal digits of a hash of its own."""
    return hmac.new(salt, b"ichvolume salt mark", hashlib.sha256).hexdigest()[:16]
