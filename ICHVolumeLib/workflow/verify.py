"""Whether the files of an output folder still belong together: by their SHA-256, and the mask by its volume."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..core.errors import InputError
from ..core.labels import LABELS
from ..core.plain import from_plain
from ..core.result import Geometry, MaskVersion
from ..imaging.volume import volume_ml
from ..io.compare_files import COMPARE_JSON
from ..io.nrrd import read_nrrd
from ..io.output_folder import finish_commit
from ..io.result_files import MASK_NRRD
from ..io.written_files import RESULT_JSON, UNCHANGED, file_states, read_result

SAME_ML = 0.001  # share of the volume; positions and spacings are rounded in files

_ORIGIN = {"model": "by the model", "edited": "corrected by a person", "foreign": "from another program or by hand"}


@dataclass(frozen=True)
class Row:
    name: str
    state: str  # see written_files
    remark: str = ""


@dataclass(frozen=True)
class Verified:
    """rows: one of each file, then of the volume; history: the versions of the mask in words."""

    rows: list[Row]
    history: list[str]
    belongs_together: bool


def verify(out: Path) -> Verified:
    """Raises InputError when `out` is no output folder, or one of a version that kept no hashes."""
    out = Path(out)
    if not out.is_dir():
        raise InputError(f"There is no folder {out}; give an output folder of `segment`, `measure` or `compare`.")
    finish_commit(out)
    if (out / COMPARE_JSON).is_file() and not (out / RESULT_JSON).exists():
        return _verify_comparison(out)
    values = read_result(out)
    if "files" not in values:
        raise InputError(f"{out} was written by a version of ICHVolume that kept no checksums; measure the mask again "
                         "with `ichvolume measure` into another folder.")
    rows = [Row(name, state) for name, state in sorted(file_states(out).items())]
    rows.append(_volume(out, values))
    history = [_words(from_plain(MaskVersion, one)) for one in values.get("history", ())]
    return Verified(rows, history, all(row.state == UNCHANGED for row in rows))


def _verify_comparison(out: Path) -> Verified:
    """A folder of `compare`: its own files; the two cases that it compared are other folders."""
    if "files" not in read_result(out, COMPARE_JSON):
        raise InputError(f"{out / COMPARE_JSON} keeps no checksums; compare the cases again into another folder.")
    rows = [Row(name, state) for name, state in sorted(file_states(out, record=COMPARE_JSON).items())]
    return Verified(rows, [], bool(rows) and all(row.state == UNCHANGED for row in rows))


def _volume(out: Path, values: dict) -> Row:
    """The volume of the mask as it lies there, by the geometry that result.json keeps, against the number there."""
    said_ml = float(values["volume_ml"]["total"])
    try:
        found_ml = _mask_ml(read_nrrd(out / MASK_NRRD).array, from_plain(Geometry, values["geometry"]))
    except InputError as error:
        return Row("volume", "cannot be measured", str(error))
    same = abs(found_ml - said_ml) <= max(SAME_ML * said_ml, 1e-6)
    return Row("volume", UNCHANGED if same else "changed", f"{found_ml:.2f} mL in the mask, {said_ml:.2f} mL reported")


def _mask_ml(mask: np.ndarray, geometry: Geometry) -> float:
    if mask.shape != (geometry.slices, geometry.rows, geometry.columns):
        raise InputError(f"the mask has {mask.shape} voxels, the case has "
                         f"{(geometry.slices, geometry.rows, geometry.columns)}")
    pixel_mm2 = geometry.pixel_spacing_mm[0] * geometry.pixel_spacing_mm[1]
    marked = np.isin(mask, [label.value for label in LABELS])
    return volume_ml(marked, pixel_mm2 * np.asarray(geometry.slab_heights_mm))


def _words(version: MaskVersion) -> str:
    changed = "" if version.voxels_added is None else \
        f", {version.voxels_added} voxels added, {version.voxels_removed} removed"
    return (f"{_ORIGIN.get(version.origin, version.origin)}, {version.made_at}, {version.volume_total_ml:.1f} mL"
            f"{changed}, SHA-256 {version.mask_sha256[:12]}")
