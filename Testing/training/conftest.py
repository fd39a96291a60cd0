"""Small backgrounds made by code."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs torch")

from ICHVolumeLib.training.backgrounds import make_background  # noqa: E402


def round_head(patient="round", kind="procedural", slices=8, brain_hu=32):
    """Concentric skin, bone and brain with two ventricles, 512 x 512 pixels of 0.45 mm, 5 mm slices."""
    y, x = np.mgrid[:512, :512] * 0.45 - 115.0
    radius = np.hypot(x, y)
    one = np.select([radius < 65, radius < 72, radius < 80], [brain_hu, 900, 40], -1000).astype(np.int16)
    one[(np.abs(np.abs(x) - 9) < 5) & (np.abs(y) < 20)] = 6
    hu = np.repeat(one[None], slices, axis=0)
    return make_background(patient, kind, hu, 5.0)


@pytest.fixture(scope="session")
def head():
    return round_head()


@pytest.fixture(scope="session")
def pool():
    """Six patients, p0 to p5."""
    return [round_head(f"p{number}", slices=4) for number in range(6)]


@pytest.fixture(scope="session")
def make_head():
    return round_head
