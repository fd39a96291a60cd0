"""What the header says of the scan: what kind of image, contrast agent, kernel, age, pixel size. Codes: checks.py."""

from ..core.ct_volume import CTVolume
from ..core.findings import ERROR, INFO, WARNING, Finding
from ..core.text import number_words
from ..io.protocol import image_kind, is_bone_kernel, mentions_contrast, mentions_no_contrast, region_points

CONTRAST_ADVICE = ("The model was made for scans without contrast: it may mark vessels or measure about a third too "
                   "little. Prefer the series without contrast.")  # 10.1186/s12880-022-00735-3: 32 % less


def _warning(code, message) -> Finding:
    return Finding(code, WARNING, message)


def check_kind(ct: CTVolume) -> list[Finding]:
    """Whether this is a plain CT image, by ImageType, description and RescaleType."""
    info = ct.info
    kind = image_kind(info.image_type, info.series_description, info.rescale_type)
    if kind is None:
        return []
    said = f'"{info.series_description}"' if info.series_description else f'"{info.image_type}"'
    if kind.code == "not-plain-ct":
        return [Finding("not-plain-ct", ERROR, f"The series {said} is {kind.words}; load the original CT series.")]
    if kind.code == "spectral-image":
        return [_warning("spectral-image", f"The series {said} is {kind.words}: blood has other values there than in "
                                           "the CT images that the model was made for. Prefer the original series.")]
    if kind.code == "derived-image":
        return [_warning("derived-image", f"The series {said} is {kind.words}: each picture may show a thicker layer "
                                          "than it is counted for, and volumes are then too large. Prefer the original "
                                          "series.")]
    return [Finding("derived-image", INFO, f"The header says that the images are {kind.words}, not as the scanner made "
                                           "them. If they were resampled or filtered, edges of blood are blurred; "
                                           "prefer the original series where there is one.")]


def check_header(ct: CTVolume) -> list[Finding]:
    info, age, findings = ct.info, ct.info.patient_age_years, []
    part = " for some slices" if any(finding.code == "mixed-slices" for finding in ct.findings) else ""
    if info.contrast_agent or mentions_contrast(info.series_description):
        said = info.contrast_agent or info.series_description
        findings.append(_warning("contrast-agent", f'The header names contrast agent{part} ("{said}"). '
                                                   f"{CONTRAST_ADVICE}"))
    elif mentions_contrast(info.protocol_name) and not mentions_no_contrast(info.series_description):
        findings.append(Finding("contrast-protocol", INFO, f'The protocol\'s name ("{info.protocol_name}") speaks of '
                                                           "contrast agent. Look whether this is the native series."))
    if region_points(" ".join((info.series_description, info.protocol_name, info.body_part))) < 0:
        name = " / ".join(filter(None, (info.series_description, info.body_part, info.protocol_name)))
        findings.append(_warning("other-region", f'By its name ("{name}") the series shows another part of the body '
                                                 "than the head. Prefer the head series of this examination."))
    if is_bone_kernel(info.kernel):
        which = "Some slices were" if part else "The series was"
        findings.append(_warning("bone-kernel", f'{which} reconstructed with a sharp kernel ("{info.kernel}"); its '
                                                "noise hides blood. Prefer the soft-tissue series."))
    if age is not None and age < 18:
        words = f"{age:.0f} years" if age >= 1 else "less than a year"
        findings.append(_warning("child", f"The patient is {words} old; model and scores were made for adults. "
                                          "Check the mask in every slice and do not use the scores."))
    row_mm, column_mm = ct.pixel_spacing_mm
    if min(row_mm, column_mm) < 0.2 or max(row_mm, column_mm) > 1.25 or abs(row_mm / column_mm - 1) > 0.02:
        findings.append(_warning("pixel-spacing", f"The pixels measure {number_words(row_mm, 3)} x "
                                                  f"{number_words(column_mm, 3)} mm, in head CT about 0.45 mm. Check "
                                                  "that this is the original series."))
    return findings
