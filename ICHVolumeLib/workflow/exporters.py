"""What a case writes: a list of files, each with its name and the function that makes it.

Another kind of output is one more Exporter; all of them come into the output folder together or not at all.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from .. import __version__
from ..core.ct_volume import CTVolume
from ..core.errors import InputError
from ..core.labels import OUTSIDE_BRAIN
from ..core.result import Result
from ..io import result_files
from ..io.images import is_image_name
from ..io.segmentation_nrrd import write_mask_seg_nrrd
from ..io.written_files import sealed, sha256_of
from ..measure.surface import hematoma_surface, write_surface
from ..report import write_report


@dataclass(frozen=True)
class Exporter:
    """One output file of a case.

    step: the name under which its seconds are counted; exporters of one step stand side by side in the list.
    write(path, ct, mask, result): makes the file, or leaves it out where there is nothing to write; returns the result,
    with what later files should say about this one.
    """

    file_name: str
    step: str
    write: Callable[[Path, CTVolume, np.ndarray, Result], Result]


def _mask(path: Path, ct: CTVolume, mask: np.ndarray, result: Result) -> Result:
    write_mask_seg_nrrd(path, mask, ct, algorithm_type=algorithm_type(result))
    *before, now = result.history
    return replace(result, history=[*before, replace(now, mask_sha256=sha256_of(path))])  # the mask of this result


def algorithm_type(result: Result) -> str:
    """DICOM's SegmentAlgorithmType of the mask: AUTOMATIC, SEMIAUTOMATIC after edits, MANUAL."""
    return {"model": "AUTOMATIC", "edited": "SEMIAUTOMATIC", "foreign": "MANUAL"}[result.mask_origin]


def _surface(path: Path, ct: CTVolume, mask: np.ndarray, result: Result) -> Result:
    if not result.found:
        return result
    surface = hematoma_surface(mask, ct)
    write_surface(surface, path)
    return replace(result, surface={"file": path.name, "space": "LPS", "triangles": len(surface.triangles),
                                    "volume_ml": surface.volume_ml})


def _report(path: Path, ct: CTVolume, mask: np.ndarray, result: Result) -> Result:
    write_report(path, ct, mask, result)
    return result


def _csv(path: Path, ct: CTVolume, mask: np.ndarray, result: Result) -> Result:
    result_files.write_csv(path, result)
    return result


def _json(path: Path, ct: CTVolume, mask: np.ndarray, result: Result) -> Result:
    """The last of all: it seals the others by their SHA-256."""
    values = sealed(result_files.rounded(result.to_dict()), path.parent)
    result_files.write_json(path, values)
    return replace(result, files=values["files"])


def _outside(outside: np.ndarray, path: Path, ct: CTVolume, mask: np.ndarray, result: Result) -> Result:
    write_mask_seg_nrrd(path, outside * np.uint8(OUTSIDE_BRAIN.value), ct, labels=(OUTSIDE_BRAIN,))
    return result


def _report_with_outside(outside: np.ndarray, path: Path, ct: CTVolume, mask: np.ndarray, result: Result) -> Result:
    write_report(path, ct, mask, result, outside=outside)
    return result


def with_outside(exporters: tuple[Exporter, ...], outside: np.ndarray | None) -> tuple[Exporter, ...]:
    """With a file of the blood outside the brain (Segmentation.outside) after that of the mask, and its outline in the
    report, where there is any."""
    names = [one.file_name for one in exporters]
    if outside is None or not outside.any() or result_files.MASK_NRRD not in names:
        return exporters
    at = names.index(result_files.MASK_NRRD) + 1
    more = Exporter(result_files.OUTSIDE_NRRD, exporters[at - 1].step, partial(_outside, outside))
    rest = tuple(replace(one, write=partial(_report_with_outside, outside))
                 if one.file_name == result_files.REPORT_HTML else one for one in exporters[at:])
    return (*exporters[:at], more, *rest)


EXPORTERS = (
    Exporter(result_files.MASK_NRRD, "write mask and 3D model", _mask),
    Exporter(result_files.SURFACE_STL, "write mask and 3D model", _surface),
    Exporter(result_files.REPORT_HTML, "report", _report),
    Exporter(result_files.RESULT_CSV, "write results", _csv),
    Exporter(result_files.RESULT_JSON, "write results", _json),
)


def _dicom_seg(path: Path, ct: CTVolume, mask: np.ndarray, result: Result) -> Result:
    from ..io.dicom_seg import write_dicom_seg
    from ..io.dicom_source import source_series

    if result.found:
        write_dicom_seg(path, ct, mask, source_series(ct), algorithm=_model(result),
                        algorithm_type=algorithm_type(result), software_version=__version__)
    return result


def _dicom_sr(path: Path, ct: CTVolume, mask: np.ndarray, result: Result) -> Result:
    """After the Segmentation, which it refers to."""
    from ..io.dicom_source import source_series
    from ..io.dicom_sr import write_dicom_sr

    algorithm = None if algorithm_type(result) == "MANUAL" else _model(result)
    write_dicom_sr(path, result, source_series(ct), path.with_name(result_files.DICOM_SEG), algorithm=algorithm,
                   software_version=__version__)
    return result


def _model(result: Result):
    from ..io.dicom_codes import Algorithm

    made = result.provenance
    return Algorithm("ICHVolume", made.model or "unknown", made.model_sha256 or "unknown")


DICOM_EXPORTERS = (
    Exporter(result_files.DICOM_SEG, "write DICOM", _dicom_seg),
    Exporter(result_files.DICOM_SR, "write DICOM", _dicom_sr),
)


def chosen_exporters(source, *, report: bool = True, dicom: bool = False) -> tuple[Exporter, ...]:
    """EXPORTERS, without the report or with DICOM_EXPORTERS before the file that seals all.

    Raises InputError, before any work is done, when DICOM is wanted and highdicom is not installed or `source` is no
    DICOM.
    """
    chosen = [exporter for exporter in EXPORTERS if report or exporter.file_name != result_files.REPORT_HTML]
    if not dicom:
        return tuple(chosen)
    if find_spec("highdicom") is None:
        raise InputError("--dicom needs the package highdicom, which is not installed; install it with "
                         "`pip install ICHVolume[dicom]` (in a checkout `pip install .[dicom]`), or leave --dicom out.")
    if Path(source).is_file() and is_image_name(Path(source).name):
        raise InputError(f"{source} is no DICOM, so a DICOM segmentation could not say on which images it was drawn; "
                         "leave --dicom out, or give the DICOM folder.")
    return (*chosen[:-1], *DICOM_EXPORTERS, chosen[-1])
