"""Hounsfield units: whether numbers are on that scale, and padding outside the scanner's field of view.

Findings that this gives: not-hu, padding, missing-values, slice-levels, blank-slices, hu-clipped,
hu-coarse, hu-scale.
"""

import numpy as np

from ..core.errors import InputError
from ..core.findings import ERROR, INFO, WARNING, Finding
from .hounsfield_levels import AIR, BRAIN, Levels, find_levels, mode_between, offset_of, share_between

AIR_HU = -1024  # what padding becomes: the lowest value that a CT scanner measures
_PADDED_BELOW = -1100  # noise in air reaches about here; anything lower is padding (-1500, -2000, -3024, ...)
_LARGEST = np.iinfo(np.int16).max
_WRAP = 2**16  # negative 16-bit numbers read as unsigned lie this much too high
_REFUSED_OFFSET = 100  # of a whole scan; air of sound scanners lies within +-20
_REFUSED_SLICE_OFFSET = 30  # of a slice against the others: half the contrast of blood is lost or made
_NAMED_SLICE_OFFSET = 12
_BLOOD_HU = 100  # clotted blood reaches about here
_WRAPPED_BELOW, _WRAPPED_SHARE = -1300, 0.002  # noise in air ends above; streaks of metal are rarer
_COARSE_STEP_HU = 4  # gray and white matter differ by 6
_NO_BONE_ABOVE = 300  # values that end here were clipped to a soft-tissue window
_NOTHING = 0.0005  # share of a slice
_AIR_JUMP = 0.25  # of the slice's area: a head does not grow by that much from one slice to the next


def to_int16_hu(values) -> tuple[np.ndarray, list[Finding]]:
    """Round to int16 and turn padding and missing values (NaN) into air; what was changed is a finding.

    values: any real array (slices, rows, columns) in HU, not written to; int16 without padding is given back as it is.
    The scale is judged here, while padding still differs from air: an error "not-hu" is among the findings where the
    whole scan or some slices are not in HU. Raises InputError when there are no numbers at all.
    """
    values = np.asarray(values)
    findings = []
    if values.dtype.kind == "f":
        missing = ~np.isfinite(values)
        count = int(np.count_nonzero(missing))
        where = slice_words(np.flatnonzero(missing.reshape(len(values), -1).any(axis=1)))
        if count == values.size:
            raise InputError("no voxel holds a number; export the CT again.")
        if count:
            values = np.where(missing, AIR_HU, values)
            findings.append(Finding("missing-values", WARNING, f"{count} voxels ({100 * count / values.size:.1f} %) "
                                                               f"in {where} hold no number and were taken as air: "
                                                               "blood there is not measured. Look where they lie, or "
                                                               "load the original series."))
        values = np.rint(values)
    values = _wrapped_padding_low(values)
    findings += hu_findings(values)
    lowest = values.min()
    if lowest < AIR_HU:
        padded = np.count_nonzero(values < _PADDED_BELOW)
        if padded:
            share = 100 * padded / values.size
            findings.append(Finding("padding", INFO, f"{share:.1f} % of the image is padding outside the scanner's "
                                                     f"field of view ({lowest:.0f} HU) and was taken as air."))
        values = np.maximum(values, AIR_HU)
    if values.max() > _LARGEST:
        values = np.minimum(values, _LARGEST)
    return values.astype(np.int16, copy=False), findings


def _wrapped_padding_low(values):
    """Padding that was stored as a negative number and read as unsigned (63536 for -2000) goes back below air."""
    if values.max() <= _LARGEST:
        return values
    wrapped = values > _LARGEST
    meant = values[wrapped].astype(np.int64) - _WRAP
    if meant.min() != meant.max() or not -_LARGEST <= meant[0] < _PADDED_BELOW:
        return values
    return np.where(wrapped, meant[0], values)


def hu_findings(hu) -> list[Finding]:
    """not-hu, or what is odd about a scale that can pass: slice-levels, blank-slices, hu-clipped, hu-scale.

    A head CT shows air near -1000 and soft tissue within 0 to 80, in every slice alike; padding is no air.
    hu: whole numbers (slices, rows, columns), before or after padding became air.
    """
    hu = np.asarray(hu)
    levels = find_levels(hu)
    offsets = _slice_offsets(levels)
    problem = _scan_problem(hu, levels) or _slices_problem(offsets) or _wrapped_problem(hu, levels)
    if problem:
        return [Finding("not-hu", ERROR, problem[0].upper() + problem[1:])]
    findings = []
    image = np.flatnonzero(levels.padding_share < 0.999)
    blank = np.setdiff1d(np.arange(image.min(initial=0), image.max(initial=0)), image)  # beyond the head may be none
    if blank.size:
        findings.append(Finding("blank-slices", WARNING, f"No image in {slice_words(blank)}, only one single value; "
                                                         "blood there is not measured. Export the series again."))
    odd = np.flatnonzero(np.abs(offsets) >= _NAMED_SLICE_OFFSET)
    if odd.size:
        most = offsets[odd][np.argmax(np.abs(offsets[odd]))]
        findings.append(Finding("slice-levels", WARNING, f"Air and soft tissue of {slice_words(odd)} lie up to "
                                                         f"{abs(most):.0f} HU {_side(most)} than in the other slices. "
                                                         "Their rescale intercept may be wrong, and blood there "
                                                         "is measured wrongly; export the series again."))
    if _is_clipped_above(hu, int(hu.max())):
        findings.append(Finding("hu-clipped", WARNING, f"All values end at {hu.max():.0f} HU, so bone cannot be told "
                                                       "from blood. Prefer the original head CT."))
    step = _gray_step(hu)
    if step >= _COARSE_STEP_HU:
        findings.append(Finding("hu-coarse", WARNING, f"Gray values come in steps of about {step:.0f} HU, as after "
                                                      "storage in 8 bits; blood and brain cannot be told apart well. "
                                                      "Prefer the original head CT."))
    return findings + _scale_finding(levels)


def _gray_step(hu) -> float:
    """HU between two values that occur, in the range of brain and blood."""
    soft = hu[:, ::4, ::4]
    values = np.unique(soft[(soft >= -20) & (soft <= 100)])
    return float(np.median(np.diff(values))) if len(values) > 1 else 1.0


def slice_words(indices) -> str:
    """ "Slices 3, 7 to 12": counted from 1, runs joined; the first eight runs."""
    runs: list[list[int]] = []
    for k in np.asarray(indices).tolist():
        if runs and k == runs[-1][1] + 1:
            runs[-1][1] = k
        else:
            runs.append([k, k])
    parts = [f"{a + 1}" if a == b else f"{a + 1} to {b + 1}" for a, b in runs[:8]]
    return ("slice " if len(indices) == 1 else "slices ") + ", ".join(parts) + (", ..." if len(runs) > 8 else "")


def _scan_problem(hu, levels: Levels) -> str | None:
    whole, low, high = levels.whole, int(hu.min()), int(hu.max())
    scale = f"the voxel values ({low} to {high}) are not Hounsfield units: "
    air = share_between(whole, -1100, -900)
    background = float(levels.background_share.mean())
    tissue = share_between(whole, 0, 80)
    offset = offset_of(whole)
    if high > _LARGEST and np.mean(hu[:, ::4, ::4] > _LARGEST) > 0.005:
        return scale + "negative values were stored as unsigned numbers and come out near 65,000; export the " \
                       "original CT series."
    if offset is not None and abs(offset) >= _REFUSED_OFFSET:
        return scale + _moved(levels, offset)
    if max(air, background) < 0.005 or tissue < 0.01:
        return scale + _what_is_missing(hu, air + background, low, high)
    commonest = mode_between(whole, -300, min(300, high - 10))
    if not -10 <= commonest <= 90:
        return scale + f"the commonest soft value is {commonest:.0f}, not one of brain (about {BRAIN}); export the " \
                       "original CT series."
    if _is_clipped_above(hu, high) and high < _BLOOD_HU:
        return scale + f"they end at {high}, so they were clipped to a window; give the original head CT."
    return None


def _wrapped_problem(hu, levels: Levels) -> str | None:
    """Values below air where the field of view is not padded; of a resampled padding the edge has every value."""
    is_padded = bool((levels.padding < _PADDED_BELOW).any())
    if is_padded or share_between(levels.whole, -4096, _WRAPPED_BELOW) <= _WRAPPED_SHARE:
        return None
    return (f"the voxel values ({hu.min()} to {hu.max()}) are not Hounsfield units: many lie far below air, where "
            "nothing is, as where dense bone was stored in too few bits; export the original CT series.")


def _is_clipped_above(hu, high) -> bool:
    return high <= _NO_BONE_ABOVE and bool(np.mean(hu[:, ::4, ::4] == high) > 0.005)


def _moved(levels, offset) -> str:
    padding = levels.padding[np.isfinite(levels.padding)]
    pad = float(np.median(padding)) if padding.size else np.nan
    only = f", only padding ({pad:.0f})" if abs(pad - (AIR + offset)) > 50 else ""
    return (f"there is no air near -1000{only}. Air lies near {AIR + offset:.0f} and soft tissue near "
            f"{BRAIN + offset:.0f}, so all values are about {abs(offset):.0f} too {'high' if offset > 0 else 'low'} "
            "(a lost or doubled rescale intercept); export the original CT series.")


def _what_is_missing(hu, air, low, high) -> str:
    if low >= 0 and high <= 255:
        return "it looks like an 8-bit picture; export the original CT series."
    if low >= 0 and high > 1500:
        return "there is no air near -1000. A CT without its rescale intercept, or an MR scan, looks like this; " \
               "export the original CT series."
    missing = "no air near -1000" if air < 0.005 else "no soft tissue between 0 and 80"
    return f"there is {missing}; give the original head CT, neither windowed nor skull-stripped."


def _slices_problem(offsets: np.ndarray) -> str | None:
    """Slices whose values lie elsewhere than those of the others; offsets: of _slice_offsets."""
    odd = np.flatnonzero(np.abs(offsets) >= _REFUSED_SLICE_OFFSET)
    if not odd.size:
        return None
    known = np.abs(offsets[odd][np.isfinite(offsets[odd])])
    by = f" (by about {np.median(known):.0f})" if known.size else ""
    words = slice_words(odd)
    return (f"{words} of {len(offsets)} {'is' if len(odd) == 1 else 'are'} not on the scale of the others{by}: air and "
            "soft tissue lie elsewhere there, as where a rescale intercept was lost; export the series again.")


def _slice_offsets(levels: Levels) -> np.ndarray:
    """(slices,) HU by which air and soft tissue of a slice lie above the other slices'; infinite where the slice
    holds no air at all unlike its neighbours, 0 where nothing is odd."""
    histograms = levels.histograms
    offsets = _fine_offsets(histograms)
    for k, histogram in enumerate(histograms):
        moved = offset_of(histogram)
        if moved is not None and abs(moved) >= _REFUSED_OFFSET:
            offsets[k] = moved
    air = np.array([share_between(one, -1250, -850) for one in histograms]) + levels.background_share
    image = levels.padding_share < 0.999
    airless = (air < _NOTHING) & image
    for k in np.flatnonzero(airless & (offsets == 0)).tolist():
        beside = [n for n in (k - 1, k + 1) if 0 <= n < len(offsets) and image[n]]
        if beside and max(air[n] for n in beside) > _AIR_JUMP:
            offsets[k] = np.inf
    _spread(offsets, airless)
    return offsets


def _spread(offsets, airless) -> None:
    """Airless slices beside a moved one are moved too."""
    for order in (range(1, len(offsets)), range(len(offsets) - 2, -1, -1)):
        for k in order:
            before = k - 1 if order.step > 0 else k + 1
            if airless[k] and offsets[k] == 0 and abs(offsets[before]) >= _REFUSED_OFFSET:  # infinite too
                offsets[k] = np.inf


def _fine_offsets(histograms) -> np.ndarray:
    """Offsets within +-100 HU: air and soft tissue have both moved, by the same."""
    air = np.array([mode_between(one, -1099, -901) if share_between(one, -1099, -901) > 0.02 else np.nan
                    for one in histograms])
    offsets = np.zeros(len(air))
    if np.isfinite(air).sum() < 3:
        return offsets
    air = air - np.nanmedian(air)
    tissue = np.array([mode_between(one, -80, 150) if share_between(one, -80, 150) > 0.05 else np.nan
                       for one in histograms])
    level = np.flatnonzero((np.abs(air) < _NAMED_SLICE_OFFSET) & np.isfinite(tissue))
    for k in np.flatnonzero((np.abs(air) >= _NAMED_SLICE_OFFSET) & np.isfinite(tissue)):
        if level.size:
            usual = tissue[level[np.argmin(np.abs(level - k))]]
            if abs(tissue[k] - usual - air[k]) <= max(8, 0.25 * abs(air[k])):
                offsets[k] = air[k]
    return offsets


def _scale_finding(levels) -> list[Finding]:
    whole = levels.whole
    tissue = mode_between(whole, -300, 90)
    air = mode_between(whole, -1099, -901) if share_between(whole, -1099, -901) > 0.02 else np.nan
    off = (np.isfinite(air) and not (-1045 <= air <= -950 and 965 <= tissue - air <= 1110)) or not 5 <= tissue <= 70
    if not off:
        return []
    said = f"air measures {air:.0f} and " if np.isfinite(air) else ""
    return [Finding("hu-scale", WARNING, f"The scale is off: {said}soft tissue {tissue:.0f} HU, where about {AIR} and "
                                         f"{BRAIN} are usual. The model may mark too much or too little: check the "
                                         "mask in every slice, and prefer a series with the usual values.")]


def _side(offset) -> str:
    return "higher" if offset > 0 else "lower"
