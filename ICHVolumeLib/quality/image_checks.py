"""What the voxels show beside blood: padding, skull, metal, air, contrast. The codes are explained in checks.py."""

import numpy as np

from ..core.ct_volume import CTVolume
from ..core.findings import INFO, WARNING, Finding
from ..core.text import number_words
from ..io.hounsfield import slice_words
from .header_checks import CONTRAST_ADVICE
from .skull import BONE_HU, SkullView, look_at_skull

METAL_HU = 2500
TRAINED_NOISE_HU = 7.0  # synthetic.scanner; with the anatomy of real heads 6 to 8 is measured where it is low
NOISY_HU = 11.0  # five made heads at low dose (+ 8 HU) and the real one (+ 6 HU) have 8.4, at + 12 HU 13.6
SKULL_GAP_MM = 35.0  # whole heads, made and real, tilted and of a child's size, have 0 to 5; a flap of 6 cm 69
TOP_SHARE = 0.35  # of the largest brain area; with more in the top slice the vertex is missing
CONTRAST_SHARE = 0.005  # of the deep brain; calcified plexus and pineal stay below a tenth of that


def _info(code, message) -> Finding:
    return Finding(code, INFO, message)


def _warning(code, message) -> Finding:
    return Finding(code, WARNING, message)


def check_image(ct: CTVolume) -> list[Finding]:
    findings = []
    lowest = int(ct.hu.min())
    if lowest < -1100:
        findings.append(_info("padding", f"The image is padded with {lowest} HU outside the scanner's field of view; "
                                         "that is taken as air."))
    view = look_at_skull(ct)
    if view is None:
        why = f"perhaps because all values end at {ct.hu.max()} HU" if ct.hu.max() <= BONE_HU else \
            "no whole head, or a wrong voxel size?"
        return [*findings, *_metal(ct, None),
                _warning("no-head", f"No closed skull of a head's size was found in the slices: {why}. Look whether "
                                    "this is the right series, and compare the size of the head with the original.")]
    return findings + _coverage(view) + _metal(ct, view) + _air_and_contrast(view) + _noise_and_gap(view)


def _coverage(view: SkullView):
    cut = []
    if view.top_share > TOP_SHARE:
        cut.append(f"the top slice still shows {view.top_cm2:.0f} cm2 of brain, so the vertex is missing")
    if view.bottom_share > 0.7:
        cut.append(f"the lowest slice still shows {view.bottom_cm2:.0f} cm2 of brain, so the skull base is missing")
    if not cut:
        return []
    return [_warning("head-cut-off", f"Part of the head was not scanned: {' and '.join(cut)}. A bleed there is not "
                                     "measured; look for a series that shows the whole head.")]


def _metal(ct, view):
    dense = ct.hu[:, ::2, ::2] > METAL_HU
    ml = float(4 * dense.sum(axis=(1, 2)) @ ct.voxel_volumes_mm3) / 1000
    if ml < 0.02:
        return []
    inside = view is not None and view.metal_inside_ml > 0.02
    where = "inside the skull (clip, coil, drain or electrode?)" if inside else "outside the brain (teeth, implants?)"
    slices = slice_words(np.flatnonzero(dense.any(axis=(1, 2))))
    text = f"About {number_words(ml)} mL is denser than {METAL_HU} HU in {slices}, {where}; streaks near it can look " \
           "like blood. Check the mask there."
    return [_warning("metal", text) if inside else _info("metal", text)]


def _air_and_contrast(view):
    findings = []
    if view.air_ml > 0.5:
        findings.append(_warning("intracranial-air", f"About {number_words(view.air_ml)} mL of air lies inside the "
                                                     f"skull in {slice_words(view.air_slices)} (surgery, drain or "
                                                     "fracture?); the model was made for heads before surgery. Check "
                                                     "the mask near air and along the surgical approach."))
    if view.bright_share > CONTRAST_SHARE:
        findings.append(_warning("contrast-agent", f"{100 * view.bright_share:.1f} % of the deep brain is brighter "
                                                   f"than any clot, as after contrast agent. {CONTRAST_ADVICE}"))
    return findings


def _noise_and_gap(view):
    findings = []
    if view.noise_hu > NOISY_HU:
        findings.append(_warning("noisy", f"The scan is noisy: {view.noise_hu:.0f} HU in the brain, where the model "
                                          f"was trained with up to {TRAINED_NOISE_HU:.0f}. It may mark noise as blood "
                                          "and miss blood; check the mask in every slice."))
    if view.gap_mm > SKULL_GAP_MM and view.top_share <= TOP_SHARE:
        findings.append(_warning("skull-gap", f"The skull has a gap of about {view.gap_mm:.0f} mm (craniectomy, or the "
                                              "head reaches beyond the image); the model was made for heads before "
                                              "surgery. Check the mask under the gap."))
    return findings
