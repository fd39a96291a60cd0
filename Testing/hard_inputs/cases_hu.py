"""Hounsfield units: lost, shifted, clipped, inverted, padded."""

from dataclasses import replace

import numpy as np
import pydicom
from dicom_files import change, change_all
from hard_inputs.hard_input import BALL_ML, HardInput, ball_ct, write_series
from nifti_files import nifti_bytes

from ICHVolumeLib.io.nrrd import write_nrrd

LOST = range(14, 26)  # 12 of 40 slices


def outside_field_of_view(hu):
    """bool (rows, columns): what a scanner pads, outside the circle that it reconstructs."""
    rows, columns = np.mgrid[-1:1:hu.shape[1] * 1j, -1:1:hu.shape[2] * 1j]
    return np.hypot(rows, columns) > 1


def padded(hu, value):
    hu = np.asarray(hu, np.int32).copy()
    hu[:, outside_field_of_view(hu)] = value
    return hu


def series(change_hu=None, spoil=lambda folder: None, **options):
    """A DICOM series of the changed voxels, whose files are then spoiled."""
    def build(folder):
        ct = ball_ct(**options)
        write_series(replace(ct, hu=change_hu(ct.hu).astype(np.int16)) if change_hu else ct, folder / "ct")
        spoil(folder / "ct")
        return folder / "ct"
    return build


def image(change_hu, dtype=np.int16, kind="nrrd", **options):
    """An image file of the changed voxels."""
    def build(folder):
        ct = ball_ct(**options)
        values = change_hu(ct.hu.astype(np.int32)).astype(dtype)
        path = folder / f"ct.{kind}"
        if kind == "nii":
            path.write_bytes(nifti_bytes(values, ct.ijk_to_ras))
        else:
            write_nrrd(path, values, ct.ijk_to_ras)
        return path
    return build


def slices_of(folder, numbers):
    paths = sorted(folder.glob("*.dcm"))
    return [paths[k] for k in numbers]


def lose_intercept(numbers):
    def spoil(folder):
        for path in slices_of(folder, numbers):
            change(path, RescaleIntercept="0")
    return spoil


def raise_pixels(numbers, by):
    """The pixels are other than the header says."""
    def spoil(folder):
        for path in slices_of(folder, numbers):
            dataset = pydicom.dcmread(path)
            dataset.PixelData = (dataset.pixel_array + by).astype("<i2").tobytes()
            dataset.save_as(path)
    return spoil


def own_intercepts(folder):
    """True per-slice intercepts and slopes: other stored values, the same HU."""
    for k, path in enumerate(sorted(folder.glob("*.dcm"))):
        dataset = pydicom.dcmread(path)
        hu = dataset.pixel_array.astype(int) - 1024
        intercept = -1024 + 40 * (k % 5)
        dataset.PixelData, dataset.RescaleIntercept = (hu - intercept).astype("<i2").tobytes(), str(intercept)
        dataset.save_as(path)


def shift(by):
    return lambda hu: hu + by


def shifted_and_padded(by, value):
    return lambda hu: padded(hu + by, value)


def masked_background(hu):
    """Everything outside the skin set to one value, as after defacing."""
    return np.where(hu < -300, -1024, hu)


def some(change_hu, numbers):
    def changed(hu):
        hu = hu.astype(np.int32)
        hu[list(numbers)] = change_hu(hu[list(numbers)])
        return hu
    return changed


RIGHT = [
    HardInput("a sound series", series(), "right", true_ml=BALL_ML),
    *(HardInput(f"padding of {value} HU outside the field of view", series(shifted_and_padded(0, value)), "right",
                true_ml=BALL_ML, slow=value != -2000) for value in (-1024, -1500, -2000, -3024)),
    HardInput("corners filled with 0 after a rotation", image(shifted_and_padded(0, 0)), "right", true_ml=BALL_ML),
    HardInput("background outside the skin masked to -1024", image(masked_background), "right", true_ml=BALL_ML),
    HardInput("every slice with a true intercept of its own", series(spoil=own_intercepts), "right", true_ml=BALL_ML),
    HardInput("padding stored unsigned (63536)", image(shifted_and_padded(0, 63536), np.int32, "nrrd"), "right",
              true_ml=BALL_ML),
    HardInput("float voxels with fractions", image(lambda hu: hu + 0.3, np.float32, "nii"), "right", true_ml=BALL_ML),
]
SHIFTED = [
    HardInput("intercept lost in all slices", series(spoil=lambda folder: change_all(folder, RescaleIntercept="0")),
              "refused", "1024 too high"),
    *(HardInput(f"all values 1024 too high, padding {value}", series(shifted_and_padded(1024, value)), "refused",
                "1024 too high", slow=value != -2000) for value in (-2000, -976, -1024, 0)),
    HardInput("intercept subtracted twice", series(shift(-1024)), "refused", "1024 too low"),
    HardInput("raw NIfTI 1024 too high", image(shift(1024), np.int16, "nii"), "refused", "1024 too high"),
    HardInput("raw NIfTI 1024 too high, padding -2000", image(shifted_and_padded(1024, -2000), np.int16, "nii"),
              "refused", "1024 too high"),
    HardInput("raw NRRD 1000 too high, padding 0", image(shifted_and_padded(1000, 0)), "refused", "1000 too high"),
    HardInput("raw NRRD 8192 too high", image(shift(8192)), "refused", "not Hounsfield units"),
    HardInput("values 45 too high in the whole scan", series(shift(45)), "warned:hu-scale", "-955"),
]
SLICES = [
    HardInput("12 of 40 slices lost their intercept", series(spoil=lose_intercept(LOST)), "refused",
              "slices 15 to 26 of 40"),
    HardInput("12 of 40 slices lost it, padding -2000", series(shifted_and_padded(0, -2000), lose_intercept(LOST)),
              "refused", "slices 15 to 26 of 40", slow=True),
    HardInput("12 of 40 slices have raw pixels under a sound header", series(spoil=raise_pixels(LOST, 1024)),
              "refused", "slices 15 to 26 of 40", slow=True),
    HardInput("the first 3 slices lost their intercept", series(spoil=lose_intercept(range(3))), "refused",
              "slices 1 to 3 of 40", slow=True),
    HardInput("the last 5 slices lost their intercept", series(spoil=lose_intercept(range(35, 40))), "refused",
              "slices 36 to 40 of 40"),
    HardInput("every other slice lost its intercept", series(spoil=lose_intercept(range(0, 40, 2))), "refused",
              "slices 1, 3, 5"),
    HardInput("one slice lost its intercept", series(spoil=lose_intercept([20])), "refused", "slice 21 of 40"),
    HardInput("8 slices 1024 too low", series(spoil=raise_pixels(range(10, 18), -1024)), "refused",
              "slices 11 to 18 of 40", slow=True),
    HardInput("8 slices 60 too high", series(spoil=raise_pixels(range(10, 18), 60)), "refused",
              "slices 11 to 18 of 40"),
    HardInput("8 slices 20 too high", series(spoil=raise_pixels(range(10, 18), 20)), "warned:slice-levels",
              "slices 11 to 18"),
    HardInput("5 slices of a NIfTI 1024 too high", image(some(shift(1024), range(20, 25)), np.int16, "nii"),
              "refused", "slices 21 to 25 of 40"),
    HardInput("3 slices of half the slope", series(some(lambda hu: hu // 2, range(20, 23))), "refused",
              "slices 21 to 23", slow=True),
    HardInput("two empty slices between the others", series(some(lambda hu: hu * 0 - 1024, (20, 21))),
              "warned:blank-slices", "slices 21 to 22"),
]
OTHER = [
    HardInput("negative values stored unsigned (64512)", image(lambda hu: hu % 65536, np.uint16), "refused",
              "unsigned"),
    HardInput("negative values wrapped at 12 bits", image(lambda hu: hu % 4096), "refused", "not Hounsfield units"),
    HardInput("clipped to 0..255", image(lambda hu: np.clip(hu, 0, 255)), "refused", "8-bit"),
    HardInput("clipped to -20..100", image(lambda hu: np.clip(hu, -20, 100)), "refused", "no air"),
    HardInput("clipped to -1000..80", image(lambda hu: np.clip(hu, -1000, 80)), "refused", "clipped"),
    HardInput("clipped to -1024..200", image(lambda hu: np.clip(hu, -1024, 200)), "warned:hu-clipped", "200"),
    HardInput("negated", image(lambda hu: -hu), "refused", "not Hounsfield units"),
    HardInput("inverted (3071 - HU)", image(lambda hu: 3071 - hu), "refused", "not Hounsfield units"),
    HardInput("scaled to 0..4095", image(lambda hu: (hu + 1024) * 2), "refused", "not Hounsfield units"),
    HardInput("half the slope", image(lambda hu: hu // 2), "refused", "not Hounsfield units"),
    HardInput("densities in g/mL times 1000", image(lambda hu: hu + 1000), "refused", "1000 too high"),
]
CASES = RIGHT + SHIFTED + SLICES + OTHER
