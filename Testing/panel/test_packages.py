"""What is installed on the click: the right versions, and never another one of a package that Slicer brings."""

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "ICHVolume"))

from ICHVolumePanel import packages  # noqa: E402


@pytest.fixture
def packaging():
    """slicer.packaging with nothing installed; what was asked for is kept."""
    asked = []

    def pip_ensure(requirements, constraints=None, requester=None):
        asked.append((list(requirements), Path(constraints).read_text(encoding="utf-8"), Path(constraints)))

    return SimpleNamespace(pip_check=lambda _name: bool(asked), pip_ensure=pip_ensure, asked=asked)


def test_numpy_is_held_at_the_version_that_is_there(packaging):
    assert packages.ensure(packaging, "cpu")
    (requirements, constraints, file), = packaging.asked
    assert packages.ENGINE in requirements
    assert f"numpy=={np.__version__}" in constraints.splitlines()
    assert not file.exists(), "the constraints file goes again"


def test_torch_is_asked_for_in_a_version_that_will_do(packaging, monkeypatch):
    calls = []

    def install(askConfirmation=False, torchVersionRequirement=None):  # noqa: N803  (the extension's names)
        calls.append(torchVersionRequirement)
        packaging.asked.append(None)
        return ModuleType("torch")

    extension = ModuleType("PyTorchUtils")
    extension.PyTorchUtilsLogic = lambda: SimpleNamespace(installTorch=install)
    monkeypatch.setitem(sys.modules, "PyTorchUtils", extension)
    packaging.pip_check = lambda name: bool(packaging.asked) or name == packages.WEIGHTS_READER
    assert packages.ensure(packaging, "cuda")
    assert calls == [packages.TORCH.removeprefix("torch")]
