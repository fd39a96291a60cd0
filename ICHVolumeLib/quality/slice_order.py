"""Whether each slice fits between its neighbors: by their pictures, whatever the header says of their places.

In one scan the slice before resembles the slice itself more than the slice after next does: in made heads and a real
one of 2 to 8 mm slices, two steps change the picture at least 1.4 times as much as one step. Where they change it less,
the slice between is of another scan, or in another place.
"""

import numpy as np

from ..core.ct_volume import CTVolume
from ..core.findings import ERROR, WARNING, Finding
from ..io.hounsfield import slice_words

_COARSE_MM = 4.0  # means over so much: noise is gone, the head's outline is not
_WINDOW_HU = (-150, 350)
_FITS = 0.8  # change over two steps to the smaller change over one
_LEAST_CHANGE_HU = 1.0  # mean over the slice; less is noise
_LEAST_SHARE = 0.7  # of the median change; at its widest a head hardly changes, and the same on both sides
_IN_A_ROW, _OF_ALL = 5, 0.2  # so many are no single slice's mistake


def check_slice_order(ct: CTVolume) -> list[Finding]:
    """ "slices-interleaved" (error): every other slice or so shows another picture, as where two scans were mixed;
    "slice-misplaced" (warning): single slices that do."""
    odd = misplaced_slices(ct)
    if not odd.size:
        return []
    if _longest_run(odd) >= _IN_A_ROW or odd.size >= max(_IN_A_ROW, _OF_ALL * len(ct.hu)):
        return [Finding("slices-interleaved", ERROR,
                        f"Slices do not follow each other: {slice_words(odd)} of {len(ct.hu)} show another picture "
                        "than the slices on both their sides, which resemble each other. Two scans were mixed, or the "
                        "positions are wrong. Export one scan into a folder of its own.")]
    return [Finding("slice-misplaced", WARNING,
                    f"What is shown in {slice_words(odd)} does not fit between its neighbors, which resemble each "
                    "other more: of another scan, or in a wrong place? Blood there is measured wrongly. Look at these "
                    "slices, and export the series again if they do not belong there.")]


def misplaced_slices(ct: CTVolume) -> np.ndarray:
    """Indices of slices that resemble neither neighbor as much as the two neighbors resemble each other."""
    if len(ct.hu) < 3:
        return np.empty(0, int)
    pictures = np.stack([_coarse(one, ct.pixel_spacing_mm) for one in ct.hu])
    one_step = np.abs(np.diff(pictures, axis=0)).mean(axis=(1, 2))
    two_steps = np.abs(pictures[2:] - pictures[:-2]).mean(axis=(1, 2))
    least = np.minimum(one_step[:-1], one_step[1:])
    changed = least > max(_LEAST_CHANGE_HU, _LEAST_SHARE * float(np.median(one_step)))
    return 1 + np.flatnonzero(changed & (two_steps < _FITS * least))


def _longest_run(indices) -> int:
    edges = np.flatnonzero(np.diff(indices) != 1) + 1
    return max(map(len, np.split(indices, edges)))


def _coarse(hu, spacing_mm) -> np.ndarray:
    steps = [max(1, round(_COARSE_MM / mm)) for mm in spacing_mm]
    rows, columns = (size // step * step for size, step in zip(hu.shape, steps, strict=True))
    clipped = np.clip(hu[:rows, :columns], *_WINDOW_HU).astype(np.float32)
    return clipped.reshape(rows // steps[0], steps[0], columns // steps[1], steps[1]).mean(axis=(1, 3))
