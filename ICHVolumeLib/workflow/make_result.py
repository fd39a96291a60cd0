"""A scan and a mask on it become a Result: measured, scored, with what was noticed; the panel asks after every edit."""

import platform
from dataclasses import replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from .. import __version__
from ..anatomy.head_frame import HeadFrame, fit_head_frame
from ..anatomy.mass_effect import doubted_towards, measure_mass_effect
from ..anatomy.site import suggest_site
from ..clinical import scores
from ..core.ct_volume import CTVolume
from ..core.findings import OF_THE_MODELS_MASK, Finding
from ..core.result import (
    Abc2,
    ClinicalInputs,
    Geometry,
    MidlineShift,
    Provenance,
    Result,
    Ventricles,
    VolumeMl,
    ich_interval_ml,
)
from ..measure import measure_mask
from ..quality.checks import check_ct
from ..quality.head_pose import check_head_pose
from ..quality.mask_checks import check_mask

SOFTWARE = f"ICHVolume {__version__}"
FIT = "fit"
BEFORE = "Before the mask was corrected: "
PACKAGES = ("numpy", "pydicom", "SimpleITK", "vtk", "openvino", "torch")


def make_result(ct: CTVolume, mask: np.ndarray, clinical: ClinicalInputs | None = None, segmentation=None,
                automatic_volume_ml: VolumeMl | None = None, noticed: list[Finding] | None = None,
                about_mask: list[Finding] | None = None, head_frame: HeadFrame | None | str = FIT,
                mass_effect: tuple[MidlineShift, Ventricles] | tuple[None, None] | None = None) -> Result:
    """Measure a mask and score it.

    mask: uint8 (slices, rows, columns) on the scan's grid, values of labels.py.
    segmentation: how the mask came to be, None when a person or another program made it.
    automatic_volume_ml: the model's volumes before a person edited its mask.
    noticed: check_ct(ct), when the caller already has it (it takes longer than measuring does).
    about_mask: check_mask of this mask, likewise.
    head_frame: fit_head_frame(ct), likewise; None leaves out what needs it. Who gives it has asked check_head_pose.
    mass_effect: measure_mass_effect of this mask, likewise; (None, None) leaves it out.
    """
    clinical = clinical or ClinicalInputs()
    measurement = measure_mask(ct, mask)
    volume_ml = measurement.volume_ml
    intervals = _intervals(segmentation) if segmentation and automatic_volume_ml is None else {}
    interval_ich_ml = ich_interval_ml(intervals.get("interval_ml"), volume_ml.ivh, intervals.get("label_intervals_ml"))
    fits = isinstance(head_frame, str) and volume_ml.total > 0
    frame = fit_head_frame(ct) if fits else head_frame
    frame = None if isinstance(frame, str) else frame
    site = suggest_site(mask, ct, frame)
    if mass_effect is None:
        mass_effect = measure_mass_effect(ct, mask, frame) if volume_ml.total > 0 else (None, None)
    noticed = list(check_ct(ct) if noticed is None else noticed)
    noticed += check_head_pose(ct, frame) if fits else []
    noticed += _of_the_model(segmentation.findings, automatic_volume_ml is not None) if segmentation else []
    noticed += check_mask(ct, mask, measurement, interval_ich_ml, segmentation is not None, frame) \
        if about_mask is None else about_mask
    return Result(
        found=volume_ml.total > 0,
        volume_ml=volume_ml,
        **{"interval_ml": None, **intervals},
        abc2=measurement.abc2,
        components=measurement.components,
        **_scores(clinical, volume_ml, measurement.abc2, interval_ich_ml, site),
        geometry=describe_geometry(ct),
        findings=noticed,
        provenance=_provenance(ct, segmentation),
        automatic_volume_ml=automatic_volume_ml,
        outside_brain_ml=segmentation.outside_ml if segmentation else None,
        site=site,
        midline_shift=doubted_towards(site.side if site else "", mass_effect[0]),
        ventricles=mass_effect[1],
    )


def _of_the_model(findings: list[Finding], is_corrected: bool) -> list[Finding]:
    """What is said of the model's own mask says so once a person has changed that."""
    return [replace(one, message=BEFORE + one.message) if is_corrected and one.code in OF_THE_MODELS_MASK else one
            for one in findings]


def with_abc2(result: Result, abc2: Abc2, clinical: ClinicalInputs | None = None) -> Result:
    """The result with a corrected A, B or C, and everything that follows from it.

    abc2: measure.abc2_from_lines or abc2_with_axes of result.abc2; clinical: as given to make_result.
    """
    change_ml = abc2.coniglobus_ml - (result.abc2.coniglobus_ml if result.abc2 else 0.0)
    largest = next(one for one in result.components if one.counted_in_abc2)  # A, B and C are its
    components = [replace(one, abc2_ml=(one.abc2_ml or 0.0) + change_ml) if one is largest else one
                  for one in result.components]
    return replace(result, abc2=abc2, components=components,
                   **_scores(clinical or ClinicalInputs(), result.volume_ml, abc2, result.interval_ich_ml,
                             result.site))


def _intervals(segmentation) -> dict:
    """The fields of a Result about intervals; empty where the model gave none."""
    if not segmentation.interval_ml:
        return {}
    return {name: getattr(segmentation, name) for name in
            ("interval_ml", "interval_coverage", "interval_calibrated_on", "label_intervals_ml")}


def _scores(clinical, volume_ml, abc2, interval_ich_ml, site) -> dict:
    """The fields ich_score, max_ich and func of a Result. They count the parenchymal volume and need some of it."""
    ivh_in_mask = volume_ml.ivh > 0
    location = site and site.location
    all_three = {
        "ich_score": scores.ich_score(clinical, volume_ml.ich, ivh_in_mask, abc2 and abc2.coniglobus_ml,
                                      interval_ich_ml, site and site.infratentorial),
        "max_ich": scores.max_ich(clinical, volume_ml.ich, ivh_in_mask, interval_ich_ml, location),
        "func": scores.func(clinical, volume_ml.ich, interval_ich_ml, location),
    }
    if volume_ml.ich > 0:
        return all_three
    why = "Only blood in the ventricles (IVH) is marked, none in brain tissue" if ivh_in_mask else "No bleed is marked"
    return {name: scores.not_applicable(score, why) for name, score in all_three.items()}


def describe_geometry(ct: CTVolume) -> Geometry:
    """The scan's grid as plain values."""
    slices, rows, columns = ct.hu.shape
    heights = [float(height) for height in ct.slab_heights_mm]
    return Geometry(slices, rows, columns, ct.pixel_spacing_mm, heights, ct.tilt_deg,
                    ct.info.slice_thickness_mm, bool(ct.slice_origins_ras[-1, 2] >= ct.slice_origins_ras[0, 2]))


def _provenance(ct, segmentation) -> Provenance:
    made = {} if segmentation is None else {
        "model": segmentation.model, "model_sha256": segmentation.model_sha256,
        "training_data": segmentation.training_data, "engine": segmentation.engine, "device": segmentation.device,
        "seconds": dict(segmentation.seconds), "clean_up": segmentation.clean_up}
    return Provenance(software=SOFTWARE, versions=installed_versions(PACKAGES), series_uid=ct.info.series_uid,
                      source=ct.info.source, scanned_at=ct.info.scanned_at, **made)


def installed_versions(packages: tuple[str, ...]) -> dict[str, str]:
    """Package -> version of those that are installed here, and Python's; none of them is imported."""
    return dict(_versions(packages))


@cache  # edits ask again
def _versions(packages):
    found = {"Python": platform.python_version()}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
