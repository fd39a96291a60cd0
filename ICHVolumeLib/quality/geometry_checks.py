"""How the slices lie: direction, tilt, distances, gaps, thickness. The codes are explained in checks.py."""

import numpy as np

from ..core.ct_volume import UNEVEN_TOLERANCE_MM, CTVolume
from ..core.findings import ERROR, INFO, WARNING, Finding

TILT_NAMED_FROM_DEG = 0.5
THICK_FROM_MM = 6.0


def _info(code, message) -> Finding:
    return Finding(code, INFO, message)


def _warning(code, message) -> Finding:
    return Finding(code, WARNING, message)


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


def check_orientation(ct: CTVolume) -> list[Finding]:
    off_axial = float(np.degrees(np.arccos(np.clip(abs(ct.slice_normal_ras[2]), 0, 1))))
    if off_axial > 45:
        name = "sagittal" if abs(ct.slice_normal_ras[0]) > abs(ct.slice_normal_ras[1]) else "coronal"
        return [Finding("not-axial", ERROR, f"The slices are {name}; the model was made for axial slices. "
                                            "Load the axial series of this examination.")]
    findings, tag = [], ct.info.gantry_tilt_tag_deg
    if off_axial > 30:
        findings.append(_warning("oblique-slices", f"The slices lie {off_axial:.0f} degrees off axial; the model saw "
                                                   "at most slightly turned heads. Check the mask in every slice."))
    if ct.tilt_deg >= TILT_NAMED_FROM_DEG:
        excess = 100 * (1 / np.cos(np.radians(ct.tilt_deg)) - 1)
        findings.append(_info("gantry-tilt", f"The gantry was tilted by {ct.tilt_deg:.1f} degrees. Volumes here take "
                                             "that into account; multiplying pixel size by table step would give "
                                             f"{excess:.1f} % too much."))
    if tag is not None and abs(abs(tag) - ct.tilt_deg) > 1:
        findings.append(_warning("tilt-tag", f"The header says the gantry was tilted by {abs(tag):.1f} degrees, the "
                                             f"slice positions say {ct.tilt_deg:.1f}. The positions are used; the "
                                             "series may have been resampled: measure the original one where you "
                                             "have it."))
    return findings


def check_spacing(ct: CTVolume) -> list[Finding]:
    steps, findings = ct.slice_steps_mm, []
    if ct.is_uneven:
        findings.append(_warning("uneven-spacing", "The slices are not equally far apart. Distances from the first to "
                                                   f"the last slice: {spacing_words(steps)}. Every slice is counted by "
                                                   "its own height; if the scanner was not set to that, look whether "
                                                   "slices are missing."))
    gaps = [text for k in range(len(steps)) if (text := _gap_words(ct, steps, k))]
    if gaps:
        findings.append(_warning("missing-slices", f"Slices seem to be missing: {'; '.join(gaps[:4])}. Blood in the "
                                                   "gap is interpolated from its neighbors; load the whole series."))
    sideways = _sideways_mm(ct)
    if sideways > 1.0:
        findings.append(_warning("sideways-shift", f"Slices are shifted sideways by up to {sideways:.1f} mm against "
                                                   "each other; lengths across slices may be off. Look whether the "
                                                   "outline of the head jumps from slice to slice; if so, load the "
                                                   "original series."))
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


def check_thickness(ct: CTVolume) -> list[Finding]:
    findings, steps = [], ct.slice_steps_mm
    if steps.max() > THICK_FROM_MM:
        findings.append(_warning("thick-slices", f"Slices are up to {_short(steps.max())} mm apart; small bleeds can "
                                                 "be missed and volumes are coarser. Prefer a thinner series of this "
                                                 "examination where there is one."))
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
                                                        "lies between them was not scanned, and blood there is taken "
                                                        "from the slices beside it. Prefer a series without gaps."))
    return findings
