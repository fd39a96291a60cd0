"""How far a marked area stands out from the brain around it, in Hounsfield units and in the spread of that brain.

What the clean-up asks the scan itself, beside the network: a slice is only looked at around the area, after a little
smoothing, so that noise of single pixels counts less.
"""

from dataclasses import dataclass

import numpy as np

AROUND_MM = (2.5, 9.0)  # the ring around an area; nearer there is partial volume, farther is other anatomy
BRAIN_HU = (5.0, 55.0)  # of the ring: neither CSF nor bone nor other blood
SMOOTHING_MM = 0.8  # SD of the Gaussian
LEAST_RING_MM2 = 30.0  # of brain; with less nothing can be said
SPARE_MM = AROUND_MM[1] + 3 * SMOOTHING_MM + 0.6  # what must be at hand around an area to look at it
WINDOW_HU = (-20.0, 110.0)  # bone must not bleed into the brain beside it


@dataclass(frozen=True, eq=False)
class Evidence:
    """What a mask can be held against; arrays (slices, rows, columns) on the mask's grid, turned as it is.

    hu; chance: p(bleed) of every voxel, float; spacing_mm along rows, then columns; verdict: see doubt.py, None where
    only the facts are asked for.
    """

    hu: np.ndarray
    chance: np.ndarray
    spacing_mm: tuple[float, float]
    verdict: dict | None = None


@dataclass(frozen=True, eq=False)
class Around:
    """One area of one slice and what is around it.

    box: rows and columns that were looked at; hu: smoothed, and away_mm: distance to the area (0 and less inside), of
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


def look_around(hu: np.ndarray, area: np.ndarray, marked: np.ndarray, spacing_mm: tuple[float, float]) -> Around | None:
    """hu, area and marked of one slice (rows, columns); marked: other blood, which is not brain. None where the area is
    empty or next to no brain is around it."""
    import SimpleITK as sitk

    rows, columns = np.flatnonzero(area.any(axis=1)), np.flatnonzero(area.any(axis=0))
    if not len(rows):
        return None
    reach = [int(np.ceil((AROUND_MM[1] + 3 * SMOOTHING_MM) / step)) for step in spacing_mm]
    box = tuple(slice(max(int(found[0]) - more, 0), int(found[-1]) + 1 + more)
                for found, more in zip((rows, columns), reach, strict=True))
    inside = sitk.GetImageFromArray(area[box].astype(np.uint8))
    inside.SetSpacing(tuple(reversed(spacing_mm)))
    away_mm = sitk.GetArrayFromImage(sitk.SignedMaurerDistanceMap(inside, squaredDistance=False, useImageSpacing=True))
    away_mm[area[box]] = np.minimum(away_mm[area[box]], 0)
    image = sitk.GetImageFromArray(np.clip(hu[box], *WINDOW_HU).astype(np.float32))
    image.SetSpacing(inside.GetSpacing())
    smooth = sitk.GetArrayFromImage(sitk.DiscreteGaussian(image, SMOOTHING_MM**2))
    ring = (away_mm > AROUND_MM[0]) & (away_mm < AROUND_MM[1]) & ~marked[box]
    brain = ring & (smooth > BRAIN_HU[0]) & (smooth < BRAIN_HU[1])
    if np.count_nonzero(brain) * spacing_mm[0] * spacing_mm[1] < LEAST_RING_MM2:
        return None
    return Around(box, smooth, away_mm, float(np.median(smooth[brain])), float(smooth[brain].std()),
                  np.count_nonzero(brain) / np.count_nonzero(ring))
