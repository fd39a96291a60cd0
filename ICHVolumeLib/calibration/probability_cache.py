"""What a network thought of a calibration patient, kept in a file: masks at any threshold can be made from it again."""

from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..core.atomic_files import replacing
from ..core.labels import ICH, IVH, LABELS
from ..imaging.boxes import bounding_box
from ..imaging.head_mask import HeadMask, find_head
from ..postprocessing.false_positive_filter import POSSIBLE, features_of_components
from ..postprocessing.local_contrast import SPARE_MM, Evidence
from ..postprocessing.partial_volume_slices import SLICES
from ..postprocessing.steps import clean_mask
from ..segmentation.conformal_interval import Amounts, amounts_of
from ..segmentation.orientation import Orientation
from ..segmentation.scan import AMBIGUOUS, mixed_share
from ..segmentation.segmenter import Segmenter
from ..synthetic.patients import Patient
from .fit_filter import OVERLAP

LEAST_KEPT = 0.03  # probabilities below the lowest threshold need not be kept


@dataclass(frozen=True, eq=False)
class CachedProbabilities:
    """A box of the scan around everything that is next to a bleed, turned as the network sees it.

    probability: p(bleed), float16; ivh_probability: p(IVH), float16; hu: int16; truth: uint8, all of the box.
    corner: the box's first index; shape: of the scan; spacing_mm along rows, then columns;
    voxel_volumes_mm3 of all slices; head: None where no skull was found.
    """

    probability: np.ndarray
    ivh_probability: np.ndarray
    hu: np.ndarray
    truth: np.ndarray
    corner: tuple[int, int, int]
    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float]
    voxel_volumes_mm3: np.ndarray
    head: HeadMask | None

    @property
    def box(self) -> tuple[slice, ...]:
        sizes = self.probability.shape
        return tuple(slice(first, first + size) for first, size in zip(self.corner, sizes, strict=True))

    def mask(self, threshold: float, limits_mm3: dict | None = None, classifier: dict | None = None,
             leave_out: Container[str] = ()) -> np.ndarray:
        """uint8, the cleaned mask of the box at a threshold, 1 ICH, 2 IVH; leave_out: steps of the clean-up."""
        label = self._labels
        marked = self._whole((self.probability >= np.float16(threshold)) * label)
        likely = (self.probability >= np.float16(POSSIBLE)) * label
        evidence = classifier and Evidence(*map(self._whole, (self.hu, self.probability)), self.spacing_mm, classifier,
                                           self._whole(likely), self._whole(self.ivh_probability))
        cleaned, _ = clean_mask(marked, self.voxel_volumes_mm3, self.head, limits_mm3, evidence, leave_out)
        return cleaned[self.box]

    def volume_ml(self, threshold: float, limits_mm3: dict | None = None, classifier: dict | None = None) -> float:
        return self._ml(self.mask(threshold, limits_mm3, classifier) > 0)

    def components(self, threshold: float, limits_mm3: dict | None = None) -> tuple[list[list[float]], list[bool]]:
        """(features, real) of every component of the mask at a threshold, as the classifier asks
        for them; real: a tenth of it is blood."""
        evidence = Evidence(self.hu, self.probability, self.spacing_mm)
        numbered, features = features_of_components(self.mask(threshold, limits_mm3), self._mm3, evidence)
        sizes = np.bincount(numbered.ravel(), minlength=len(features) + 1)
        true = np.bincount(numbered[self.truth > 0], minlength=len(features) + 1)
        return features, (true > OVERLAP * sizes)[1:].tolist()

    def amounts(self, threshold: float, limits_mm3: dict | None = None, classifier: dict | None = None) -> Amounts:
        """What is marked and doubtful at a threshold, as `ScanResult.amounts` is."""
        mask = self.mask(threshold, limits_mm3, classifier)
        marked = self.probability >= np.float16(threshold)
        ambiguous = (self.probability >= np.float16(AMBIGUOUS[0])) & (self.probability < np.float16(AMBIGUOUS[1]))
        mixed = np.where(marked, mixed_share(*(one.astype(np.float32) for one in
                                               (self.ivh_probability, self.probability))), 0)
        return amounts_of({label.name: self._ml(mask == label.value) for label in LABELS},
                          {label.name: self._ml(ambiguous & (self._labels == label.value)) for label in LABELS},
                          float(mixed.sum((1, 2)) @ self._mm3) / 1000)

    @property
    def _labels(self) -> np.ndarray:
        """uint8, what each voxel would be called, by the larger of p(ICH) and p(IVH)."""
        return np.where(2 * self.ivh_probability.astype(np.float32) > self.probability, IVH.value,
                        ICH.value).astype(np.uint8)

    @property
    def _mm3(self) -> np.ndarray:
        return self.voxel_volumes_mm3[self.box[0]]

    def _ml(self, binary: np.ndarray) -> float:
        return float(np.count_nonzero(binary, axis=(1, 2)) @ self._mm3) / 1000

    def _whole(self, part: np.ndarray) -> np.ndarray:
        whole = np.zeros(self.shape, part.dtype)
        whole[self.box] = part
        return whole


def probabilities_of(segmenter: Segmenter, patient: Patient) -> CachedProbabilities:
    """Run the network on a patient (axial)."""
    ct = patient.ct
    orientation = Orientation.of(ct)
    lesions = segmenter.lesion_probabilities(ct)
    probability, ivh, hu = map(orientation.view, (lesions.sum(axis=0), lesions[1], ct.hu))
    spacing_mm = ct.pixel_spacing_mm[::-1] if orientation.transpose else ct.pixel_spacing_mm
    head = find_head(hu, spacing_mm)
    mm3 = ct.voxel_volumes_mm3[::-1] if orientation.flip[0] else ct.voxel_volumes_mm3
    spare = (1 + SLICES, *(int(np.ceil(SPARE_MM / step)) for step in spacing_mm))
    box = bounding_box(probability >= np.float16(LEAST_KEPT), spare) or (slice(0, 0),) * 3
    parts = (np.ascontiguousarray(one[box]) for one in (probability, ivh, hu, orientation.view(patient.truth)))
    return CachedProbabilities(*parts, tuple(part.start for part in box), probability.shape,
                               tuple(map(float, spacing_mm)), np.array(mm3, float),
                               head if head.skull_found else None)


def save_probabilities(path: Path, kept: CachedProbabilities):
    head = {"enclosed": kept.head.enclosed, "has_brain": kept.head.has_brain} if kept.head else {}
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        np.savez_compressed(file, probability=kept.probability, ivh_probability=kept.ivh_probability, hu=kept.hu,
                            truth=kept.truth, corner=kept.corner, shape=kept.shape, spacing_mm=kept.spacing_mm,
                            voxel_volumes_mm3=kept.voxel_volumes_mm3,
                            **head)


def load_probabilities(path: Path) -> CachedProbabilities:
    with np.load(path, allow_pickle=False) as file:
        head = HeadMask(file["enclosed"], file["has_brain"], True) if "enclosed" in file.files else None
        return CachedProbabilities(file["probability"], file["ivh_probability"], file["hu"], file["truth"],
                                   *(tuple(file[name].tolist()) for name in ("corner", "shape", "spacing_mm")),
                                   file["voxel_volumes_mm3"], head)
