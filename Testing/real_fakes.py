"""A tiny data folder with the names, sizes and labels of the real slices, made by code."""

import numpy as np
import SimpleITK as sitk

PIXEL_MM = 0.38
HEADER = "patient,slice,csv_VPSED,split,how,quality,px_ich,px_ivh,px_outside,px_unsure,remark"


def plain_slice(blood=()):
    """An 8-bit skull with brain, 650 x 650; blood: (row, column, radius) discs of it in pixels."""
    y, x = np.mgrid[:650, :650]
    radius = np.hypot((x - 324.5) / 75, (y - 324.5) / 92.5) * PIXEL_MM
    image = np.select([radius < 0.92, radius < 1], [113, 255], 0)
    for row, column, reach in blood:
        image[np.hypot(y - row, x - column) < reach] = 185
    return image.astype(np.uint8)


def disc_mask(row, column, reach, label):
    y, x = np.mgrid[:650, :650]
    return np.where(np.hypot(y - row, x - column) < reach, label, 0).astype(np.uint8)


def write_data(folder):
    """Patient 53 to train on (slices 3 to 6: none, ICH, ICH with unsure edge, context), 79 to validate (IVH, outside
    blood, none), and bleed-free p066 (validation) and p054 (training), p066 with one slice of blood outside."""
    ich, ivh = (300, 250, 30), (330, 330, 20)
    unsure = disc_mask(300, 250, 40, 255)
    unsure[disc_mask(*ich, 1) > 0] = 1
    stacks = {(53, "train"): {3: ((), None), 4: ((ich,), disc_mask(*ich, 1)), 5: ((ich,), unsure),
                              6: ((ich,), np.full((650, 650), 255, np.uint8))},
              (79, "validate"): {8: ((ivh,), disc_mask(*ivh, 2)), 9: ((ivh,), disc_mask(*ivh, 3)), 10: ((), None)}}
    bleeds, normal, extra = (folder / f"ct_ich_v1_{name}" for name in ("bleeds", "normal", "extra_axial"))
    lines = [HEADER]
    for (patient, split), slices in stacks.items():
        for number, (blood, mask) in slices.items():
            lines.append(f"{patient},{number},,{split},seed,A,0,0,0,0,")
            _write(plain_slice(blood), bleeds / f"p{patient:03d}_s{number:02d}.jpg")
            _write(np.zeros((650, 650), np.uint8) if mask is None else mask,
                   bleeds / f"p{patient:03d}_s{number:02d}_mask.png")
    (bleeds / "labels.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for where, name in ((normal, "p066_s01"), (extra, "p066_s02"), (normal, "p066_s03"), (normal, "p054_s01")):
        _write(plain_slice(), where / f"{name}.jpg")
    return folder


def _write(array, file):
    file.parent.mkdir(exist_ok=True)
    sitk.WriteImage(sitk.GetImageFromArray(array), str(file))
