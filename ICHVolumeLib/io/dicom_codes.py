"""What the Segmentation and the structured report have in common: codes, algorithm, tracking UIDs, dates.

Codes: DICOM PS3.16 CID 7150, 7151 (see core/labels.py), 7162, 7470, 7472, 7474.
"""

import hashlib
import warnings
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass

import pydicom
from pydicom.dataset import Dataset
from pydicom.sr.coding import Code

from ..core.labels import Code as LabelCode
from ..core.labels import Label
from .dicom_source import SourceSeries

MANUFACTURER = "ICHVolume"
RESEARCH_USE = "Research use only, not a medical device"
ARTIFICIAL_INTELLIGENCE = Code("123110", "DCM", "Artificial Intelligence")
NewUid = Callable[[], str]


@dataclass(frozen=True)
class Algorithm:
    """What made the mask, or the model whose mask a person corrected; sha256: of its weights, "" for none."""

    name: str
    version: str
    sha256: str


def coded(code: LabelCode) -> Code:
    """A code of core/labels.py as pydicom's."""
    scheme, value, meaning = code
    return Code(value, scheme, meaning)


def fresh_uid() -> str:
    """2.25 and a random UUID: every new instance is another one, also when a case is run again (PS3.5, 9 and B.2)."""
    return pydicom.uid.generate_uid(prefix=None)


def tracking_uid(series_uid: str, label: Label) -> str:
    """The same for one label of one series however often its mask is made again or corrected (2.25, PS3.5 B.2)."""
    return lasting_uid(f"{MANUFACTURER}|{series_uid}|{label.name}")


def lasting_uid(text: str) -> str:
    """A UID that follows from a text."""
    return f"2.25.{int.from_bytes(hashlib.sha256(text.encode('utf-8')).digest()[:15], 'big')}"


def series_number(source: SourceSeries, kind: int) -> int:
    """Series 3 gives 301 (kind 1, Segmentation) and 302 (kind 2, report); 901 and 902 where it has no usable number."""
    number = int(source.header.SeriesNumber)
    return 100 * (number if 0 < number < 1_000_000 else 9) + kind


@contextmanager
def quiet_highdicom():
    """Without its warnings of a source whose values bend the standard: they are passed on as they are."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def state_dates(dataset: Dataset, source: SourceSeries) -> None:
    """Leave a de-identified series without dates that it had not (see SourceSeries.stated)."""
    if source.stated is None:
        return
    dataset.ContentDate, dataset.ContentTime = source.stated
    for name in ("InstanceCreationDate", "InstanceCreationTime"):
        if name in dataset:
            delattr(dataset, name)
    for item in dataset.get("ContributingEquipmentSequence") or []:
        if "ContributionDateTime" in item:
            del item.ContributionDateTime
    if modified := source.header.get("LongitudinalTemporalInformationModified"):
        dataset.LongitudinalTemporalInformationModified = modified
