"""Hounsfield units: lost, shifted, clipped, inverted, padded; images that are no plain CT."""

from hard_inputs.hard_input import BALL_ML, HardInput, ball_ct

from ICHVolumeLib.synthetic.dicom_series import write_dicom_series


def sound(folder):
    write_dicom_series(ball_ct(), folder / "ct")
    return folder / "ct"


CASES = [
    HardInput("a sound series", sound, "right", true_ml=BALL_ML),
]
