"""What a reader of a comparison must know: the patient, the order, unlike slices, unlike masks, a poor registration.

Codes: patient-conflict, patient-unknown, same-scan, scans-swapped, scan-order-unknown, slices-differ, masks-differ,
registration-poor, little-new-ivh; and each case's own warnings, with the case said.
"""

from ..core.comparison import Comparison, ScanOfPair
from ..core.findings import INFO, WARNING, Finding
from ..core.result import Result
from ..io.same_patient import CANNOT_TELL, SAME, is_before
from ..measure.expansion import IVH_GROWTH_ML

EARLIER_SCAN, LATER_SCAN = "Earlier scan: ", "Later scan: "  # how each case's own warnings begin
SLICES_DIFFER = 0.1  # share; above what positions are rounded by


def findings_of(comparison: Comparison, same_pixels: bool, earlier: Result, later: Result) -> list[Finding]:
    """same_pixels: the two scans hold the same values."""
    return [*_about_patient(comparison), *_about_order(comparison, same_pixels), *_about_slices(comparison),
            *_about_masks(comparison), *_about_registration(comparison), *_about_new_ivh(comparison),
            *_of_the_cases(earlier, later)]


def _about_patient(comparison):
    if comparison.patient == CANNOT_TELL:
        yield Finding("patient-unknown", WARNING, "Cannot tell whether both scans are of one patient "
                                                  f"({comparison.patient_why}); check it.")
    elif comparison.patient != SAME:
        yield Finding("patient-conflict", WARNING, "The files leave in doubt that both scans are of one patient: "
                                                   f"{comparison.patient_why}. Check it.")


def _about_order(comparison, same_pixels):
    one, other = comparison.earlier, comparison.later
    if same_pixels:
        yield Finding("same-scan", WARNING, "Both masks are of the same scan: what differs is the mask, not the "
                                            "patient.")
        return
    swapped = is_before(other.scanned_at, one.scanned_at)
    if swapped:
        yield Finding("scans-swapped", WARNING,
                      f"EARLIER was scanned on {one.scanned_at.replace('T', ' ')}, after LATER "
                      f"({other.scanned_at.replace('T', ' ')}): the two are probably swapped, and what is called "
                      "growth here is the opposite.")
    elif swapped is None:
        yield Finding("scan-order-unknown", INFO, "The files do not say which scan came first; the order is as given.")


def _about_slices(comparison):
    one, other = comparison.earlier, comparison.later
    pairs = [*zip(one.slab_height_mm, other.slab_height_mm, strict=True)]
    if one.slice_thickness_mm and other.slice_thickness_mm:
        pairs.append((one.slice_thickness_mm, other.slice_thickness_mm))
    if any(abs(a - b) > SLICES_DIFFER * max(a, b) for a, b in pairs):
        yield Finding("slices-differ", WARNING,
                      f"Slices differ: {_slices(one)} earlier, {_slices(other)} later. Thick slices blur the upper and "
                      "lower end of a bleed, so that part of the difference may come from the scans.")


def _slices(scan: ScanOfPair) -> str:
    median, low, high = scan.slab_height_mm
    steps = f"{median:.1f} mm" if high - low < 0.05 else f"{low:.1f} to {high:.1f} mm"
    thick = scan.slice_thickness_mm
    return f"{steps} apart" + (f", {thick:g} mm thick" if thick and abs(thick - median) > 0.05 else "")


def _about_masks(comparison):
    one, other = comparison.earlier, comparison.later
    words = {"model": "the model's", "edited": "corrected by a person", "foreign": "from another program or by hand"}
    if one.mask_origin and other.mask_origin and one.mask_origin != other.mask_origin:
        yield Finding("masks-differ", WARNING,
                      f"The earlier mask is {words.get(one.mask_origin, one.mask_origin)}, the later one "
                      f"{words.get(other.mask_origin, other.mask_origin)}: part of the difference may come from that.")
    elif one.model and other.model and one.model != other.model:
        yield Finding("masks-differ", WARNING, f"The masks are of two models ({one.model} and {other.model}): part of "
                                               "the difference may come from that.")


def _about_registration(comparison):
    quality = comparison.registration
    if not quality.good:
        yield Finding("registration-poor", WARNING,
                      "The two heads could not be brought onto each other well enough "
                      f"(correlation {quality.correlation:.2f}, skull overlap {quality.skull_dice:.2f}), so they are "
                      "not shown side by side. The volumes do not depend on it; but look whether both scans are of "
                      "one patient, show the whole head, and whether bone was removed.")


def _about_new_ivh(comparison):
    ivh_ml = comparison.later.volume_ml.ivh
    if comparison.expansion.new_ivh and ivh_ml < IVH_GROWTH_ML:
        yield Finding("little-new-ivh", WARNING, f"The revised rule counts {ivh_ml:.2f} mL of new intraventricular "
                                                 "blood, which is little: look whether it is real.")


def _of_the_cases(earlier, later):
    for words, result in ((EARLIER_SCAN, earlier), (LATER_SCAN, later)):
        for finding in result.findings:
            if finding.severity == WARNING:
                yield Finding(finding.code, WARNING, words + finding.message)
