"""Fixtures that every test may ask for. Tests import phantoms as `from phantoms import ellipsoid_ct`."""

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
for folder in (ROOT, ROOT / "Testing"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


@pytest.fixture(scope="session")
def phantom():
    """The regular head phantom with a 50 mL ellipsoid, shared: do not write into its arrays."""
    from phantoms import ellipsoid_ct

    return ellipsoid_ct("regular", pixel_mm=1.0, step_mm=5.0)


@pytest.fixture(scope="session")
def real_data():
    """The folder of real scans (never part of the repository), or a skip that says what is missing."""
    folder = Path(os.environ.get("ICHVOLUME_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real scans at {folder}; set ICHVOLUME_DATA to their folder to run this test")
    return folder


@pytest.fixture(scope="session")
def tilted_uneven_folder(real_data):
    """A real head CT: tilt 18.5 degrees, steps 13 x 4.0, 1.08, 13 x 7.0 mm, no bleed."""
    folder = real_data / "ge_tilted_uneven"
    if not folder.is_dir():
        pytest.skip(f"no ge_tilted_uneven in {real_data}")
    return folder


@pytest.fixture(scope="session")
def make_head():
    from round_head import round_head

    return round_head


@pytest.fixture(scope="session")
def head(make_head):
    return make_head()


@pytest.fixture(scope="session")
def pool(make_head):
    """Six patients, p0 to p5."""
    return [make_head(f"p{number}", slices=4) for number in range(6)]
