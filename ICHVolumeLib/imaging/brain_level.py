"""How bright the brain of a scan is: dose, kernel, calibration and swelling move it between 24 and 45 HU."""

import numpy as np

SOUGHT_HU = (10.0, 60.0)  # neither fluid nor bone
STEP_HU, SMOOTH_HU = 0.5, 3.0  # of the histogram: wide enough to join gray and white matter to one peak
AROUND_HU = 8.0  # of the peak: brain, but neither edema nor blood
MUCH = 0.5  # of the slice with most brain; skull base and neck show less, and muscle instead
LEAST_BLOCKS = 200


def brain_level_hu(blocks: np.ndarray, inside: np.ndarray) -> float | None:
    """The median HU of brain, whatever bleeds in it; None where too little of it is seen.

    blocks: HU (slices, rows, columns), each the mean of some pixels, so that noise does not widen the peak; inside:
    bool, same shape, where there is skull all around.
    """
    soft = inside & (blocks > SOUGHT_HU[0]) & (blocks < SOUGHT_HU[1])
    area = soft.sum(axis=(1, 2))
    values = blocks[soft & (area >= MUCH * area.max())[:, None, None]]
    if len(values) < LEAST_BLOCKS:
        return None
    counts, edges = np.histogram(values, np.arange(SOUGHT_HU[0], SOUGHT_HU[1] + STEP_HU / 2, STEP_HU))
    away = np.arange(-3 * SMOOTH_HU, 3 * SMOOTH_HU + STEP_HU / 2, STEP_HU)
    peak = np.argmax(np.convolve(counts, np.exp(-0.5 * (away / SMOOTH_HU) ** 2), "same"))
    return float(np.median(values[np.abs(values - edges[peak] - STEP_HU / 2) < AROUND_HU]))
