"""What may be wrong with a head CT, in sentences for a neurosurgeon.

Codes of check_ct (severity), beside those that reading gave already (ct.findings):

    not-hu (error)               values are not Hounsfield units, in the whole scan or in some slices
    slice-levels (warning)       air and soft tissue of some slices lie 12 to 30 HU off those of the others
    blank-slices (warning)       slices that hold one single value between others
    hu-clipped (warning)         the values end below bone
    hu-coarse (warning)          gray values in steps of 4 HU and more
    hu-scale (warning)           air or soft tissue lies off its usual place in the whole scan
    not-plain-ct (error)         a map or a difference, whose values are no HU, by the header
    spectral-image (warning)     a monoenergetic or virtual non-contrast image, by the header
    derived-image (info, warning) a projection or reformat; only derived otherwise
    not-axial (error)            slices are sagittal or coronal; the network works on axial slices
    oblique-slices (warning)     slices lie more than 30 degrees off axial
    gantry-tilt (info)           slices are tilted against the table; volumes take it into account
    tilt-tag (warning)           the header's tilt and the slice positions disagree
    uneven-spacing (warning)     slices are not equally far apart; each counts by its own height
    missing-slices (warning)     a gap of two or more steps in an otherwise even stretch
    sideways-shift (warning)     slices are shifted sideways against each other
    slices-interleaved (error)   every other slice shows another picture: two scans mixed
    slice-misplaced (warning)    a slice that does not fit between its neighbors
    head-size (warning)          the head is too small, too large, too flat or too tall: a wrong voxel size?
    overlapping-slices (info)    slices are thicker than their distance
    gaps-between-slices (warning) slices are thinner than their distance: blood between them is not seen
    thick-slices (warning)       more than 6 mm between slices: small bleeds are missed, volumes are coarser
    pixel-spacing (warning)      unusual or unequal pixel sizes
    contrast-agent (warning)     contrast by header or by bright vessels: a bleed is under-measured
    contrast-protocol (info)     only the name of the protocol speaks of contrast
    other-region (warning)       by its name the series shows another part of the body
    bone-kernel (warning)        a sharp reconstruction
    child (warning)              younger than 18 years
    padding (info)               values below air outside the field of view
    metal (info, warning)        very dense objects; a warning when they lie inside the skull
    intracranial-air (warning)   air inside the skull (surgery, drain, fracture)
    noisy (warning)              noise in the brain beyond what the model was trained with
    skull-gap (warning)          a stretch of the vault without bone (craniectomy)
    head-cut-off (warning)       brain in the first or last slice: part of the head was not scanned
    no-head (warning)            no closed skull was found

Of head_pose.check_head_pose, which needs the head's frame:

    head-pose (warning)          the skull fits better when head and feet, front and back or both are exchanged

One rule for readers of the list: an error means that the scan must not be segmented.
"""

from ..core.ct_volume import CTVolume
from ..core.findings import ERROR, Finding
from ..io.hounsfield import hu_findings
from .brain_levels import check_brain_levels
from .geometry_checks import check_orientation, check_spacing, check_thickness, spacing_words
from .head_size import check_head_size
from .header_checks import check_header, check_kind
from .image_checks import check_image
from .slice_order import check_slice_order

__all__ = ["check_ct", "check_without_image", "spacing_words"]


def check_ct(ct: CTVolume) -> list[Finding]:
    """ct.findings first, then what the geometry, the header and the image show; no code occurs twice."""
    scale = hu_findings(ct.hu)
    is_hu = not any(finding.severity == ERROR for finding in scale)
    image = [*check_slice_order(ct), *check_brain_levels(ct), *check_image(ct)] if is_hu else []
    if is_hu and not any(finding.code == "blank-slices" for finding in (*ct.findings, *scale)):
        image += check_head_size(ct)  # slices without a picture would be taken for missing height
    return _each_once([*ct.findings, *scale, *check_without_image(ct), *image])


def check_without_image(ct: CTVolume) -> list[Finding]:
    """The part of check_ct that looks at no voxel, in a few milliseconds: reading, geometry and header."""
    return _each_once([*ct.findings, *check_kind(ct), *check_orientation(ct), *check_spacing(ct),
                       *check_thickness(ct), *check_header(ct)])


def _each_once(findings):
    first = {}
    for finding in findings:
        first.setdefault(finding.code, finding)
    return list(first.values())
