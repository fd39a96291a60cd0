"""What a network thought of a calibration patient, kept in a file: masks at any threshold can be made from it again."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..core.atomic_files import replacing
from ..core.labels import ICH
from ..evaluation.cases import box_around
from ..postprocessing.false_positive_filter import POSSIBLE, all_facts
from ..postprocessing.local_contrast import SPARE_MM, Evidence
from ..postprocessing.partial_volume_slices import SLICES
from ..postprocessing.steps import clean_mask
from ..segmentation.grid import Head, Orientation, find_head
from ..segmentation.segmenter import AMBIGUOUS, Segmenter
from ..synthetic.patients import Patient
from .fit_filter import OVERLAP

LEAST_KEPT = 0.03  # chances below the lowest threshold need not be kept


@dataclass(frozen=True, eq=False)
class Chances:
    """A box of the scan around everything that is next to a bleed, turned as the network sees it.

    chance: p(bleed), float16; hu: int16; truth: uint8, of the box; corner: the box's first index; shape: of the scan;
    spacing_mm along rows, then columns; voxel_volumes_mm3 of all slices; head: None where no skull was found.
    """

    chance: np.ndarray
    hu: np.ndarray
    truth: np.ndarray
    corner: tuple[int, int, int]
    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float]
    voxel_volumes_mm3: np.ndarray
    head: Head | None

    @property
    def box(self) -> tuple[slice, ...]:
        return tuple(slice(first, first + size) for first, size in zip(self.corner, self.chance.shape, strict=True))

    def mask(self, threshold: float, limits_mm3: dict | None = None, verdict: dict | None = None) -> np.ndarray:
        """uint8, the cleaned mask of the box at a threshold; all of it is called ICH."""
        marked = self._whole((self.chance >= np.float16(threshold)) * np.uint8(ICH.value))
        likely = (self.chance >= np.float16(POSSIBLE)) * np.uint8(ICH.value)
        evidence = verdict and Evidence(*map(self._whole, (self.hu, self.chance)), self.spacing_mm, verdict,
                                        self._whole(likely))
        cleaned, _ = clean_mask(marked, self.voxel_volumes_mm3, self.head, limits_mm3, evidence)
        return cleaned[self.box]

    def volume_ml(self, threshold: float, limits_mm3: dict | None = None, verdict: dict | None = None) -> float:
        return self._ml(self.mask(threshold, limits_mm3, verdict) > 0)

    def pieces(self, threshold: float, limits_mm3: dict | None = None) -> tuple[list[list[float]], list[bool]]:
        """(facts, real) of every piece of the mask at a threshold, see doubt.py; real: a tenth of it is blood."""
        evidence = Evidence(self.hu, self.chance, self.spacing_mm)
        numbered, facts = all_facts(self.mask(threshold, limits_mm3), self._mm3, evidence)
        sizes = np.bincount(numbered.ravel(), minlength=len(facts) + 1)
        true = np.bincount(numbered[self.truth > 0], minlength=len(facts) + 1)
        return facts, (true > OVERLAP * sizes)[1:].tolist()

    def ambiguous_ml(self) -> float:
        return self._ml((self.chance >= np.float16(AMBIGUOUS[0])) & (self.chance < np.float16(AMBIGUOUS[1])))

    @property
    def _mm3(self) -> np.ndarray:
        return self.voxel_volumes_mm3[self.box[0]]

    def _ml(self, binary: np.ndarray) -> float:
        return float(np.count_nonzero(binary, axis=(1, 2)) @ self._mm3) / 1000

    def _whole(self, part: np.ndarray) -> np.ndarray:
        whole = np.zeros(self.shape, part.dtype)
        whole[self.box] = part
        return whole


def chances_of(segmenter: Segmenter, patient: Patient) -> Chances:
    """Run the network on a patient (axial)."""
    ct = patient.ct
    orientation = Orientation.of(ct)
    chance, hu = orientation.view(segmenter.bleed_chance(ct)), orientation.view(ct.hu)
    spacing_mm = ct.pixel_spacing_mm[::-1] if orientation.transpose else ct.pixel_spacing_mm
    head = find_head(hu, spacing_mm)
    mm3 = ct.voxel_volumes_mm3[::-1] if orientation.flip[0] else ct.voxel_volumes_mm3
    spare = (1 + SLICES, *(int(np.ceil(SPARE_MM / step)) for step in spacing_mm))
    box = box_around(chance >= np.float16(LEAST_KEPT), spare) or (slice(0, 0),) * 3
    parts = (np.ascontiguousarray(one[box]) for one in (chance, hu, orientation.view(patient.truth)))
    return Chances(*parts, tuple(part.start for part in box), chance.shape, tuple(map(float, spacing_mm)),
                   np.array(mm3, float), head if head.skull_found else None)


def save_chances(path: Path, kept: Chances):
    head = {"enclosed": kept.head.enclosed, "has_brain": kept.head.has_brain} if kept.head else {}
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        np.savez_compressed(file, chance=kept.chance, hu=kept.hu, truth=kept.truth, corner=kept.corner,
                            shape=kept.shape, spacing_mm=kept.spacing_mm, voxel_volumes_mm3=kept.voxel_volumes_mm3,
                            **head)


def load_chances(path: Path) -> Chances:
    with np.load(path, allow_pickle=False) as file:
        head = Head(file["enclosed"], file["has_brain"], True) if "enclosed" in file.files else None
        return Chances(file["chance"], file["hu"], file["truth"], tuple(file["corner"].tolist()),
                       tuple(file["shape"].tolist()), tuple(file["spacing_mm"].tolist()),
                       file["voxel_volumes_mm3"], head)
