"""A head CT as the rest of the library sees it: Hounsfield units plus true slice positions.

Axis order: arrays are (slices, rows, columns) = (k, j, i), as in Slicer's arrayFromVolume; world
coordinates are RAS in mm. A tilted gantry gives a sheared matrix and uneven spacing gives slices off
the regular grid, so no volume here is ever a product of three spacings.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from .errors import InputError
from .findings import Finding

UNEVEN_TOLERANCE_MM = 0.05  # DICOM positions are rounded to about 0.01 mm


@dataclass(frozen=True)
class ScanInfo:
    """What the file said about the scan; every field may be unknown (None or empty)."""

    source: str = ""
    modality: str = "CT"
    series_uid: str = ""
    series_description: str = ""
    manufacturer: str = ""
    kernel: str = ""
    contrast_agent: str = ""
    slice_thickness_mm: float | None = None  # the most common one; the first of equals
    slice_thicknesses_mm: tuple[float, ...] = ()  # of every slice, where the file says it
    gantry_tilt_tag_deg: float | None = None  # what the header claims; tilt_deg below comes from positions
    patient_age_years: float | None = None
    image_type: str = ""  # DICOM's values joined by backslashes
    rescale_type: str = ""  # "HU" where the file says so
    protocol_name: str = ""
    body_part: str = ""
    patient_id: str = field(default="", repr=False)  # never written to any file; see io.patient_key
    study_uid: str = field(default="", repr=False)
    scanned_at: str = ""  # ISO 8601 without a time zone; empty when unknown or de-identified


@dataclass(frozen=True, eq=False)
class CTVolume:
    """One CT series.

    hu: int16 Hounsfield units, (slices, rows, columns).
    ijk_to_ras: 4x4, voxel index (i column, j row, k slice, 1) to RAS mm. With uneven spacing it has the
        regular step from the first to the last slice, as Slicer's own DICOM reader makes it.
    slice_origins_ras: (slices, 3), RAS mm of the centre of voxel (i=0, j=0) of every slice as scanned.
    findings: what reading already noticed (dropped duplicates, chosen series, padding, ...).
    Raises InputError when shapes disagree or the geometry is degenerate.
    """

    hu: np.ndarray
    ijk_to_ras: np.ndarray
    slice_origins_ras: np.ndarray
    info: ScanInfo = field(default_factory=ScanInfo)
    findings: tuple[Finding, ...] = ()

    def __post_init__(self):
        where = self.info.source or "the scan"
        if self.hu.ndim != 3 or self.hu.shape[0] < 2:
            raise InputError(f"{where}: {self.hu.shape} is not a stack of at least two slices; "
                             "load the whole axial head series.")
        if self.slice_origins_ras.shape != (self.hu.shape[0], 3):
            raise InputError(f"{where}: {self.hu.shape[0]} slices but {len(self.slice_origins_ras)} positions.")
        matrix = np.asarray(self.ijk_to_ras, float)
        if matrix.shape != (4, 4) or not np.isfinite(matrix).all() or not np.isfinite(self.slice_origins_ras).all():
            raise InputError(f"{where}: the voxel spacing or position is not a number; re-export the series.")
        if abs(np.linalg.det(matrix[:3, :3])) < 1e-9:
            raise InputError(f"{where}: the voxel spacing is zero; re-export the series.")
        if (self.slice_steps_mm < 1e-6).any():
            k = int(np.argmax(self.slice_steps_mm < 1e-6))
            raise InputError(f"{where}: slice {k + 2} does not lie beyond slice {k + 1}; "
                             "give every slice its own position, in order.")

    @classmethod
    def regular(cls, hu, ijk_to_ras, info=None, findings=()):
        """A volume whose slices lie on the matrix's own regular (possibly sheared) grid."""
        matrix = np.asarray(ijk_to_ras, float)
        slice_indices = np.arange(hu.shape[0])[:, None]
        origins = matrix[:3, 3] + slice_indices * matrix[:3, 2]
        return cls(hu, matrix, origins, info or ScanInfo(), tuple(findings))

    @cached_property
    def pixel_spacing_mm(self) -> tuple[float, float]:
        """(along rows j, along columns i), mm: the distance between row centres, then column centres."""
        return float(np.linalg.norm(self.ijk_to_ras[:3, 1])), float(np.linalg.norm(self.ijk_to_ras[:3, 0]))

    @cached_property
    def pixel_area_mm2(self) -> float:
        return float(np.linalg.norm(np.cross(self.ijk_to_ras[:3, 0], self.ijk_to_ras[:3, 1])))

    @cached_property
    def slice_normal_ras(self) -> np.ndarray:
        """Unit normal of the slice plane, pointing towards increasing k."""
        normal = np.cross(self.ijk_to_ras[:3, 0], self.ijk_to_ras[:3, 1])
        normal = normal / np.linalg.norm(normal)
        return normal if normal @ self.ijk_to_ras[:3, 2] >= 0 else -normal

    @cached_property
    def slice_steps_mm(self) -> np.ndarray:
        """(slices - 1,), distance from each slice to the next ALONG THE NORMAL, mm."""
        return np.diff(np.asarray(self.slice_origins_ras, float), axis=0) @ self.slice_normal_ras

    @cached_property
    def slab_heights_mm(self) -> np.ndarray:
        """(slices,), mm each slice stands for: half the distance to both neighbours; ends, their one distance."""
        steps = np.abs(self.slice_steps_mm)
        return np.concatenate([steps[:1], (steps[:-1] + steps[1:]) / 2, steps[-1:]])

    @cached_property
    def voxel_volumes_mm3(self) -> np.ndarray:
        """(slices,), the volume of one voxel of each slice."""
        return self.pixel_area_mm2 * self.slab_heights_mm

    @cached_property
    def tilt_deg(self) -> float:
        """Angle between the slice normal and the way the slices are stacked (gantry tilt), from positions."""
        stack = self.slice_origins_ras[-1] - self.slice_origins_ras[0]
        cosine = abs(stack @ self.slice_normal_ras) / np.linalg.norm(stack)
        return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))

    @cached_property
    def is_uneven(self) -> bool:
        """True when slice positions leave the regular grid, so that voxels differ in height."""
        return bool(np.ptp(self.slice_steps_mm) > UNEVEN_TOLERANCE_MM)

    def voxel_to_ras(self, kji: np.ndarray) -> np.ndarray:
        """(..., 3) voxel coordinates (k, j, i), fractional allowed, to RAS mm at the TRUE slice positions."""
        kji = np.asarray(kji, float)
        slices = np.arange(len(self.slice_origins_ras))
        origin = np.stack([np.interp(kji[..., 0], slices, self.slice_origins_ras[:, axis]) for axis in range(3)], -1)
        return origin + kji[..., 2:3] * self.ijk_to_ras[:3, 0] + kji[..., 1:2] * self.ijk_to_ras[:3, 1]
