"""The PNG writer against a reader that others wrote."""

import numpy as np
import pytest
import SimpleITK

from ICHVolumeLib.report.png import data_uri, encode_png


@pytest.mark.parametrize("shape", [(1, 1), (7, 5), (64, 48), (5, 9, 3)])
def test_another_reader_gets_every_pixel_back(tmp_path, shape):
    pixels = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    (tmp_path / "picture.png").write_bytes(encode_png(pixels))
    assert np.array_equal(SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(tmp_path / "picture.png"))), pixels)


def test_a_data_uri_holds_the_file():
    assert data_uri(encode_png(np.zeros((2, 2)))).startswith("data:image/png;base64,iVBORw0KGgo")
