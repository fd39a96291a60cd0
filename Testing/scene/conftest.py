"""Every test here runs on the real MRML scene and leaves it empty."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
for folder in (ROOT, ROOT / "ICHVolume", ROOT / "Testing"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

from bare_slicer import require_slicer  # noqa: E402


@pytest.fixture
def slicer():
    """The slicer module with an empty scene."""
    module = require_slicer()
    module.mrmlScene.Clear(False)
    yield module
    module.mrmlScene.Clear(False)
