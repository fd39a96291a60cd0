"""Every test here runs on the real MRML scene and leaves it empty."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
for folder in (ROOT, ROOT / "ICHVolume", ROOT / "Testing"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

from bare_slicer import require_slicer  # noqa: E402

SINGLETONS = ("vtkMRMLSliceNode", "vtkMRMLSliceCompositeNode", "vtkMRMLViewNode")  # Clear() leaves them


@pytest.fixture
def slicer():
    """The slicer module with an empty scene."""
    module = require_slicer()
    _clear(module)
    yield module
    _clear(module)


def _clear(slicer):
    slicer.mrmlScene.Clear(False)
    for class_name in SINGLETONS:
        for node in slicer.util.getNodesByClass(class_name):
            slicer.mrmlScene.RemoveNode(node)
