"""One case of a data set: the scan, what is known of its blood, and under which terms it may be used."""

from dataclasses import dataclass, field

import numpy as np

from ..core import labels
from ..core.ct_volume import CTVolume
from ..core.errors import InputError
from ..core.labels import ICH, IVH

OUTSIDE_BRAIN, UNSURE = labels.OUTSIDE_BRAIN.value, 255  # in a truth, beside 1 ICH and 2 IVH
TRAIN, VALIDATE, TEST = "train", "validate", "test"


@dataclass(frozen=True, eq=False)
class DatasetCase:
    """id: unique within its data set.

    truth: uint8 (slices, rows, columns) on the scan's grid: 0 none, 1 ICH, 2 IVH, OUTSIDE_BRAIN blood that is neither,
        UNSURE voxels that nothing is learnt from and nothing is scored on; all 0 for a scan without blood. None: nobody
        has marked it, so that whether it bleeds is not known.
    licence: as the data set words it, with whom to name. split: TRAIN, VALIDATE, TEST or a data set's own word; empty
        where the data set has none. dataset: its name in the registry.
    patient: the same for all cases of one person; the id where nothing else is known. study: as DICOM's
        StudyInstanceUID has it, or empty.
    Raises InputError when truth is on another grid or has other values.
    """

    id: str
    ct: CTVolume
    truth: np.ndarray | None
    licence: str
    split: str = ""
    dataset: str = ""
    patient: str = field(default="", repr=False)
    study: str = field(default="", repr=False)

    def __post_init__(self):
        object.__setattr__(self, "patient", self.patient or self.id)
        if self.truth is None:
            return
        if self.truth.shape != self.ct.hu.shape:
            raise InputError(f"{self.id}: the mask has {self.truth.shape} voxels and the scan {self.ct.hu.shape}; "
                             "give the mask that was drawn on this scan.")
        unknown = sorted(set(np.unique(self.truth).tolist()) - {0, ICH.value, IVH.value, OUTSIDE_BRAIN, UNSURE})
        if unknown or self.truth.dtype != np.uint8:
            values = ", ".join(map(str, unknown[:8])) or f"of type {self.truth.dtype}, not uint8"
            raise InputError(f"{self.id}: the mask has values {values}; it may have 1 (ICH), 2 (IVH), {OUTSIDE_BRAIN} "
                             f"(blood outside the brain) and {UNSURE} (unsure).")

    @property
    def bleeds(self) -> bool | None:
        """Whether any blood is marked; None where nobody has looked."""
        return None if self.truth is None else bool(self.truth.any())

    def row(self) -> dict:
        """What a table says of the case beside its numbers."""
        return {"dataset": self.dataset, "split": self.split, "made_head": False}
