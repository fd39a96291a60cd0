"""One case and one model in numbers: a row that holds everything that tables and figures are made from.

A row has the scores of three targets, "total" (any blood), "ich" and "ivh": counts of voxels and mL, overlap, distances
and every slice with a mark; volumes by true slab heights and by the paper's formula; ABC/2 of both masks; what is known
of the case. An unknown value is None.
"""

import hashlib
import json
from pathlib import Path

import numpy as np

from ..core.ct_volume import CTVolume
from ..core.labels import ICH, IVH
from ..io.result_files import MASK_NRRD, RESULT_JSON
from ..io.written_files import sha256_of
from ..measure import Measurement, measure_mask
from .cases import contrast_hu
from .mask_labels import LabelledMask
from .overlap import Overlap, slice_overlaps
from .surfaces import slice_hd95_mm, surface_scores

TARGETS = {"total": (ICH.value, IVH.value), "ich": (ICH.value,), "ivh": (IVH.value,)}
INTERVAL_FIELDS = ("interval_ml", "interval_coverage", "interval_calibrated_on")


def mask_row(ct: CTVolume, mask: LabelledMask, truth: LabelledMask, *, has_picture: bool, tolerance_mm: float) -> dict:
    """The numbers of one prediction. has_picture: ct holds HU, not only a grid."""
    mask = mask.without(truth.unsure)
    found, true = measure_mask(ct, mask.mask), measure_mask(ct, truth.mask)
    return {"targets": _targets(ct, mask.mask, truth.mask, tolerance_mm), "slice_count": len(ct.hu),
            "pixel_spacing_mm": list(ct.pixel_spacing_mm), "slab_mm": float(np.median(ct.slab_heights_mm)),
            "is_uneven": ct.is_uneven, "paper_formula_ml": found.volume_ml.paper_formula,
            "true_paper_formula_ml": true.volume_ml.paper_formula, "abc2": _abc2(found), "true_abc2": _abc2(true),
            "contrast_hu": contrast_hu(ct, truth.mask) if has_picture else None,
            "contrast_agent": _contrast_agent(ct) if has_picture else None,
            "marked_outside_ml": _ml(ct, truth.outside & (mask.mask > 0)) if truth.outside is not None else None,
            "truth_sha256": mask_sha256(truth.mask) if truth.mask.any() else None,
            "notes": [*(f"truth: {note}" for note in truth.notes), *mask.notes]}


def _targets(ct, mask, truth, tolerance_mm) -> dict[str, dict]:
    total = _target(ct, mask > 0, truth > 0, tolerance_mm)
    if not (mask == IVH.value).any() and not (truth == IVH.value).any():
        return {"total": total, "ich": total, "ivh": _target(ct, mask == IVH.value, truth == IVH.value, tolerance_mm)}
    return {"total": total, **{name: _target(ct, np.isin(mask, TARGETS[name]), np.isin(truth, TARGETS[name]),
                                             tolerance_mm) for name in ("ich", "ivh")}}


def _target(ct, mask, truth, tolerance_mm) -> dict:
    """slices: [index, voxels in both, in the model's alone, in the truth alone, HD95 in the plane in mm or None]."""
    whole, surfaces = Overlap.of(mask, truth), surface_scores(ct, mask, truth, tolerance_mm)
    slices = [[k, int(one.both), int(one.extra), int(one.missed), slice_hd95_mm(ct, mask[k], truth[k])]
              for k, one in slice_overlaps(mask, truth).items()]
    return {"both_voxels": int(whole.both), "extra_voxels": int(whole.extra), "missed_voxels": int(whole.missed),
            "ml": _ml(ct, mask), "true_ml": _ml(ct, truth), **whole.scores(), "hd95_mm": surfaces.hd95_mm,
            "surface_hd95_mm": surfaces.surface_hd95_mm, "surface_dice": surfaces.surface_dice, "slices": slices}


def _ml(ct: CTVolume, marked: np.ndarray) -> float:
    return float(marked.sum(axis=(1, 2)) @ ct.voxel_volumes_mm3 / 1000)


def _abc2(measured: Measurement) -> dict[str, float | None]:
    """mL of the ICH label by both kinds of C; 0 where there is none."""
    one = measured.abc2
    return {"coniglobus_ml": one.coniglobus_ml if one else 0.0, "kothari_ml": one.kothari_ml if one else 0.0,
            "shape_class": one.shape_class if one else None}


def _contrast_agent(ct: CTVolume) -> str | None:
    """yes where the file names one; what an image file does not say is not known."""
    return "yes" if ct.info.contrast_agent else "no" if ct.info.series_uid else None


def mask_sha256(mask: np.ndarray) -> str:
    """Of the voxels and their number along each axis: two cases with the same one have the same mask."""
    return hashlib.sha256(np.array(mask.shape, np.int64).tobytes() + mask.astype(np.uint8).tobytes()).hexdigest()


def model_words(prediction: Path) -> dict:
    """Which model made a mask, and its interval, from the result.json that `segment` wrote beside; {} for others.

    The interval is taken only while the mask is as the model made it.
    """
    beside = prediction.parent / RESULT_JSON
    if prediction.name != MASK_NRRD or not beside.is_file():
        return {}
    try:
        values = json.loads(beside.read_text(encoding="utf-8"))
        provenance = values["provenance"]
        words = {name: provenance[name] for name in ("software", "model", "model_sha256", "training_data", "engine")}
        is_as_made = values["mask_origin"] == "model" and values["files"][MASK_NRRD] == sha256_of(prediction)
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return {"made_by": words, **({name: values.get(name) for name in INTERVAL_FIELDS} if is_as_made else {})}
