"""How large a pixel of a slice without a pixel size is, from the size of heads.

The slices of CT-ICH carry no spacing. The width of everything bright is no measure: the head holder is bright, too, and
wider than the head. The area inside the outer skull, filled, varies little between people, and a holder is another
piece of bone.
"""

from pathlib import Path

import numpy as np

from ..errors import InputError

SKULL_AREA_MM2 = 21_800.0  # inside the outer table, in the widest slices of an adult
SPACING_RANGE_MM = (0.30, 0.50)  # of head scans; a child's head is not blown up to an adult's beyond it
BONE_PIXEL = 240  # of 255 in a brain window
WIDEST, ALIKE = 3, 0.93  # slices that are averaged, if they are about as wide as the widest: a skull may be open
BRIDGE_PX = 4  # sutures, burr holes and dark rows in the skull are closed over twice as many pixels
STRIDE = 2  # of the pixels that are looked at


def skull_area_px(pixels: np.ndarray) -> int:
    """Area of the largest filled piece of bone in an 8-bit slice (rows, columns), pixels; 0 without bone."""
    import SimpleITK as sitk

    bone = sitk.GetImageFromArray((pixels[::STRIDE, ::STRIDE] > BONE_PIXEL).astype(np.uint8))
    filled = sitk.BinaryFillhole(sitk.BinaryMorphologicalClosing(bone, [BRIDGE_PX // STRIDE] * 2))
    thin = sitk.BinaryMorphologicalOpening(filled, [BRIDGE_PX * 3 // 2 // STRIDE] * 2)  # parts a holder from the head
    sizes = np.bincount(sitk.GetArrayFromImage(sitk.ConnectedComponent(thin)).ravel())[1:]
    return int(sizes.max(initial=0)) * STRIDE**2


def head_spacing_mm(pixels: np.ndarray) -> float:
    """mm per pixel of a patient's 8-bit brain-window slices (slices, rows, columns).

    Raises InputError where no slice shows a closed skull.
    """
    areas = np.sort([skull_area_px(one) for one in pixels])[-WIDEST:]
    if not areas.max(initial=0):
        raise InputError("No skull in these slices, so nothing tells how large their pixels are.")
    widest = areas[areas > ALIKE * areas.max()].mean()
    return float(np.clip(np.sqrt(SKULL_AREA_MM2 / widest), *SPACING_RANGE_MM))


def read_slices(files: list[Path]) -> np.ndarray:
    """The 8-bit slices (slices, 650, 650) of these files, as stored."""
    import SimpleITK as sitk

    return np.stack([sitk.GetArrayFromImage(sitk.ReadImage(str(file))).reshape(650, 650) for file in files])


def patient_spacing_mm(folder: Path, patient: str) -> float:
    """mm per pixel of a patient, from all slices in `folder` and the ct_ich_* folders beside it.

    The widest slices of a patient may lie in another folder than those with (or without) blood.
    """
    beside = sorted(Path(folder).resolve().parent.glob("ct_ich_*"))
    folders = beside if Path(folder).resolve() in beside else [Path(folder)]
    files = {file.name: file for one in folders for file in sorted(one.glob(f"{patient}_s[0-9][0-9].jpg"))}
    return head_spacing_mm(read_slices(list(files.values())))
