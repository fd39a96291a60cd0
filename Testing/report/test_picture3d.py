"""The 3D picture: drawn by a child that may fail without harm."""

import sys

import numpy as np
import pytest
import SimpleITK

from ICHVolumeLib.report import picture3d
from ICHVolumeLib.report.picture3d import picture_of_bleed, viewpoint


@pytest.fixture(scope="module")
def picture(phantom, tmp_path_factory):
    mask = phantom.mask.copy()
    mask[20:][mask[20:] == 1] = 2
    png, caption = picture_of_bleed(phantom.ct, mask)
    assert png, caption
    path = tmp_path_factory.mktemp("picture") / "picture.png"
    path.write_bytes(png)
    return SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path))).astype(int)


def test_the_bleed_is_red_and_orange_inside_a_pale_head(picture):
    red, green, blue = picture[..., 0], picture[..., 1], picture[..., 2]
    is_red = (red > 110) & (green < 0.6 * red) & (blue < 0.6 * red)
    is_orange = (red > 110) & (green > 0.5 * red) & (blue < 0.45 * red)
    head = red + green + blue > 3 * 60
    assert is_red.mean() > 0.01 and is_orange.mean() > 0.01
    assert head.mean() > 0.25
    rows, columns = np.nonzero(is_red | is_orange)
    assert abs(columns.mean() / picture.shape[1] - 0.5) < 0.1, "a central bleed is drawn off the middle"
    assert np.nonzero(is_orange)[0].mean() < np.nonzero(is_red)[0].mean(), "what lies higher is drawn lower"


@pytest.mark.parametrize("side, words", [(1, "front right"), (-1, "front left")])
def test_the_viewer_stands_on_the_side_of_the_bleed(phantom, side, words):
    mask = np.zeros_like(phantom.mask)
    column = 96 - side * 40  # columns run from the patient's right to the left
    mask[18, 100:104, column:column + 4] = 1
    view, caption = viewpoint(phantom.ct, mask)
    assert np.sign(view[0]) == side and words in caption


def test_a_child_that_takes_too_long_is_ended_and_said(phantom):
    png, why = picture_of_bleed(phantom.ct, phantom.mask, time_limit_s=0.01)
    assert png is None and "longer than" in why


@pytest.mark.parametrize("program", ["/no/such/python", None])
def test_a_child_that_fails_is_said_and_nothing_else_happens(phantom, monkeypatch, program):
    monkeypatch.setattr(picture3d, "python_program", lambda: program or sys.executable)
    monkeypatch.setattr(picture3d, "child_environment", lambda: {"PYTHONPATH": "", "PYTHONHOME": "/nowhere"})
    png, why = picture_of_bleed(phantom.ct, phantom.mask)
    assert png is None and "not available on this computer" in why
