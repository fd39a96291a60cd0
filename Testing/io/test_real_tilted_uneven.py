"""A ball of known volume in the real tilted, uneven scan: right from DICOM, and its loss told where a file lost it."""

import numpy as np
import pydicom
import pytest
from dicom_files import message

from ICHVolumeLib.io.read_ct import read_ct
from ICHVolumeLib.measure import measure_mask
from ICHVolumeLib.quality.checks import check_ct

RADIUS_MM, BALL_HU = 36.0, 3000  # denser than this head's bone
BALL_ML = 4 / 3 * np.pi * RADIUS_MM**3 / 1000


@pytest.fixture(scope="module")
def ball_folder(tilted_uneven_folder, tmp_path_factory):
    """Copies of the slices with the ball written into their pixels by each slice's own position, by pydicom alone."""
    folder = tmp_path_factory.mktemp("ball")
    slices = [pydicom.dcmread(path) for path in sorted(tilted_uneven_folder.glob("*.dcm"))]
    spots = np.array([[float(value) for value in item.ImagePositionPatient] for item in slices])
    for item, origin in zip(slices, spots, strict=True):
        along_row, along_column = np.reshape([float(value) for value in item.ImageOrientationPatient], (2, 3))
        row_mm, column_mm = (float(value) for value in item.PixelSpacing)
        if item is slices[0]:
            to_middle = along_row * column_mm * item.Columns / 2 + along_column * row_mm * item.Rows / 2
            middle = (spots[np.argmin(spots[:, 2])] + spots[np.argmax(spots[:, 2])]) / 2 + to_middle
        rows, columns = np.mgrid[:item.Rows, :item.Columns][..., None]
        points = origin + columns * column_mm * along_row + rows * row_mm * along_column
        inside = ((points - middle) ** 2).sum(-1) <= RADIUS_MM**2
        stored = item.pixel_array.copy()
        stored[stored * float(item.RescaleSlope) + float(item.RescaleIntercept) >= BALL_HU] = \
            (BALL_HU - 500 - float(item.RescaleIntercept)) / float(item.RescaleSlope)
        stored[inside] = (BALL_HU - float(item.RescaleIntercept)) / float(item.RescaleSlope)
        item.PixelData = stored.tobytes()
        item.save_as(folder / f"{item.InstanceNumber:03d}.dcm")
    return folder


def measured_ml(ct):
    return measure_mask(ct, (ct.hu >= BALL_HU).astype(np.uint8)).volume_ml.total


def test_the_ball_is_measured_within_one_percent_from_dicom(ball_folder):
    ct = read_ct(ball_folder)
    assert ct.tilt_deg == pytest.approx(18.5, abs=0.1) and ct.is_uneven
    assert measured_ml(ct) == pytest.approx(BALL_ML, rel=0.01)


def test_simpleitks_nrrd_of_it_is_off_and_the_report_says_why(ball_folder, tmp_path):
    sitk = pytest.importorskip("SimpleITK")
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(ball_folder)))
    sitk.WriteImage(reader.Execute(), str(tmp_path / "ct.nrrd"))
    ct = read_ct(tmp_path / "ct.nrrd")
    lost = abs(measured_ml(ct) / BALL_ML - 1)
    assert lost > 0.03, "SimpleITK keeps the positions now: the warning may be softened"
    said = message(ct, "even-spacing-assumed")
    assert "ASSUMED" in said and "Measure the DICOM series" in said
    found = check_ct(ct)
    assert next(finding for finding in found if finding.code == "even-spacing-assumed").severity == "warning"
    assert not any("into account" in finding.message for finding in found)
