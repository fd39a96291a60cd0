"""Agreement of masks and of volumes, each by its usual definition.

Dice; HD95 as the larger of the two directed 95th percentiles of surface distances, mm (not the paper's "times 95 %");
ICC(A,1) of McGraw & Wong 1996, doi:10.1037/1082-989X.1.1.30; Lin's concordance, doi:10.2307/2532051; Bland-Altman,
doi:10.1016/S0140-6736(86)90837-8.
"""

import numpy as np


def hd95_mm(first: np.ndarray, second: np.ndarray, spacing_mm) -> float | None:
    """95th percentile Hausdorff distance of two masks (slices, rows, columns), spacing_mm (k, j, i).

    None when exactly one is empty (counted apart, never averaged in); 0 when both are.
    """
    first, second = np.asarray(first) > 0, np.asarray(second) > 0
    if not first.any() or not second.any():
        return 0.0 if first.any() == second.any() else None
    where = tuple(slice(max(axis.min() - 1, 0), axis.max() + 2) for axis in np.nonzero(first | second))
    first, second = np.pad(first[where], 1), np.pad(second[where], 1)
    there = _distance_to_surface_mm(second, spacing_mm)[_surface(first)]
    back = _distance_to_surface_mm(first, spacing_mm)[_surface(second)]
    return float(max(np.percentile(there, 95), np.percentile(back, 95)))


def _surface(mask: np.ndarray) -> np.ndarray:
    """Voxels of the mask with a face neighbour outside it."""
    inner = mask.copy()
    for axis in range(mask.ndim):
        inner &= np.roll(mask, 1, axis) & np.roll(mask, -1, axis)
    return mask & ~inner


def _distance_to_surface_mm(mask: np.ndarray, spacing_mm) -> np.ndarray:
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(_surface(mask).astype(np.uint8))
    image.SetSpacing([float(value) for value in reversed(tuple(spacing_mm))])
    distance = sitk.SignedMaurerDistanceMap(image, squaredDistance=False, useImageSpacing=True)
    return np.maximum(sitk.GetArrayFromImage(distance), 0)


def icc_a1(first, second) -> float:
    """ICC(A,1): two-way, absolute agreement, single measurement, of paired values (n,)."""
    values = np.stack([np.asarray(first, float), np.asarray(second, float)], axis=1)
    return icc_a1_of_table(values)


def icc_a1_of_table(values: np.ndarray) -> float:
    """ICC(A,1) of a table (subjects, raters)."""
    n, k = values.shape
    grand = values.mean()
    subjects = k * ((values.mean(axis=1) - grand) ** 2).sum() / (n - 1)
    raters = n * ((values.mean(axis=0) - grand) ** 2).sum() / (k - 1)
    residual = values - values.mean(axis=1, keepdims=True) - values.mean(axis=0, keepdims=True) + grand
    error = (residual**2).sum() / ((n - 1) * (k - 1))
    return float((subjects - error) / (subjects + (k - 1) * error + k / n * (raters - error)))


def concordance(first, second) -> float:
    """Lin's concordance correlation coefficient of paired values (n,), with 1/n variances."""
    first, second = np.asarray(first, float), np.asarray(second, float)
    covariance = ((first - first.mean()) * (second - second.mean())).mean()
    return float(2 * covariance / (first.var() + second.var() + (first.mean() - second.mean()) ** 2))


def bland_altman(measured, true) -> dict[str, float]:
    """Bias and 95 % limits of agreement: {"bias", "low", "high"} in the unit of the values."""
    difference = np.asarray(measured, float) - np.asarray(true, float)
    spread = 1.96 * float(difference.std(ddof=1))
    return {"bias": float(difference.mean()), "low": float(difference.mean()) - spread,
            "high": float(difference.mean()) + spread}


def bootstrap_interval(statistic, *columns, repeats: int = 1000, seed: int = 0) -> tuple[float, float]:
    """95 % percentile interval of statistic(*columns) when cases are drawn again with replacement."""
    rng = np.random.default_rng(seed)
    columns = [np.asarray(column, float) for column in columns]
    draws = [statistic(*(column[rows] for column in columns))
             for rows in rng.integers(len(columns[0]), size=(repeats, len(columns[0])))]
    low, high = np.percentile(draws, [2.5, 97.5])
    return float(low), float(high)
