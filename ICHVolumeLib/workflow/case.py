"""One case from start to end: read, check, segment, measure, score, report, write. The order is the whole file.

`make_result` turns a scan and its mask into a Result; the panel calls it after every edit.
`run_segment` and `run_measure` are the two commands of the same names, without a console.
"""

import platform
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from .. import __version__
from ..clinical import scores
from ..core import findings
from ..core.ct_volume import CTVolume
from ..core.errors import Cancelled, InputError
from ..core.findings import Finding
from ..core.result import Abc2, ClinicalInputs, Geometry, Provenance, Result, VolumeMl
from ..io import result_files
from ..segmentation.conformal_interval import ich_interval_ml

SOFTWARE = f"ICHVolume {__version__}"
DENSER_THAN_BLOOD_HU = 100  # clotted blood stays below; calcification lies above
PACKAGES = ("numpy", "pydicom", "SimpleITK", "vtk", "openvino", "torch")


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
                progress=None, is_cancelled=None) -> CaseFiles:
    """Segment a head CT (DICOM folder, NIfTI or NRRD) and write every output file into `out`.

    Raises InputError for a scan, weights or folder that cannot be used, and Cancelled; `out` is then untouched.
    """
    steps = _Steps(progress, is_cancelled)
    with _output_folder(out, source) as folder:
        ct, noticed = _read_and_check(source, series_uid, steps)
        from ..segmentation.segmenter import segment_ct

        segmentation = segment_ct(ct, device=device, engine=engine, weights_dir=weights_dir,
                                  progress=progress, is_cancelled=is_cancelled)
        steps.seconds.update(segmentation.seconds)
        with steps.step("measure"):
            result = make_result(ct, segmentation.mask, clinical, segmentation, noticed=noticed)
        return _write_case(folder, ct, segmentation.mask, result, steps)


def run_measure(source, mask_path, out, *, labels=None, clinical=None, series_uid=None, automatic_json=None,
                progress=None, is_cancelled=None) -> CaseFiles:
    """Measure a mask that the user gives, without the network, and write the same files as run_segment.

    labels: {segment name or value: "ich", "ivh" or "ignore"}, as for io.masks.read_mask.
    automatic_json: result.json of the automatic mask this one was corrected from; its volumes stand beside, and
        its model is named.
    Raises InputError for a scan, mask or folder that cannot be used, and Cancelled; `out` is then untouched.
    """
    steps = _Steps(progress, is_cancelled)
    with _output_folder(out, source, mask_path, automatic_json) as folder:
        automatic, model = result_files.read_automatic(automatic_json) if automatic_json else (None, {})
        ct, noticed = _read_and_check(source, series_uid, steps)
        from ..io.masks import read_mask_and_findings

        with steps.step("read mask"):
            mask, noticed_in_mask = read_mask_and_findings(mask_path, ct, labels)
        with steps.step("measure"):
            result = make_result(ct, mask, clinical, automatic_volume_ml=automatic, noticed=noticed + noticed_in_mask)
            result = replace(result, provenance=replace(result.provenance, **model))
        return _write_case(folder, ct, mask, result, steps)


def make_result(ct: CTVolume, mask: np.ndarray, clinical: ClinicalInputs | None = None, segmentation=None,
                automatic_volume_ml: VolumeMl | None = None, noticed: list[Finding] | None = None) -> Result:
    """Measure a mask and score it.

    mask: uint8 (slices, rows, columns) on the scan's grid, values of labels.py.
    segmentation: how the mask came to be, None when a person or another program made it.
    automatic_volume_ml: the model's volumes before a person edited its mask.
    noticed: check_ct(ct), when the caller already has it (it takes longer than measuring does).
    """
    from ..measure import measure_mask
    from ..quality.checks import check_ct

    clinical = clinical or ClinicalInputs()
    measurement = measure_mask(ct, mask)
    volume_ml = measurement.volume_ml
    interval_ml = segmentation.interval_ml if segmentation and automatic_volume_ml is None else None
    noticed = list(check_ct(ct) if noticed is None else noticed)
    noticed += segmentation.findings if segmentation else []
    noticed += _findings_about_the_bleed(measurement, interval_ml, by_model=segmentation is not None)
    return Result(
        found=volume_ml.total > 0,
        volume_ml=volume_ml,
        interval_ml=interval_ml,
        interval_coverage=segmentation.interval_coverage if interval_ml else None,
        abc2=measurement.abc2,
        components=measurement.components,
        **_scores(clinical, volume_ml, measurement.abc2, interval_ml),
        geometry=describe_geometry(ct),
        findings=noticed,
        provenance=_provenance(ct, segmentation),
        automatic_volume_ml=automatic_volume_ml,
    )


def with_abc2(result: Result, abc2: Abc2, clinical: ClinicalInputs | None = None) -> Result:
    """The result with a corrected A, B or C, and everything that follows from it.

    abc2: measure.abc2_from_lines or abc2_with_axes of result.abc2; clinical: as given to make_result.
    """
    change_ml = abc2.coniglobus_ml - result.abc2.coniglobus_ml
    corrected = next(piece for piece in result.components if piece.counted_in_abc2)  # the largest: A, B, C are its
    pieces = [replace(piece, abc2_ml=piece.abc2_ml + change_ml) if piece is corrected else piece
              for piece in result.components]
    return replace(result, abc2=abc2, components=pieces,
                   **_scores(clinical or ClinicalInputs(), result.volume_ml, abc2, result.interval_ml))


def _scores(clinical, volume_ml, abc2, interval_ml) -> dict:
    """The fields ich_score, max_ich and func of a Result. They count the parenchymal volume and need some of it."""
    ivh_in_mask = volume_ml.ivh > 0
    interval_ml = ich_interval_ml(interval_ml, volume_ml.ivh)
    all_three = {
        "ich_score": scores.ich_score(clinical, volume_ml.ich, ivh_in_mask, abc2 and abc2.coniglobus_ml, interval_ml),
        "max_ich": scores.max_ich(clinical, volume_ml.ich, ivh_in_mask, interval_ml),
        "func": scores.func(clinical, volume_ml.ich, interval_ml),
    }
    if volume_ml.ich > 0:
        return all_three
    why = "Only blood in the ventricles (IVH) is marked, none in brain tissue" if ivh_in_mask else "No bleed is marked"
    return {name: scores.not_applicable(score, why) for name, score in all_three.items()}


def describe_geometry(ct: CTVolume) -> Geometry:
    """The scan's grid as plain values."""
    slices, rows, columns = ct.hu.shape
    heights = [float(height) for height in ct.slab_heights_mm]
    return Geometry(slices, rows, columns, ct.pixel_spacing_mm, heights, ct.tilt_deg)


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
    from ..io.read_ct import read_ct
    from ..quality.checks import check_ct

    with steps.step("read"):
        ct = read_ct(source, series_uid)
    with steps.step("check"):
        noticed = check_ct(ct)
    refuse_unusable(source, noticed)
    return ct, noticed


def _write_case(folder, ct, mask, result, steps) -> CaseFiles:
    from ..io.segmentation_nrrd import write_mask_seg_nrrd
    from ..report import write_report

    staging = folder.staging
    with steps.step("write mask and 3D model"):
        write_mask_seg_nrrd(staging / result_files.MASK_NRRD, mask, ct, algorithm_type=_algorithm_type(result))
        if result.found:
            result = replace(result, surface=_write_surface(staging / result_files.SURFACE_STL, ct, mask))
    result = _with_seconds(result, steps)
    with steps.step("report"):
        write_report(staging / result_files.REPORT_HTML, ct, mask, result)
    result = _with_seconds(result, steps)
    with steps.step("write results"):
        result_files.write_csv(staging / result_files.RESULT_CSV, result)
        result_files.write_json(staging / result_files.RESULT_JSON, result.to_dict())
        written = folder.commit()
    return CaseFiles(ct, mask, result, folder.out, written, steps.seconds)


def _algorithm_type(result) -> str:
    """DICOM's SegmentAlgorithmType."""
    if result.provenance.engine != "none":
        return "AUTOMATIC"
    return "SEMIAUTOMATIC" if result.automatic_volume_ml else "MANUAL"


def _write_surface(path, ct, mask) -> dict:
    from ..measure.surface import hematoma_surface, write_surface

    surface = hematoma_surface(mask, ct)
    write_surface(surface, path)
    return {"file": path.name, "space": "LPS", "triangles": len(surface.triangles), "volume_ml": surface.volume_ml}


def _with_seconds(result, steps) -> Result:
    return replace(result, provenance=replace(result.provenance, seconds=dict(steps.seconds)))


def _output_folder(out, source, *files):
    """The output folder, refused when it would write over or among what was given to read."""
    out, source = Path(out), Path(source)
    if source.is_dir() and out.resolve() == source.resolve():
        raise InputError(f"{out} is the folder of the scan; choose another output folder.")
    written = {(out / name).resolve() for name in result_files.OUTPUT_NAMES}
    for path in filter(None, (source, *files)):
        if Path(path).resolve() in written:
            raise InputError(f"{path} would be overwritten by the new results; choose another output folder.")
    return result_files.OutputFolder(out)


def _findings_about_the_bleed(measurement, interval_ml, by_model):
    if not measurement.found:
        who = "No bleed found by the model. This does not mean that the scan is normal" if by_model else \
              "The mask is empty: there is nothing to measure"
        return [Finding("no-bleed", findings.INFO, f"{who}. No 3D model was written.")]
    noticed = []
    if not measurement.volume_ml.ich > 0:
        noticed.append(Finding("ivh-only", findings.WARNING,
                               "Only blood in the ventricles (IVH) is marked and none in the brain tissue (ICH): ABC/2 "
                               "and the scores, which are made for ICH, do not apply. If a part lies in brain tissue, "
                               "mark it as ICH."))
    low, high = ich_interval_ml(interval_ml, measurement.volume_ml.ivh) or (0.0, 0.0)
    if measurement.volume_ml.ich > 0 and low < scores.LIMIT_ML <= high:
        noticed.append(Finding("crosses-30-ml", findings.WARNING,
                               f"The interval of the ICH volume ({low:.1f} to {high:.1f} mL) crosses 30 mL, where the "
                               "ICH score gains a point: check the mask before using the score."))
    dense = [f"{piece.volume_ml:.2g} mL with {piece.mean_hu:.0f} HU" for piece in measurement.components
             if piece.mean_hu > DENSER_THAN_BLOOD_HU]
    if dense:
        noticed.append(Finding("denser-than-blood", findings.WARNING,
                               f"Marked pieces are denser on average than clotted blood: {'; '.join(dense[:4])}. They "
                               "may be calcification, bone or metal; they are counted until someone removes them."))
    return noticed


def _provenance(ct, segmentation) -> Provenance:
    made = {} if segmentation is None else {
        "model": segmentation.model, "model_sha256": segmentation.model_sha256,
        "training_data": segmentation.training_data, "engine": segmentation.engine, "device": segmentation.device,
        "seconds": dict(segmentation.seconds), "clean_up": segmentation.clean_up}
    return Provenance(software=SOFTWARE, versions=installed_versions(PACKAGES), series_uid=ct.info.series_uid,
                      source=ct.info.source, **made)


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
