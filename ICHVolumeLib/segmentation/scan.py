"""One scan on its way through the networks: turned as they were trained, given to each on its own grid, and what they
find written through to the scan's own grid."""

import numpy as np

from ..core.ct_volume import CTVolume
from ..core.findings import WARNING, Finding
from ..core.labels import ICH, IVH, LABELS
from ..imaging.boxes import bounding_box
from ..imaging.head_mask import HeadMask, find_head
from ..imaging.volume import volume_ml
from ..network.weights import Weights
from ..postprocessing.false_positive_filter import POSSIBLE
from ..postprocessing.local_contrast import Evidence
from ..postprocessing.steps import clean_mask
from .clean_up_findings import clean_up_findings
from .conformal_interval import Amounts, amounts_of
from .grid import Grid, make_grid
from .input_slices import moved_hu, neighbours, windowed
from .orientation import Orientation

AMBIGUOUS = (POSSIBLE, 0.8)  # p(bleed) between these is neither bleed nor background
USUAL_HU = (28.0, 39.0)  # levels of brain that the heads of training, and most others, have
MUCH_MOVED_HU = 3.0  # beyond these; less is what the level of one head is measured to
UNCERTAINTY_FLOOR_MM2 = 10.0  # so that a single doubtful pixel does not make a slice look bad


class TurnedScan:
    """hu (slices, rows, columns): k from the feet to the head, rows front to back, columns patient right to left.

    spacing_mm: along rows, then columns. head: where the brain can be; slices_to_run: indices of the slices with brain,
    all of them with crop False. Raises InputError when the slices are not axial.
    """

    def __init__(self, ct: CTVolume, crop: bool = True):
        self.orientation = Orientation.of(ct)
        self.hu = self.orientation.view(ct.hu)
        self.spacing_mm = ct.pixel_spacing_mm[::-1] if self.orientation.transpose else ct.pixel_spacing_mm
        self.voxel_mm3 = ct.voxel_volumes_mm3[::-1] if self.orientation.flip[0] else ct.voxel_volumes_mm3
        self.pixel_area_mm2 = ct.pixel_area_mm2
        self.head: HeadMask = find_head(self.hu, self.spacing_mm)
        self.crop = crop
        self.slices_to_run = np.flatnonzero(self.head.has_brain) if crop else np.arange(len(self.hu))


class NetworkSlices:
    """A scan's slices on the grid of one network, windowed as it was trained, each amid its neighbours."""

    def __init__(self, scan: TurnedScan, weights: Weights):
        self.hu, self._weights = scan.hu, weights
        pixels = weights.manifest["pixel_spacing_mm"]
        self._moved_hu = moved_hu(scan.head.brain_hu, weights.brain_hu)
        self.grid: Grid = make_grid(scan.head, self.hu.shape[1:], scan.spacing_mm, tuple(pixels["native_range"]),
                                    pixels["target"], weights.config.size_multiple, scan.crop)
        self.pixel_mm = tuple(spacing * native / size for spacing, native, size in
                              zip(scan.spacing_mm, self.grid.native_shape, self.grid.shape, strict=True))
        self._near: dict[int, np.ndarray] = {}  # the last slices brought to the network: a neighbour is needed again

    def of(self, indices: np.ndarray) -> np.ndarray:
        """(n, in_slices, *box_shape) float32; beyond the first and last slice the end slice is repeated."""
        rows = neighbours(indices, len(self.hu), self._weights.config.in_slices)
        self._near = {k: self._near[k] if k in self._near else self._single(k) for k in np.unique(rows).tolist()}
        return np.stack([[self._near[k] for k in row] for row in rows.tolist()])

    def _single(self, k: int) -> np.ndarray:
        return self.grid.to_network(windowed(self.hu[k], self._weights.window_hu, self._moved_hu))


class ScanResult:
    """What the network found, slice by slice, and the mask that becomes of it.

    mask: uint8 on the scan's own grid, 0 background, 1 ICH, 2 IVH.
    """

    def __init__(self, ct: CTVolume, scan: TurnedScan, weights: Weights, grid: Grid):
        self._scan, self._weights, self._grid = scan, weights, grid
        self.mask = np.zeros(ct.hu.shape, np.uint8)
        self._mask = scan.orientation.view(self.mask)
        self._probability = np.zeros(scan.hu.shape, np.float16)  # pages that nothing is written to take no memory
        self._ivh_probability = np.zeros(scan.hu.shape, np.float16)
        self._likely = np.zeros(scan.hu.shape, np.uint8)
        self._ambiguous_mm2 = np.zeros((2, len(scan.hu)))  # ICH, IVH
        self._mixed_mm2 = np.zeros(len(scan.hu))
        self._uncertainty = np.zeros(len(scan.hu), np.float32)

    def take(self, index: int, lesions: np.ndarray) -> None:
        """lesions: p(ICH), p(IVH) of one slice, (2, *box_shape). Only where they matter do they leave the box."""
        found = self._grid.around(lesions.sum(axis=0) >= min(self._weights.threshold, POSSIBLE))
        if found is None:
            return
        grid, part = found
        ich, ivh = grid.to_native(lesions[(slice(None), *part)])
        bleed = ich + ivh
        marked = bleed >= self._weights.threshold
        label = np.where(ivh > ich, np.uint8(IVH.value), np.uint8(ICH.value))
        self._probability[(index, *grid.native_part)] = bleed
        self._ivh_probability[(index, *grid.native_part)] = ivh
        self._likely[(index, *grid.native_part)] = label * (bleed >= POSSIBLE)
        self._mask[(index, *grid.native_part)] = label * marked
        doubtful = (bleed >= AMBIGUOUS[0]) & (bleed < AMBIGUOUS[1])
        doubtful_mm2, either_mm2, ivh_mm2 = (np.count_nonzero(area) * self._scan.pixel_area_mm2
                                             for area in (doubtful, doubtful | marked, doubtful & (ivh > ich)))
        self._ambiguous_mm2[:, index] = doubtful_mm2 - ivh_mm2, ivh_mm2
        self._mixed_mm2[index] = mixed_share(ivh[marked], bleed[marked]).sum() * self._scan.pixel_area_mm2
        self._uncertainty[index] = doubtful_mm2 / (either_mm2 + UNCERTAINTY_FLOOR_MM2)

    def clean(self) -> list[dict]:
        """The steps of postprocessing.steps.clean_mask, done; their slices counted as in the scan."""
        scan, manifest = self._scan, self._weights.manifest
        classifier = manifest["calibration"].get("pieces")
        evidence = Evidence(scan.hu, self._probability, scan.spacing_mm, classifier, self._likely,
                            self._ivh_probability) if classifier else None
        cleaned, steps = clean_mask(self._mask, scan.voxel_mm3, scan.head if scan.head.skull_found else None,
                                    manifest["clean_up_mm3"], evidence)
        for where in (bounding_box(self._mask, (0, 0, 0)), bounding_box(cleaned, (0, 0, 0))):
            if where is not None:
                self._mask[where] = cleaned[where]
        if scan.orientation.flip[0]:
            steps = [{**step, **({"slices": [len(scan.hu) - 1 - k for k in reversed(step["slices"])]}
                                 if "slices" in step else {})} for step in steps]
        return steps

    @property
    def marked_ml(self) -> float:
        return volume_ml(self._mask, self._scan.voxel_mm3)

    @property
    def amounts(self) -> Amounts:
        """What is marked and what is doubtful, as the intervals need it."""
        slab_mm = self._scan.voxel_mm3 / self._scan.pixel_area_mm2
        marked_ml = {label.name: volume_ml(self._mask, self._scan.voxel_mm3, label.value) for label in LABELS}
        ambiguous = (self._ambiguous_mm2 @ slab_mm / 1000).tolist()
        return amounts_of(marked_ml, {label.name: ml for label, ml in zip(LABELS, ambiguous, strict=True)},
                          float(self._mixed_mm2 @ slab_mm) / 1000)

    @property
    def slice_uncertainty(self) -> np.ndarray:
        """(slices,) float32, in the scan's own order."""
        flipped = self._scan.orientation.flip[0]
        return np.ascontiguousarray(self._uncertainty[::-1] if flipped else self._uncertainty)

    def findings(self, clean_up: list[dict]) -> list[Finding]:
        noticed = []
        if not self._scan.head.skull_found:
            noticed.append(Finding("no-skull", WARNING, "No skull was found, so this may not be a head CT in "
                                                        "Hounsfield units; the whole of every slice was searched."))
        is_shown_moved = self._weights.brain_hu is not None
        if is_shown_moved and abs(moved_hu(self._scan.head.brain_hu, USUAL_HU)) >= MUCH_MOVED_HU:
            noticed.append(_moved_finding(self._scan.head.brain_hu))
        return noticed + clean_up_findings(clean_up, self.marked_ml)


def mixed_share(ivh: np.ndarray, bleed: np.ndarray) -> np.ndarray:
    """p(IVH) or p(ICH) as a share of p(bleed), whichever is smaller: of the voxels of a bleed, expected under the wrong
    label."""
    return np.minimum(ivh, bleed - ivh) / np.maximum(bleed, 1e-6)


def _moved_finding(brain_hu: float) -> Finding:
    what = "brighter" if brain_hu > USUAL_HU[1] else "darker"
    return Finding("brain-level", WARNING,
                   f"The brain is {what} ({brain_hu:.0f} HU) than in the heads that the model learned from "
                   f"({USUAL_HU[0]:.0f} to {USUAL_HU[1]:.0f} HU), and was shown to it at their level. Such scans are "
                   "marked less surely: look at the mask slice by slice, and correct it.")
