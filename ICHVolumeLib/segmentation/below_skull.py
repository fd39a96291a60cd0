"""What the network marks below the floor of the skull (tongue, muscles of the neck, spinal canal) is no bleed of the
brain: it is left out, by where the average head that is fitted to the skull has its floor."""

import numpy as np

from ..anatomy.head_frame import fit_head_frame
from ..anatomy.skull_base import below_floor_mm
from ..core.ct_volume import CTVolume
from ..imaging.components import connected_components

STEP = "below the skull"
LOW_MM = 110.0  # below the highest slice with brain; above it lies no floor, and the fit takes half a second
SPARE_MM = 10.0  # of the fit's errors and of what heads differ by
SHARE = 0.5  # of a piece must lie below the floor
SURE_FIT_MM = 2.25  # a head whose header has it upside down does not fit so well, and its vault would be below


def drop_below_skull(ct: CTVolume, mask: np.ndarray, has_brain: np.ndarray) -> dict | None:
    """Take the pieces of mask that lie below the floor of the skull out, in place; what the clean-up says of a step, or
    None where nothing is taken out, which is also so where no average head can be fitted.

    mask: uint8 (slices, rows, columns) on the scan's grid; has_brain: bool (slices,), HeadMask's in the scan's order.
    """
    if not _reaches_low(ct, mask, has_brain):
        return None
    frame = fit_head_frame(ct)
    if frame is None or not frame.good or frame.fit_mm > SURE_FIT_MM:
        return None
    pieces, count = connected_components(mask > 0)
    kji = np.argwhere(pieces)
    numbers = pieces[tuple(kji.T)]
    is_below = below_floor_mm(frame.to_atlas(ct.voxel_to_ras(kji))) > SPARE_MM
    sizes, below = (np.bincount(one, minlength=count + 1) for one in (numbers, numbers[is_below]))
    dropped = np.append(False, below[1:] > SHARE * sizes[1:])[pieces]
    if not dropped.any():
        return None
    mask[dropped] = 0
    areas = np.count_nonzero(dropped, axis=(1, 2))
    return {"name": STEP, "threshold_mm3": None, "removed_ml": round(float(areas @ ct.voxel_volumes_mm3) / 1000, 6),
            "added_ml": 0.0, "slices": np.flatnonzero(areas).tolist()}


def _reaches_low(ct: CTVolume, mask: np.ndarray, has_brain: np.ndarray) -> bool:
    marked = np.flatnonzero([one.any() for one in mask])
    if not len(marked) or not has_brain.any():
        return False
    up_mm = ct.slice_origins_ras[:, 2]  # near enough: no scan is tilted so far that a slice counts for its neighbour
    return bool(up_mm[has_brain].max() - up_mm[marked].min() >= LOW_MM)
