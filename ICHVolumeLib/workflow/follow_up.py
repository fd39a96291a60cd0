"""Two measured cases of one patient compared: volumes, growth, both expansion rules, and the scans side by side."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..core.comparison import Comparison, RegistrationQuality, ScanOfPair, percent_of_change
from ..core.ct_volume import CTVolume
from ..core.errors import InputError
from ..core.result import Result, VolumeMl
from ..imaging.registration import Registration, register_heads
from ..io.compare_files import COMPARE_FILES, COMPARE_HTML, write_compare_csv, write_compare_json
from ..io.masks import read_mask
from ..io.output_folder import OutputFolder
from ..io.read_ct import read_ct
from ..io.result_files import MASK_NRRD, RESULT_JSON
from ..io.same_patient import DIFFERENT, ScanIdentity, compare_patients, hours_between, identity_of
from ..io.written_files import CHANGED, MISSING, UNCHANGED, file_states, read_result, sha256_of
from ..measure import compare_volumes, measure_mask
from ..report.follow_up_page import write_follow_up_page
from .follow_up_findings import findings_of
from .make_result import SOFTWARE

SAME_ML = 0.001  # share of the volume; positions and spacings are rounded in files


@dataclass(frozen=True, eq=False)
class MeasuredCase:
    """An output folder of `segment` or `measure` with its scan; mask: uint8 (slices, rows, columns) on its grid.

    folder: None for a case that is only in memory.
    """

    folder: Path | None
    ct: CTVolume
    mask: np.ndarray
    result: Result
    volume_ml: VolumeMl
    identity: ScanIdentity


def run_compare(earlier, later, out, *, earlier_scan=None, later_scan=None, earlier_series=None, later_series=None,
                same_patient: bool = False, force: bool = False, progress=None) -> Comparison:
    """Compare two output folders and write compare.json, compare.csv and compare.html into `out`.

    earlier_scan, later_scan: where the CT lies now, when it is no longer at the result's provenance.source.
    earlier_series, later_series: UID or number, where the scan's folder holds several series.
    same_patient: a person has checked it, although the files name two patients.
    Raises InputError when a folder or scan cannot be used, does not belong together, or is another patient's.
    """
    progress = progress or (lambda stage, done, total: None)
    out = Path(out)
    with OutputFolder(out, COMPARE_FILES, force=force, ours=_still_ours) as folder:
        cases = []
        for number, given in enumerate(((earlier, earlier_scan, earlier_series), (later, later_scan, later_series))):
            progress("read", number, 2)
            cases.append(read_case(*given))
            _refuse_scan_folder(out, given[1] or cases[-1].result.provenance.source)
        patient = compare_patients(*(case.identity for case in cases))
        if patient.answer == DIFFERENT and not same_patient:
            raise InputError(f"{earlier} and {later} are of two patients: {patient.why}. Choose the other folder; if "
                             "you have checked that both are of one patient, give --same-patient.")
        progress("register", 0, 1)
        registration = register_heads(cases[1].ct, cases[0].ct)
        comparison = make_comparison(cases[0], cases[1], patient, registration)
        progress("report", 0, 1)
        write_follow_up_page(folder.staging / COMPARE_HTML, comparison, cases[0].ct, cases[0].mask, cases[1].ct,
                             cases[1].mask)
        progress("write", 0, 1)
        write_compare_csv(folder.staging, comparison)
        files = write_compare_json(folder.staging, comparison)
        folder.commit()
    return replace(comparison, files=files)


def read_case(folder, scan=None, series=None) -> MeasuredCase:
    """Raises InputError when the folder is none of a case, the scan is not there or another one, or the mask was
    changed after it was measured."""
    folder = Path(folder)
    values = read_result(folder)
    try:
        result = Result.from_dict(values)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{folder / RESULT_JSON} is not a result of ICHVolume; measure the case again.") from error
    _refuse_changed(folder)
    source = Path(scan or result.provenance.source)
    if not source.exists():
        raise InputError(f"The scan of {folder} is no longer at {source}; say where it lies with --earlier-scan or "
                         "--later-scan.")
    series = series or result.provenance.series_uid or None
    ct = read_ct(source, series)
    _refuse_other_scan(folder, result, ct)
    mask = read_mask(folder / MASK_NRRD, ct)
    volume_ml = measure_mask(ct, mask).volume_ml
    if abs(volume_ml.total - result.volume_ml.total) > max(SAME_ML * result.volume_ml.total, 1e-6):
        raise InputError(f"{folder}: {MASK_NRRD} holds {volume_ml.total:.2f} mL, {RESULT_JSON} says "
                         f"{result.volume_ml.total:.2f} mL; measure the mask again with `ichvolume measure`.")
    return MeasuredCase(folder, ct, mask, result, volume_ml, identity_of(source, series or ct.info.series_uid))


def case_in_memory(ct: CTVolume, mask: np.ndarray, result: Result, source: str = "") -> MeasuredCase:
    """A case that lies in no folder, as the panel has it; source: its DICOM folder, where it has one, says whose."""
    identity = identity_of(Path(source), ct.info.series_uid) if source else ScanIdentity()
    return MeasuredCase(None, ct, mask, result, result.volume_ml, identity)


def compare_in_memory(earlier: MeasuredCase, later: MeasuredCase) -> Comparison:
    """The same as run_compare without any file. Raises InputError when both are of two patients."""
    patient = compare_patients(earlier.identity, later.identity)
    if patient.answer == DIFFERENT:
        raise InputError(f"The two scans are of two patients: {patient.why}. Choose another earlier scan.")
    return make_comparison(earlier, later, patient, register_heads(later.ct, earlier.ct))


def make_comparison(earlier: MeasuredCase, later: MeasuredCase, patient, registration: Registration) -> Comparison:
    """Everything but the pictures; patient: io.same_patient.Verdict."""
    before, after = earlier.volume_ml, later.volume_ml
    less = after.ich < before.ich
    comparison = Comparison(
        earlier=_described(earlier), later=_described(later),
        hours_between=hours_between(earlier.identity.scanned_at, later.identity.scanned_at),
        expansion=compare_volumes(before, after),
        total_ml=after.total - before.total,
        total_percent=percent_of_change(before.total, after.total),
        ivh_percent=percent_of_change(before.ivh, after.ivh),
        residual_ich_ml=after.ich if less else None,
        residual_ich_percent=100 * after.ich / before.ich if less else None,
        patient=patient.answer, patient_why=patient.why,
        registration=RegistrationQuality(
            registration.is_good, registration.correlation, registration.skull_dice, registration.overlap,
            registration.rotation_deg, registration.to_moving_ras.tolist()),
        findings=[], software=SOFTWARE)
    same_pixels = earlier.ct.hu.shape == later.ct.hu.shape and bool((earlier.ct.hu == later.ct.hu).all())
    return replace(comparison, findings=findings_of(comparison, same_pixels, earlier.result, later.result))


def _described(case: MeasuredCase) -> ScanOfPair:
    heights, result = case.ct.slab_heights_mm, case.result
    return ScanOfPair(
        source=case.ct.info.source, series_uid=case.ct.info.series_uid, scanned_at=case.identity.scanned_at,
        volume_ml=case.volume_ml, slices=len(case.ct.hu),
        slab_height_mm=(float(np.median(heights)), float(heights.min()), float(heights.max())),
        slice_thickness_mm=case.ct.info.slice_thickness_mm, tilt_deg=case.ct.tilt_deg,
        mask_origin=_origin(case), mask_sha256=sha256_of(case.folder / MASK_NRRD) if case.folder else "",
        model=result.provenance.model)


def _origin(case):
    if case.result.history:
        return case.result.history[-1].origin
    return "" if case.folder else case.result.mask_origin  # files of earlier versions do not say


def _refuse_changed(folder):
    states = file_states(folder)
    wrong = [f"{name} {'is missing' if states[name] == MISSING else 'was changed after it was measured'}"
             for name in (RESULT_JSON, MASK_NRRD) if states.get(name) in (CHANGED, MISSING)]
    if wrong:
        raise InputError(f"{folder}: {' and '.join(wrong)}, so its numbers and its mask do not belong together; "
                         "measure the mask again with `ichvolume measure` into another folder.")


def _refuse_other_scan(folder, result, ct):
    geometry = result.geometry
    same = (ct.hu.shape == (geometry.slices, geometry.rows, geometry.columns)
            and np.allclose(ct.pixel_spacing_mm, geometry.pixel_spacing_mm, rtol=1e-3)
            and np.allclose(ct.slab_heights_mm, geometry.slab_heights_mm, rtol=1e-2, atol=0.02))
    uids = {result.provenance.series_uid, ct.info.series_uid} - {""}
    if not same or len(uids) > 1:
        raise InputError(f"{ct.info.source} is not the scan that {folder} was measured on (another series, size or "
                         "slice distance); give the right one with --earlier-scan or --later-scan, and its number with "
                         "--earlier-series or --later-series where the folder holds several.")


def _refuse_scan_folder(out, source):
    if Path(source).is_dir() and out.resolve() == Path(source).resolve():
        raise InputError(f"{out} is the folder of the scan; choose another output folder.")


def _still_ours(out: Path, names: tuple[str, ...]) -> set[str]:
    states = file_states(out, names, COMPARE_FILES[0])
    return {name for name, state in states.items() if state == UNCHANGED}
