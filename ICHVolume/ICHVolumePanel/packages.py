"""The Python packages that the child process needs: looked at and asked for on the click, never at start-up."""

import contextlib
import importlib.metadata
import os
import tempfile

from .translation import tr as _

ENGINE = "openvino>=2025.0"  # the CPU engine; torch does as well when the PyTorch extension has put it there
WEIGHTS_READER = "safetensors>=0.4"
TORCH, TORCH_VERSIONS = "torch>=2.4", ">=2.4"
BUNDLED = ("numpy", "SimpleITK", "pydicom", "vtk")  # Slicer's own; another version of one breaks the application


class Refused(Exception):
    """The user declined, or the installation failed; the message is for the panel."""


def missing(packaging, device: str) -> list[str]:
    """What has to be installed for this device ("auto", "cpu", "cuda"); packaging is slicer.packaging."""
    needed = [] if packaging.pip_check(WEIGHTS_READER) else [WEIGHTS_READER]
    if device == "cuda":
        return needed + ([] if packaging.pip_check(TORCH) else [TORCH])
    if packaging.pip_check(ENGINE) or packaging.pip_check(TORCH):
        return needed
    return [*needed, ENGINE]


def ensure(packaging, device: str) -> bool:
    """Ask for and install what is missing; True when something was installed. Raises Refused."""
    wanted = missing(packaging, device)
    if not wanted:
        return False
    try:
        if TORCH in wanted:
            _install_torch()
        others = [requirement for requirement in wanted if requirement != TORCH]
        if others:
            with _keeping_bundled() as constraints:
                packaging.pip_ensure(others, constraints=constraints, requester="ICHVolume")
    except Refused:
        raise
    except Exception as error:  # declined (RuntimeError) or pip's own failure: said in the panel, which goes on
        raise Refused(_("ICHVolume needs {packages}, which was not installed ({reason}). Press Segment ICH to be "
                        "asked again; masks can be drawn and measured by hand without it.").format(
                            packages=", ".join(wanted), reason=str(error) or type(error).__name__)) from error
    left = missing(packaging, device)
    if left:
        raise Refused(_("{packages} is still missing after the installation; see the error log.").format(
            packages=", ".join(left)))
    return True


@contextlib.contextmanager
def _keeping_bundled():
    """Path of a pip constraints file that holds the bundled packages at the versions that are there."""
    lines = []
    for name in BUNDLED:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            lines.append(f"{name}=={importlib.metadata.version(name)}\n")
    handle, path = tempfile.mkstemp(prefix="ichvolume-constraints-", suffix=".txt", text=True)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.writelines(lines)
        yield path
    finally:
        with contextlib.suppress(OSError):
            os.unlink(path)


def _install_torch():
    try:
        import PyTorchUtils
    except ImportError:
        raise Refused(_("Running on a GPU needs the extension PyTorch: install it in the Extensions Manager, or choose "
                        "another device under Settings.")) from None
    if PyTorchUtils.PyTorchUtilsLogic().installTorch(askConfirmation=True,
                                                     torchVersionRequirement=TORCH_VERSIONS) is None:
        raise Refused(_("PyTorch was not installed; choose another device under Settings, or try again."))
