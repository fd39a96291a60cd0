"""What a case writes: a list of files, each with its name and the function that makes it.

Another kind of output is one more Exporter; all of them come into the output folder together or not at all.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..core.ct_volume import CTVolume
from ..core.result import Result
from ..io import result_files
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
    if result.provenance.engine != "none":
        return "AUTOMATIC"
    return "SEMIAUTOMATIC" if result.automatic_volume_ml else "MANUAL"


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
    values = sealed(result.to_dict(), path.parent)
    result_files.write_json(path, values)
    return replace(result, files=values["files"])


EXPORTERS = (
    Exporter(result_files.MASK_NRRD, "write mask and 3D model", _mask),
    Exporter(result_files.SURFACE_STL, "write mask and 3D model", _surface),
    Exporter(result_files.REPORT_HTML, "report", _report),
    Exporter(result_files.RESULT_CSV, "write results", _csv),
    Exporter(result_files.RESULT_JSON, "write results", _json),
)
WITHOUT_REPORT = tuple(exporter for exporter in EXPORTERS if exporter.file_name != result_files.REPORT_HTML)
