"""The masks behind the rows of a study, read again for pictures and for a check of the numbers."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..core.ct_volume import CTVolume
from ..core.errors import InputError
from .mask_grid import shared_grid
from .mask_labels import LabelledMask, LabelMap, read_labelled
from .mask_scoring import content_sha256
from .study_inputs import TestSet


@dataclass(frozen=True, eq=False)
class CaseMasks:
    """One case: the scan (has_picture) or an empty one on the masks' grid, the true mask, and one of every model."""

    name: str
    ct: CTVolume
    has_picture: bool
    truth: LabelledMask
    masks: dict[str, LabelledMask]


def read_case(one: TestSet, case: str) -> CaseMasks:
    """Raises InputError when a file is gone or is not the one that was scored, by its SHA-256."""
    rows = [row for row in one.rows if row["case"] == case]
    if not rows or not rows[0]["files"]:
        raise InputError(f"{case}: its masks were not kept in files.")
    for row in rows:
        changed = changed_files(row)
        if changed:
            raise InputError(f"{case}: {changed[0]}.")
    files = [{kind: Path(path) for kind, path in row["files"].items()} for row in rows]
    ct = shared_grid(files[0]["truth"], [file["prediction"] for file in files], files[0].get("ct"))
    labels = [labels_of(one, row["model"]) for row in rows]
    truth = read_labelled(files[0]["truth"], ct, labels[0].truth)
    masks = {row["model"]: read_labelled(file["prediction"], ct, said.predictions)
             for row, file, said in zip(rows, files, labels, strict=True)}
    return CaseMasks(case, ct, "ct" in files[0], truth, masks)


def changed_files(row: dict) -> list[str]:
    """Sentences on the files of a row that are gone or have another SHA-256."""
    words = []
    for kind, path in row["files"].items():
        if not Path(path).exists():
            words.append(f"{path} ({kind}) is not there any more")
        elif content_sha256(Path(path)) != row["sha256"][kind]:
            words.append(f"{path} ({kind}) was changed after it was scored")
    return words


def labels_of(one: TestSet, model: str) -> LabelMap:
    """What labels meant when the model was scored."""
    for record in one.records:
        if model in record.get("models", {}):
            return LabelMap(**record["settings"]["labels"])
    return LabelMap()


def shown_slice(truth: np.ndarray, mask: np.ndarray) -> int:
    """The slice with most blood in the truth, or in the mask where the truth has none; the lowest of equals."""
    marked = truth if truth.any() else mask
    return int(np.argmax((marked > 0).sum(axis=(1, 2))))
