"""What is odd about a mask on its scan, in sentences for a neurosurgeon. Nothing is removed from the mask.

Codes of check_mask (severity):

    no-bleed (info)              the model marked nothing
    empty-mask (warning)         a mask of a person or another program in which nothing is marked
    ivh-only (warning)           only blood in the ventricles
    crosses-30-ml (warning)      the interval of the ICH volume crosses 30 mL
    probably-noise (warning)     large marks hardly denser than the brain beside them: probably not a hemorrhage
    denser-than-blood (warning)  marked pieces denser on average than clotted blood
    calcification (warning)      a part of the mark over 100 HU
    along-the-skull (warning)    the mark lies along the inner table: blood outside the brain?
    posterior-fossa (warning)    the mark lies low and far back
    small-bleed (warning)        less than 1 mL
    large-bleed (warning)        more than 150 mL
    slice-disagreement (warning) an area that its neighboring slices do not show
    mask-outside-head (warning)  marked air, or marks outside the skull
    mask-below-skull (warning)   marks below the floor of the skull
    not-denser-than-brain (warning) what is marked is hardly denser than the brain around it
    unmarked-bright (warning)    tissue as dense as the mark touches it and is left unmarked
"""

from weakref import WeakKeyDictionary

import numpy as np

from ..anatomy.head_frame import HeadFrame
from ..clinical import scores
from ..core.ct_volume import CTVolume
from ..core.findings import INFO, WARNING, Finding
from ..core.text import number_words
from ..imaging.morphology import dilated
from ..io.hounsfield import slice_words
from ..measure import Measurement
from .bright_rest import brain_and_contrast_hu, bright_rest_ml, dense_part_ml, look_near
from .image_checks import NOISY_HU, SKULL_GAP_MM, TOP_SHARE
from .mask_outside import check_below_floor, check_outside
from .skull import SkullView, heights_mm, look_at_skull

DENSER_THAN_BLOOD_HU = 100  # clotted blood stays below; calcification lies above
SMALL_ML, LARGE_ML = 1.0, 150.0
DENSE_PART_ML = 0.2
_LARGE_AREA_CM2, _LARGE_SLICES = 15.0, 3
_FAINT_HU, _FAINT_IN_ODD_HEAD_HU = 8.0, 18.0  # contrast to the brain beside; clots of five made heads: 22 to 31 HU
_FAINT_FROM_ML = 0.3
_BAND_PIXELS = 2  # of the coarse look, about 2 mm each, along the inner table
_ALONG_MM, _THIN_MM = 45.0, 17.0  # a crescent or lens: this long, and on average no thicker
_LOW_MM = 80.0  # below the inner vertex: tentorium and below
_BEHIND_MM = 5.0  # the middle of the slice's inner skull
_JUMP_CM2, _JUMP_SHARE = 8.0, 0.6  # of the largest area
_FLAT = 4.0  # times as wide as its one slice is high
_REST_ML, _REST_SHARE = 0.5, 0.03
_SEEN: WeakKeyDictionary[CTVolume, SkullView | None] = WeakKeyDictionary()


def check_mask(ct: CTVolume, mask: np.ndarray, measurement: Measurement, interval_ich_ml=None,
               by_model: bool = False, frame: HeadFrame | None = None) -> list[Finding]:
    """Findings about a mask (slices, rows, columns), uint8 labels, that was measured on its scan.

    interval_ich_ml: of the ICH volume, None where there is none; by_model: the network made the mask. frame:
    fit_head_frame(ct); without it nothing is said of what lies below the skull.
    """
    steps = check_mask_in_steps(ct, mask, measurement, interval_ich_ml, by_model, frame)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def check_mask_in_steps(ct: CTVolume, mask: np.ndarray, measurement: Measurement, interval_ich_ml=None,
                        by_model: bool = False, frame: HeadFrame | None = None):
    """Generator of check_mask: every next() looks at a part, so that a window in between is never kept waiting."""
    if not measurement.found:
        if by_model:
            return [Finding("no-bleed", INFO, "No bleed found by the model. This does not mean that the scan is "
                                              "normal. No 3D model was written.")]
        return [_warning("empty-mask", "Nothing is marked in the mask, so the volume is 0 mL and no 3D model was "
                                       "written. This does not say that the scan shows no blood: check that the right "
                                       "mask was given.")]
    marked = np.asarray(mask) > 0
    view = _skull_of(ct)
    yield
    near = look_near(ct, marked)
    yield
    noticed = [*(_noise(ct, marked, view) or _faint(near, measurement)), *_ivh_only(measurement),
               *_interval(measurement, interval_ich_ml), *_size(measurement.volume_ml.total)]
    yield
    noticed += _density(near, measurement) + check_outside(ct, marked, view, measurement.volume_ml.total)
    noticed += check_below_floor(ct, marked, frame)
    yield
    noticed += [*_place(ct, marked, view, measurement), *_neighbors(ct, marked, measurement)]
    yield
    return noticed + _rest(near, measurement)


def _skull_of(ct: CTVolume) -> SkullView | None:
    """look_at_skull, once a scan: a mask is checked after every edit."""
    if ct not in _SEEN:
        _SEEN[ct] = look_at_skull(ct)
    return _SEEN[ct]


def _warning(code, message) -> Finding:
    return Finding(code, WARNING, message)


def _ivh_only(measurement):
    if measurement.volume_ml.ich > 0:
        return []
    return [_warning("ivh-only", "Only blood in the ventricles (IVH) is marked and none in the brain tissue (ICH): "
                                 "ABC/2 and the scores, which are made for ICH, do not apply. If a part lies in brain "
                                 "tissue, mark it as ICH.")]


def _interval(measurement, interval_ich_ml):
    low, high = interval_ich_ml or (0.0, 0.0)
    if not (measurement.volume_ml.ich > 0 and low < scores.LIMIT_ML <= high):
        return []
    return [_warning("crosses-30-ml", f"The interval of the ICH volume ({low:.1f} to {high:.1f} mL) crosses 30 mL, "
                                      "where the ICH score gains a point: check the mask before using the score.")]


def _size(total_ml):
    if total_ml < SMALL_ML:
        return [_warning("small-bleed", f"Only {total_ml:.2f} mL are marked; the model is unsure below 1 mL, and so is "
                                        "a volume from a few voxels. Look whether it is blood.")]
    if total_ml > LARGE_ML:
        return [_warning("large-bleed", f"{total_ml:.0f} mL are marked, more than the model was made for (150 mL). "
                                        "Look whether all of it is blood.")]
    return []


def _density(near, measurement):
    dense = [f"{number_words(piece.volume_ml)} mL with {piece.mean_hu:.0f} HU in "
             f"{slice_words(np.arange(piece.slice_range[0], piece.slice_range[1] + 1))}"
             for piece in measurement.components if piece.mean_hu > DENSER_THAN_BLOOD_HU]
    if dense:
        return [_warning("denser-than-blood", "Marked pieces are denser on average than clotted blood: "
                                              f"{'; '.join(dense[:4])}. They may be calcification, bone or metal, and "
                                              "are counted: look there, and remove what is no blood.")]
    ml, slices = dense_part_ml(near, DENSER_THAN_BLOOD_HU) if near else (0.0, [])
    if ml < DENSE_PART_ML:
        return []
    return [_warning("calcification", f"{number_words(ml)} mL of what is marked in {slice_words(slices)} is over "
                                      f"{DENSER_THAN_BLOOD_HU} HU: calcification, bone, metal or contrast agent rather "
                                      "than blood? It is counted: look there, and remove what is no blood.")]


def _coarse(marked, view: SkullView):
    return marked[:, ::view.steps[0], ::view.steps[1]]


def _noise(ct, marked, view):
    areas_cm2 = np.count_nonzero(marked, axis=(1, 2)) * ct.pixel_area_mm2 / 100
    large = np.flatnonzero(areas_cm2 >= _LARGE_AREA_CM2)
    if view is None or len(large) < _LARGE_SLICES:
        return []
    contrast = _contrast_hu(ct, marked, view, large)
    why = [*([f"noise of {view.noise_hu:.0f} HU"] if view.noise_hu > NOISY_HU else []),
           *(["air inside the skull"] if view.air_ml > 0.5 else []),
           *(["metal inside the skull"] if view.metal_inside_ml > 0.02 else []),
           *(["a gap in the skull"] if view.gap_mm > SKULL_GAP_MM else [])]
    if contrast is None or contrast > (_FAINT_IN_ODD_HEAD_HU if why else _FAINT_HU):
        return []
    head = f", in a head with {' and '.join(why)}" if why else ""
    return [_warning("probably-noise", f"Probably not a hemorrhage: noise. {len(large)} slices are marked over "
                                     f"{_LARGE_AREA_CM2:.0f} cm2 or more (up to {areas_cm2.max():.0f}), and what is "
                                     f"marked is only {contrast:.0f} HU denser than the brain beside it{head}. Do not "
                                     "use volume and scores before a person has looked at the mask.")]


def _faint(near, measurement):
    contrast = brain_and_contrast_hu(near)[1] if near else np.nan
    if not contrast < _FAINT_HU or measurement.volume_ml.total < _FAINT_FROM_ML:
        return []
    return [_warning("not-denser-than-brain", "What is marked is hardly denser than the brain around it "
                                              f"({contrast:+.0f} HU; clots: 20 to 40). Is the mask of this scan, on "
                                              "the right side and the right slices? Old blood looks like this, too. "
                                              "Compare mask and scan before using the numbers.")]


def _contrast_hu(ct, marked, view, slices) -> float | None:
    """Median over these slices of how much denser the marked brain is than the unmarked one."""
    hu, inside, marked = ct.hu[:, ::view.steps[0], ::view.steps[1]], view.inside, _coarse(marked, view)
    found = []
    for k in slices:
        soft = (hu[k] > 5) & (hu[k] < 130) & inside[k]  # neither CSF nor bone
        own, other = hu[k][soft & marked[k]], hu[k][soft & ~marked[k]]
        if own.size > 20 and other.size > 20:
            found.append(float(np.median(own) - np.median(other)))
    return float(np.median(found)) if found else None


def _place(ct, marked, view, measurement):
    if view is None:
        return []
    return [*_along_the_skull(ct, _coarse(marked, view), view), *_posterior_fossa(ct, view, measurement)]


def _along_the_skull(ct, marked, view):
    row_mm, column_mm = (step * mm for step, mm in zip(view.steps, ct.pixel_spacing_mm, strict=True))
    pixel_mm = (row_mm * column_mm) ** 0.5
    slices = np.flatnonzero(marked.any(axis=(1, 2)))
    band = dilated(view.bone[slices], (0, _BAND_PIXELS, _BAND_PIXELS)) & marked[slices]
    along_mm = band.sum(axis=(1, 2)) * pixel_mm / _BAND_PIXELS
    thick_mm = marked[slices].sum(axis=(1, 2)) * pixel_mm**2 / np.maximum(along_mm, 1)
    hit = (along_mm >= _ALONG_MM) & (thick_mm <= _THIN_MM)
    if hit.sum() < min(2, len(slices)):
        return []
    return [_warning("along-the-skull", f"What is marked in {slice_words(slices[hit])} lies along the inner table over "
                                        f"up to {along_mm[hit].max():.0f} mm: is it blood outside the brain (subdural, "
                                        "epidural)? The model and the scores are for blood in the brain: remove what "
                                        "lies outside it.")]


def _posterior_fossa(ct, view, measurement):
    brain = np.flatnonzero(view.brain_cm2 > 0.1 * view.brain_cm2.max())
    if view.top_share > TOP_SHARE or not measurement.volume_ml.ich > 0:
        return []  # without the vertex there is nothing to measure the depth from
    heights = heights_mm(ct)
    top_mm = heights[brain].max()
    low = []
    for piece in measurement.components:
        k = (piece.slice_range[0] + piece.slice_range[1]) // 2
        own = np.argwhere(view.inside[k])
        if piece.label != "ICH" or not own.size or piece.volume_ml < 0.1:
            continue
        middle = (own.min(axis=0) + own.max(axis=0)) / 2 * view.steps
        middle_ras = ct.voxel_to_ras(np.array([k, *middle]))
        if top_mm - heights[k] > _LOW_MM and middle_ras[1] - piece.centroid_ras[1] > _BEHIND_MM:
            low.append(f"{piece.volume_ml:.1f} mL")
    if not low:
        return []
    return [_warning("posterior-fossa", f"{' and '.join(low[:3])} may lie in the posterior fossa (cerebellum or brain "
                                        "stem), where the model is less reliable. Check the mask, and the site for the "
                                        "ICH score.")]


def _neighbors(ct, marked, measurement):
    areas_cm2 = np.count_nonzero(marked, axis=(1, 2)) * ct.pixel_area_mm2 / 100
    jumps = np.abs(np.diff(areas_cm2))
    jump = np.flatnonzero((jumps > _JUMP_CM2) & (jumps > _JUMP_SHARE * areas_cm2.max()))
    flat = sorted({piece.slice_range[0] for piece in measurement.components
                   if piece.slice_range[0] == piece.slice_range[1] and _width_mm(ct, piece) >
                   _FLAT * ct.slab_heights_mm[piece.slice_range[0]]})
    odd = [f"between slice {k + 1} and {k + 2} the marked area jumps from {areas_cm2[k]:.0f} to "
           f"{areas_cm2[k + 1]:.0f} cm2" for k in jump[:3]]
    odd += [f"{slice_words([k])} is marked over an area that its neighbors do not show" for k in flat[:3]]
    if not odd:
        return []
    return [_warning("slice-disagreement", f"Neighboring slices disagree: {'; '.join(odd)}. Look there, and correct "
                                           "the mask if it is wrong.")]


def _width_mm(ct, piece) -> float:
    """Diameter of the circle of its area, of a piece in one slice."""
    area_mm2 = 1000 * piece.volume_ml / ct.slab_heights_mm[piece.slice_range[0]]
    return 2 * (area_mm2 / np.pi) ** 0.5


def _rest(near, measurement):
    ml, slices = bright_rest_ml(near) if near else (0.0, [])
    if ml < max(_REST_ML, _REST_SHARE * measurement.volume_ml.total):
        return []
    return [_warning("unmarked-bright", f"About {ml:.1f} mL as dense as the marked blood touch it in "
                                        f"{slice_words(slices)} and are not marked: the volume may be too small. "
                                        "Look there, and add what is blood.")]
