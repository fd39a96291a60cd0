"""One case from files to files: read, check, segment or take a mask, measure, export. The order is the whole file.

`run_segment` and `run_measure` are the two commands of the same names, without a console.
"""

import os
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

import numpy as np

from ..core import findings
from ..core.ct_volume import CTVolume
from ..core.errors import Cancelled, InputError
from ..core.findings import Finding
from ..core.result import Result
from ..io import result_files
from ..io.input_problems import MASK, SCAN, explained
from ..io.masks import read_mask_and_findings
from ..io.output_folder import OutputFolder
from ..io.patient_identity import patient_key, read_salt
from ..io.read_ct import read_ct
from ..quality.checks import check_ct
from ..segmentation.segmenter import Segmenter
from .exporters import DICOM_EXPORTERS, EXPORTERS, Exporter, with_outside
from .history import earlier_versions, this_version
from .make_result import make_result


@dataclass(frozen=True)
class CaseFiles:
    """What a run leaves in memory.

    mask: uint8 (slices, rows, columns); written: names of the files now in `out`; seconds: step -> seconds, in order.
    """

    ct: CTVolume
    mask: np.ndarray
    result: Result
    out: Path
    written: list[str]
    seconds: dict


def run_segment(source, out, *, clinical=None, series_uid=None, device="auto", engine="auto", weights_dir=None,
                progress=None, is_cancelled=None, force=False, patient_salt: Path | None = None,
                exporters: tuple[Exporter, ...] = EXPORTERS, segmenter=None) -> CaseFiles:
    """Segment a head CT (DICOM folder, NIfTI or NRRD) and write every output file into `out`.

    segmenter: a warm Segmenter, in place of one made of device, engine and weights_dir for this case alone.
    force: files in `out` that were changed since they were written get a dated copy instead of being refused.
    patient_salt: a file with a secret; the result then has a pseudonym of the patient, see io.patient_identity.
    Raises InputError for a scan, weights or folder that cannot be used, and Cancelled; `out` is then untouched.
    """
    steps = _Steps(progress, is_cancelled)
    salt = read_salt(patient_salt) if patient_salt else None
    with _output_folder(exporters, force, out, source) as folder:
        ct, noticed = _read_and_check(source, series_uid, steps)
        if segmenter is None:
            segmenter = Segmenter(device, weights_dir, engine)
        segmentation = segmenter.apply(ct, progress, is_cancelled)
        steps.seconds.update(segmentation.seconds)
        with steps.step("measure"):
            result = make_result(ct, segmentation.mask, clinical, segmentation, noticed=noticed)
            result = _with_patient_key(result, ct, salt)
            result = replace(result, history=[this_version(result)])
        return _write_case(folder, ct, segmentation.mask, result, steps, with_outside(exporters, segmentation.outside))


def segment_ct(ct: CTVolume, out, segmenter: Segmenter, exporters: tuple[Exporter, ...] = EXPORTERS) -> CaseFiles:
    """run_segment of a scan that was read already and is taken as it is; what lies in `out` is written over."""
    steps = _Steps(None, None)
    names = (*(exporter.file_name for exporter in exporters), result_files.OUTSIDE_NRRD)
    with OutputFolder(Path(out), names, force=True) as folder:
        segmentation = segmenter.apply(ct)
        steps.seconds.update(segmentation.seconds)
        with steps.step("measure"):
            result = make_result(ct, segmentation.mask, None, segmentation, noticed=check_ct(ct))
            result = replace(result, history=[this_version(result)])
        return _write_case(folder, ct, segmentation.mask, result, steps, with_outside(exporters, segmentation.outside))


def run_measure(source, mask_path, out, *, labels=None, clinical=None, series_uid=None, automatic_json=None,
                progress=None, is_cancelled=None, force=False, patient_salt: Path | None = None,
                exporters: tuple[Exporter, ...] = EXPORTERS) -> CaseFiles:
    """Measure a mask that the user gives, without the network, and write the same files as run_segment.

    labels: {segment name or value: "ich", "ivh" or "ignore"}, as for io.masks.read_mask.
    automatic_json: result.json of the automatic mask this one was corrected from; its volumes stand beside, and
        its model is named.
    force, patient_salt: as in run_segment.
    Raises InputError for a scan, mask or folder that cannot be used, and Cancelled; `out` is then untouched.
    """
    steps = _Steps(progress, is_cancelled)
    salt = read_salt(patient_salt) if patient_salt else None
    with _output_folder(exporters, force, out, source, mask_path, automatic_json) as folder:
        with explained(automatic_json):
            automatic, model = result_files.read_automatic(automatic_json) if automatic_json else (None, {})
        ct, noticed = _read_and_check(source, series_uid, steps)
        with steps.step("read mask"), explained(mask_path, MASK):
            mask, noticed_in_mask = read_mask_and_findings(mask_path, ct, labels)
        with steps.step("measure"):
            result = make_result(ct, mask, clinical, automatic_volume_ml=automatic, noticed=noticed + noticed_in_mask)
            before, changed = earlier_versions(automatic_json, ct, mask) if automatic_json else ([], None)
            result = _with_patient_key(result, ct, salt)
            result = replace(result, provenance=replace(result.provenance, **model),
                             history=[*before, this_version(result, changed)])
        return _write_case(folder, ct, mask, result, steps, exporters)


def refuse_unusable(source, noticed: list[Finding]) -> None:
    """Raises InputError when a finding says that the scan cannot be used."""
    reasons = [finding.message for finding in noticed if finding.severity == findings.ERROR]
    if reasons:
        raise InputError(f"{source}: {' '.join(reasons)}")


class _Steps:
    """Times the steps, reports them, and stops between two of them when asked to."""

    def __init__(self, progress, is_cancelled):
        self.seconds = {}
        self._progress = progress or (lambda stage, done, total: None)
        self._is_cancelled = is_cancelled or (lambda: False)

    @contextmanager
    def step(self, name):
        if self._is_cancelled():
            raise Cancelled("Cancelled; nothing was written.")
        stage = name.split()[0]
        self._progress(stage, 0, 1)
        started = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - started
        self._progress(stage, 1, 1)


def _read_and_check(source, series_uid, steps):
    with steps.step("read"), explained(source, SCAN):
        ct = read_ct(source, series_uid)
    with steps.step("check"):
        noticed = check_ct(ct)
    refuse_unusable(source, noticed)
    return ct, noticed


def _with_patient_key(result: Result, ct: CTVolume, salt: bytes | None) -> Result:
    if salt is None:
        return result
    key = patient_key(ct.info.patient_id, salt)
    if not key:
        missing = Finding("no-patient-key", findings.INFO, "The series does not say whose it is (no patient ID): "
                                                           "patient_key stays empty.")
        return replace(result, findings=[*result.findings, missing])
    return replace(result, provenance=replace(result.provenance, patient_key=key))


def _write_case(folder, ct, mask, result, steps, exporters) -> CaseFiles:
    for name, group in groupby(exporters, key=lambda exporter: exporter.step):
        result = replace(result, provenance=replace(result.provenance, seconds=dict(steps.seconds)))
        with steps.step(name):
            for exporter in group:
                result = exporter.write(folder.staging / exporter.file_name, ct, mask, result)
    written = folder.commit()
    return CaseFiles(ct, mask, result, folder.out, written, steps.seconds)


def _output_folder(exporters, force, out, source, *files):
    """The output folder, refused when it would write over or among what was given to read."""
    out, source = Path(out), Path(source)
    if os.path.isdir(source) and out.resolve() == source.resolve():
        raise InputError(f"{out} is the folder of the scan; choose another output folder.")
    every = (*EXPORTERS, *DICOM_EXPORTERS, *exporters)  # no old report or segmentation stays
    names = tuple(dict.fromkeys([exporter.file_name for exporter in every] + [result_files.OUTSIDE_NRRD]))
    written = {(out / name).resolve() for name in names}
    for path in filter(None, (source, *files)):
        if Path(path).resolve() in written:
            raise InputError(f"{path} would be overwritten by the new results; choose another output folder.")
    return OutputFolder(out, names, force=force)


