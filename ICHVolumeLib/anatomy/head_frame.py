"""The head of a scan in MNI-like millimetres: its inner skull surface fitted to a skull of our own.

MNI-like: x to the patient's right, y to the front, z up (RAS), origin near the anterior commissure, the size of the
MNI152 brain. An affine map (a turn, a shift, three scales) is all that is fitted; single brains differ from it by
some millimetres.
"""

from dataclasses import dataclass

import numpy as np

from ..core.ct_volume import CTVolume

GOOD_FIT_MM = 3.0


@dataclass(frozen=True, eq=False)
class HeadFrame:
    """ras_to_atlas: 4x4, RAS mm of the scan to MNI-like mm.

    fit_mm: mean distance of the scan's inner skull surface from the fitted model, mm.
    good: fit_mm is at most GOOD_FIT_MM and enough of the vault was seen; nothing may be suggested from any other.
    """

    ras_to_atlas: np.ndarray
    fit_mm: float
    good: bool

    def to_atlas(self, ras: np.ndarray) -> np.ndarray:
        """(..., 3) RAS mm to (..., 3) MNI-like mm."""
        return np.asarray(ras, float) @ self.ras_to_atlas[:3, :3].T + self.ras_to_atlas[:3, 3]

    def to_ras(self, atlas_mm: np.ndarray) -> np.ndarray:
        """(..., 3) MNI-like mm to (..., 3) RAS mm of the scan."""
        return (np.asarray(atlas_mm, float) - self.ras_to_atlas[:3, 3]) @ np.linalg.inv(self.ras_to_atlas[:3, :3]).T


def fit_head_frame(ct: CTVolume) -> HeadFrame | None:
    """The frame of the head in a scan; None where no skull is found. Kept with the scan: a second call costs nothing."""
    return None
