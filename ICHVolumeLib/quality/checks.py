"""What may be wrong with a head CT, in sentences for a neurosurgeon.

Codes of check_ct (severity), beside those that reading gave already (ct.findings):

    not-hu (error)               values are not Hounsfield units, in the whole scan or in some slices
    slice-levels (warning)       air and soft tissue of some slices lie 12 to 30 HU off those of the others
    blank-slices (warning)       slices that hold one single value between others
    hu-clipped (warning)         the values end below bone
    hu-scale (warning)           air or soft tissue lies off its usual place in the whole scan
    not-axial (error)            slices are sagittal or coronal; the network works on axial slices
    oblique-slices (warning)     slices lie more than 30 degrees off axial
    gantry-tilt (info)           slices are tilted against the table; volumes take it into account
    tilt-tag (warning)           the header's tilt and the slice positions disagree
    uneven-spacing (warning)     slices are not equally far apart; each counts by its own height
    missing-slices (warning)     a gap of two or more steps in an otherwise even stretch
    sideways-shift (warning)     slices are shifted sideways against each other
    overlapping-slices (info)    slices are thicker than their distance
    gaps-between-slices (warning) slices are thinner than their distance: blood between them is not seen
    thick-slices (warning)       more than 6 mm between slices: small bleeds are missed, volumes are coarser
    pixel-spacing (warning)      unusual or unequal pixel sizes
    contrast-agent (warning)     contrast by header or by bright vessels: a bleed is under-measured
    bone-kernel (warning)        a sharp reconstruction
    child (warning)              younger than 18 years
    padding (info)               values below air outside the field of view
    metal (info, warning)        very dense objects; a warning when they lie inside the skull
    intracranial-air (warning)   air inside the skull (surgery, drain, fracture)
    head-cut-off (warning)       brain in the first or last slice: part of the head was not scanned
    no-head (warning)            no closed skull was found

One rule for readers of the list: an error means that the scan must not be segmented.
"""

import numpy as np

from ..core.ct_volume import UNEVEN_TOLERANCE_MM, CTVolume
from ..core.findings import ERROR, INFO, WARNING, Finding
from ..io.hounsfield import hu_findings
from ..io.protocol import is_bone_kernel, mentions_contrast
from .skull import SkullView, look_at_skull

TILT_NAMED_FROM_DEG = 0.5
THICK_FROM_MM = 6.0
METAL_HU = 2500
_CONTRAST_ADVICE = ("The model was made for scans without contrast: it may mark vessels or measure about a third too "
                    "little. Prefer the native series.")  # 10.1186/s12880-022-00735-3: 32 % less
CONTRAST_SHARE = 0.005  # of the deep brain; calcified plexus and pineal stay below a tenth of that


def check_ct(ct: CTVolume) -> list[Finding]:
    """ct.findings first, then what the geometry, the header and the image show; no code occurs twice."""
    scale = hu_findings(ct.hu)
    is_hu = not any(finding.severity == ERROR for finding in scale)
    return _each_once([*ct.findings, *scale, *check_without_image(ct), *(_image(ct) if is_hu else [])])


def check_without_image(ct: CTVolume) -> list[Finding]:
    """The part of check_ct that looks at no voxel, in a few milliseconds: reading, geometry and header."""
    return _each_once([*ct.findings, *_orientation(ct), *_spacing(ct), *_thickness(ct), *_header(ct)])


def _each_once(findings):
    first = {}
    for finding in findings:
        first.setdefault(finding.code, finding)
    return list(first.values())


def spacing_words(steps_mm) -> str:
    """The distances between slices in order, runs counted: "13 x 4.0 mm, 1.08 mm, 13 x 7.0 mm"."""
    runs = []
    for step in np.asarray(steps_mm, float):
        if runs and abs(step - runs[-1][0]) <= UNEVEN_TOLERANCE_MM:
            runs[-1][1] += 1
        else:
            runs.append([step, 1])
    if len(runs) > 8:
        return f"{min(steps_mm):.2f} to {max(steps_mm):.2f} mm, changing {len(runs) - 1} times"
    return ", ".join((f"{count} x " if count > 1 else "") + f"{_short(step)} mm" for step, count in runs)


def _short(value) -> str:
    """One decimal where that is exact to the rounding of positions, else two."""
    return f"{value:.1f}" if abs(value - round(value, 1)) < 0.01 else f"{value:.2f}"


def _info(code, message) -> Finding:
    return Finding(code, INFO, message)


def _warning(code, message) -> Finding:
    return Finding(code, WARNING, message)


def _orientation(ct):
    off_axial = float(np.degrees(np.arccos(np.clip(abs(ct.slice_normal_ras[2]), 0, 1))))
    if off_axial > 45:
        name = "sagittal" if abs(ct.slice_normal_ras[0]) > abs(ct.slice_normal_ras[1]) else "coronal"
        return [Finding("not-axial", ERROR, f"The slices are {name}; the model was made for axial slices. "
                                            "Load the axial series of this examination.")]
    findings, tag = [], ct.info.gantry_tilt_tag_deg
    if off_axial > 30:
        findings.append(_warning("oblique-slices", f"The slices lie {off_axial:.0f} degrees off axial; the model saw "
                                                   "at most slightly turned heads. Look closely."))
    if ct.tilt_deg >= TILT_NAMED_FROM_DEG:
        excess = 100 * (1 / np.cos(np.radians(ct.tilt_deg)) - 1)
        findings.append(_info("gantry-tilt", f"The gantry was tilted by {ct.tilt_deg:.1f} degrees. Volumes here take "
                                             "that into account; multiplying pixel size by table step would give "
                                             f"{excess:.1f} % too much."))
    if tag is not None and abs(abs(tag) - ct.tilt_deg) > 1:
        findings.append(_warning("tilt-tag", f"The header says the gantry was tilted by {abs(tag):.1f} degrees, the "
                                             f"slice positions say {ct.tilt_deg:.1f}. The positions are used; the "
                                             "series may have been resampled."))
    return findings


def _spacing(ct):
    steps, findings = ct.slice_steps_mm, []
    if ct.is_uneven:
        findings.append(_warning("uneven-spacing", "The slices are not equally far apart. Distances from the first to "
                                                   f"the last slice: {spacing_words(steps)}. Every slice is counted by "
                                                   "its own height."))
    gaps = [text for k in range(len(steps)) if (text := _gap_words(ct, steps, k))]
    if gaps:
        findings.append(_warning("missing-slices", f"Slices seem to be missing: {'; '.join(gaps[:4])}. Blood in the "
                                                   "gap is interpolated from its neighbors; load the whole series."))
    sideways = _sideways_mm(ct)
    if sideways > 1.0:
        findings.append(_warning("sideways-shift", f"Slices are shifted sideways by up to {sideways:.1f} mm against "
                                                   "each other; lengths across slices may be off."))
    return findings


def _gap_words(ct, steps, k):
    """Words for a step that is a whole multiple of the equal steps beside it, or None."""
    beside = [steps[n] for n in (k - 2, k - 1, k + 1, k + 2) if 0 <= n < len(steps)]
    if len(beside) < 2 or np.ptp(beside) > 0.05 * np.mean(beside):
        return None
    usual = float(np.mean(beside))
    times = round(steps[k] / usual)
    if times < 2 or abs(steps[k] / usual - times) > 0.1:
        return None
    missing = "1 slice" if times == 2 else f"{times - 1} slices"
    return f"{missing} between slice {k + 1} and {k + 2} (a gap of {_short(steps[k])} mm, usual {_short(usual)} mm)"


def _sideways_mm(ct) -> float:
    """Largest distance of a slice origin from the straight line through the first and last one."""
    steps = ct.slice_origins_ras - ct.slice_origins_ras[0]
    along = (steps @ ct.slice_normal_ras)[:, None]
    return float(np.linalg.norm(steps - along / along[-1] * steps[-1], axis=1).max())


def _thickness(ct):
    findings, steps = [], ct.slice_steps_mm
    if steps.max() > THICK_FROM_MM:
        findings.append(_warning("thick-slices", f"Slices are up to {_short(steps.max())} mm apart; small bleeds can "
                                                 "be missed and volumes are coarser."))
    thicknesses = np.array(ct.info.slice_thicknesses_mm, float)
    if len(thicknesses) != len(ct.hu):
        if not ct.info.slice_thickness_mm:
            return findings
        thicknesses = np.full(len(ct.hu), ct.info.slice_thickness_mm)
    between = (thicknesses[:-1] + thicknesses[1:]) / 2  # two neighbors touch when their centers are this far apart
    thick, apart = _short(np.median(thicknesses)), _short(np.median(steps))
    if (between - steps > 0.1 * between).mean() > 0.5:
        findings.append(_info("overlapping-slices", f"The slices overlap ({thick} mm thick, {apart} mm apart). Volumes "
                                                    "use the distance, so nothing is counted twice."))
    if (steps - between > 0.1 * between).mean() > 0.5:
        findings.append(_warning("gaps-between-slices", f"The slices are {thick} mm thick but {apart} mm apart; what "
                                                        "lies between them was not scanned."))
    return findings


def _header(ct):
    info, age, findings = ct.info, ct.info.patient_age_years, []
    if info.contrast_agent or mentions_contrast(info.series_description):
        said = info.contrast_agent or info.series_description
        findings.append(_warning("contrast-agent", f'The header names contrast agent ("{said}"). {_CONTRAST_ADVICE}'))
    if is_bone_kernel(info.kernel):
        findings.append(_warning("bone-kernel", f'The series was reconstructed with a sharp kernel ("{info.kernel}"); '
                                                "its noise hides blood. Prefer the soft-tissue series."))
    if age is not None and age < 18:
        words = f"{age:.0f} years" if age >= 1 else "less than a year"
        findings.append(_warning("child", f"The patient is {words} old; model and scores were made for adults."))
    row_mm, column_mm = ct.pixel_spacing_mm
    if min(row_mm, column_mm) < 0.2 or max(row_mm, column_mm) > 1.25 or abs(row_mm / column_mm - 1) > 0.02:
        findings.append(_warning("pixel-spacing", f"The pixels measure {row_mm:.3g} x {column_mm:.3g} mm; head CT has "
                                                  "square pixels of about 0.4 to 0.5 mm. Check that this is an "
                                                  "original series."))
    return findings


def _image(ct):
    findings = []
    lowest = int(ct.hu.min())
    if lowest < -1100:
        findings.append(_info("padding", f"The image is padded with {lowest} HU outside the scanner's field of view; "
                                         "that is taken as air."))
    view = look_at_skull(ct)
    if view is None:
        return [*findings, _warning("no-head", "No closed skull was found in the slices; is this a head CT with its "
                                               "vertex?"), *_metal(ct, None)]
    return findings + _coverage(view) + _metal(ct, view) + _air_and_contrast(view)


def _coverage(view: SkullView):
    cut = []
    if view.top_share > 0.35:
        cut.append(f"the top slice still shows {view.top_cm2:.0f} cm2 of brain, so the vertex is missing")
    if view.bottom_share > 0.7:
        cut.append(f"the lowest slice still shows {view.bottom_cm2:.0f} cm2 of brain, so the skull base is missing")
    if not cut:
        return []
    return [_warning("head-cut-off", f"Part of the head was not scanned: {' and '.join(cut)}. A bleed there is not "
                                     "measured.")]


def _metal(ct, view):
    dense = ct.hu[:, ::2, ::2] > METAL_HU
    ml = float(4 * dense.sum(axis=(1, 2)) @ ct.voxel_volumes_mm3) / 1000
    if ml < 0.02:
        return []
    inside = view is not None and view.metal_inside_ml > 0.02
    where = "inside the skull (clip, coil, drain or electrode?)" if inside else "outside the brain (teeth, implants?)"
    text = f"About {ml:.2g} mL is denser than {METAL_HU} HU, {where}; streaks near it can look like blood."
    return [_warning("metal", text) if inside else _info("metal", text)]


def _air_and_contrast(view):
    findings = []
    if view.air_ml > 0.5:
        findings.append(_warning("intracranial-air", f"About {view.air_ml:.2g} mL of air lies inside the skull "
                                                     "(surgery, drain or fracture?); the model was made for "
                                                     "heads before surgery."))
    if view.bright_share > CONTRAST_SHARE:
        findings.append(_warning("contrast-agent", f"{100 * view.bright_share:.1f} % of the deep brain is brighter "
                                                   f"than any clot, as after contrast agent. {_CONTRAST_ADVICE}"))
    return findings
