"""How far a marked area stands out from the brain around it, in Hounsfield units and in the spread of that brain.

What the clean-up asks the scan itself, beside the network: a slice is only looked at around the area, after a little
smoothing (`smoothed`, once for all who look), so that noise of single pixels counts less.
"""

from dataclasses import dataclass, replace

import numpy as np

from ..imaging.distance import distance_mm
from ..imaging.gaussian import blurred

AROUND_MM = (2.5, 9.0)  # the ring around an area; nearer there is partial volume, farther is other anatomy
BRAIN_HU = (5.0, 55.0)  # of the ring: neither CSF nor bone nor other blood
SMOOTHING_MM = 0.8  # SD of the Gaussian
LEAST_RING_MM2 = 30.0  # of brain; with less nothing can be said
SPARE_MM = AROUND_MM[1] + 3 * SMOOTHING_MM + 0.6  # what must be at hand around an area to look at it
LEAST_CONTRAST_HU = 10.0  # of a bleed to the brain around: the mask of a fainter one is left as the network drew it
WINDOW_HU = (-20.0, 110.0)  # bone must not bleed into the brain beside it


@dataclass(frozen=True, eq=False)
class Evidence:
    """What a mask can be held against; arrays (slices, rows, columns) on the mask's grid, turned as it is.

    hu: of the scan, or smoothed already (`smoothed_in`); probability: p(bleed) of every voxel, float; spacing_mm along
    rows, then columns; classifier: see false_positive_filter.py, None where only the features are asked for; likely:
    uint8, the label (1 ICH, 2 IVH) of every voxel with a p(bleed) of POSSIBLE there or more, 0 elsewhere;
    ivh_probability: p(IVH), float. These two None where they are not known.
    """

    hu: np.ndarray
    probability: np.ndarray
    spacing_mm: tuple[float, float]
    classifier: dict | None = None
    likely: np.ndarray | None = None
    ivh_probability: np.ndarray | None = None

    def smoothed_in(self, box: tuple[slice, ...]) -> "Evidence":
        """The same with the HU of an index box smoothed, and 0 HU, which is neither brain nor blood, elsewhere."""
        hu = np.zeros(self.hu.shape, np.float32)
        for target, one in zip(hu[box], self.hu[box], strict=True):
            target[...] = smoothed(one, self.spacing_mm)
        return replace(self, hu=hu)


@dataclass(frozen=True, eq=False)
class Around:
    """One area of one slice and what is around it.

    box: rows and columns that were looked at; hu (smoothed) and away_mm, distance to the area (0 and less inside), of
    that box; brain_hu, spread_hu: median and SD of the brain in the ring; brain_share: how much of the ring is brain.
    """

    box: tuple[slice, slice]
    hu: np.ndarray
    away_mm: np.ndarray
    brain_hu: float
    spread_hu: float
    brain_share: float

    @property
    def contrast_hu(self) -> float:
        """Median HU of the area above that of the brain around it."""
        return float(np.median(self.hu[self.away_mm <= 0])) - self.brain_hu


def smoothed(hu: np.ndarray, spacing_mm: tuple[float, float]) -> np.ndarray:
    """HU (slices, rows, columns) or of one slice, float32, within WINDOW_HU and after SMOOTHING_MM, slice by slice.

    By hand, because it takes a fifth of the time of SimpleITK's DiscreteGaussian and half the clean-up was that.
    """
    if hu.ndim == 3:
        return np.stack([smoothed(one, spacing_mm) for one in hu])
    return blurred(np.clip(hu, *WINDOW_HU).astype(np.float32), SMOOTHING_MM, spacing_mm)


def widened(box: tuple[slice, ...], spacing_mm: tuple[float, float], slices: int = 0) -> tuple[slice, ...]:
    """The index box with SPARE_MM around it in its slices, and so many slices above and below."""
    spare = (slices, *(int(np.ceil(SPARE_MM / step)) for step in spacing_mm))
    return tuple(slice(max(part.start - more, 0), part.stop + more) for part, more in zip(box, spare, strict=True))


def look_around(hu: np.ndarray, area: np.ndarray, marked: np.ndarray, spacing_mm: tuple[float, float]) -> Around | None:
    """hu (smoothed), area and marked of one slice (rows, columns); marked: other blood, which is not brain. None where
    the area is empty or next to no brain is around it."""
    rows, columns = np.flatnonzero(area.any(axis=1)), np.flatnonzero(area.any(axis=0))
    if not len(rows):
        return None
    reach = [int(np.ceil((AROUND_MM[1] + 3 * SMOOTHING_MM) / step)) for step in spacing_mm]
    box = (slice(max(int(rows[0]) - reach[0], 0), int(rows[-1]) + 1 + reach[0]),
           slice(max(int(columns[0]) - reach[1], 0), int(columns[-1]) + 1 + reach[1]))
    away, smooth = distance_mm(area[box], spacing_mm), hu[box]
    ring = (away > AROUND_MM[0]) & (away < AROUND_MM[1]) & ~marked[box]
    brain = ring & (smooth > BRAIN_HU[0]) & (smooth < BRAIN_HU[1])
    if np.count_nonzero(brain) * spacing_mm[0] * spacing_mm[1] < LEAST_RING_MM2:
        return None
    return Around(box, smooth, away, float(np.median(smooth[brain])), float(smooth[brain].std()),
                  np.count_nonzero(brain) / np.count_nonzero(ring))


def look_around_component(hu: np.ndarray, component: np.ndarray, marked: np.ndarray,
                      spacing_mm: tuple[float, float]) -> tuple[dict[int, Around], float]:
    """({slice: Around}, contrast_hu) of a piece (slices, rows, columns; hu smoothed): where something can be said, and
    the mean of its slices by area, 0.0 where nothing can."""
    slices = np.flatnonzero(component.any((1, 2)))
    looked = {int(k): look_around(hu[k], component[k], marked[k], spacing_mm) for k in slices}
    seen = {k: around for k, around in looked.items() if around}
    areas = [np.count_nonzero(component[k]) for k in seen]
    contrast_hu = np.average([around.contrast_hu for around in seen.values()], weights=areas) if seen else 0.0
    return seen, float(contrast_hu)
