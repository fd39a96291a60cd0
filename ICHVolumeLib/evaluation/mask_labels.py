"""What the numbers and names in foreign masks mean: ich, ivh, outside (blood outside the brain), unsure, ignore.

The truth and the predictions may number differently. What nobody explains is asked for, as in `measure`; without
names 1 is ICH and 2 is IVH.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ..core.ct_volume import CTVolume
from ..core.errors import InputError
from ..core.findings import WARNING
from ..io.label_names import IGNORE, MEANINGS
from ..io.masks import read_mask_and_findings

OUTSIDE, UNSURE = "outside", "unsure"
ALL_MEANINGS = (*MEANINGS, OUTSIDE, UNSURE)


@dataclass(frozen=True)
class LabelMap:
    """truth, predictions: {segment name or voxel value: meaning}."""

    truth: dict[str, str] = field(default_factory=dict)
    predictions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class LabelledMask:
    """mask: uint8, 1 ICH, 2 IVH; outside, unsure: bool, None where nothing is said to be so; notes: sentences."""

    mask: np.ndarray
    outside: np.ndarray | None = None
    unsure: np.ndarray | None = None
    notes: tuple[str, ...] = ()

    def without(self, voxels: np.ndarray | None) -> "LabelledMask":
        """The mask with these voxels unmarked."""
        if voxels is None:
            return self
        return replace(self, mask=np.where(voxels, 0, self.mask).astype(np.uint8))


def parse_meaning(text: str) -> tuple[str, str]:
    """NAME=MEANING to (name, meaning). Raises ValueError for anything else."""
    name, equals, meaning = text.rpartition("=")
    meaning = meaning.strip().lower()
    if not equals or not name.strip() or meaning not in ALL_MEANINGS:
        raise ValueError(f"{text!r} is not NAME={'|'.join(ALL_MEANINGS)}")
    return name.strip(), meaning


def read_labelled(path: Path, ct: CTVolume, labels: dict[str, str]) -> LabelledMask:
    """A mask file on the grid of the scan. Raises InputError as io.masks.read_mask does, and for a voxel value that
    `labels` leaves out while it explains others."""
    base = {name: meaning if meaning in MEANINGS else IGNORE for name, meaning in labels.items()}
    mask, findings = read_mask_and_findings(path, ct, base, plain_values_known=not base)
    for finding in findings:
        if base and finding.code == "mask-labels" and finding.severity == WARNING:
            raise InputError(f"{path}: the labels that were given leave something open. {finding.message}")
    notes = tuple(finding.message for finding in findings if finding.severity == WARNING)
    extra = {kind: _marked_as(path, ct, labels, base, mask, kind) for kind in (OUTSIDE, UNSURE)}
    return LabelledMask(mask, extra[OUTSIDE], extra[UNSURE], notes)


def _marked_as(path, ct, labels, base, mask, kind) -> np.ndarray | None:
    """What is marked only when labels of this kind are read as blood."""
    if kind not in labels.values():
        return None
    as_blood = {name: "ich" if labels[name] == kind else meaning for name, meaning in base.items()}
    with_it, _ = read_mask_and_findings(path, ct, as_blood)
    return (with_it > 0) & (mask == 0)
