"""The 3D picture of the report, drawn in a child process that may fail without harm."""

import subprocess
import tempfile
from pathlib import Path

import numpy as np

from ..core.child_process import child_environment, python_program
from ..core.ct_volume import CTVolume

TIME_LIMIT_S = 60


def picture_of_bleed(ct: CTVolume, mask: np.ndarray, time_limit_s: float = TIME_LIMIT_S) -> tuple[bytes | None, str]:
    """(PNG file, caption), or (None, why there is no picture)."""
    view_ras, caption = viewpoint(ct, mask)
    with tempfile.TemporaryDirectory(prefix="ichvolume-") as folder:
        source, target = Path(folder, "case.npz"), Path(folder, "picture.png")
        np.savez(source, hu=ct.hu, mask=mask, ijk_to_ras=ct.ijk_to_ras, slice_origins_ras=ct.slice_origins_ras,
                 view_ras=np.array(view_ras, float))
        try:
            subprocess.run([python_program(), "-m", f"{__package__}.render3d", str(source), str(target)], check=True,
                           timeout=time_limit_s, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, env=child_environment(),
                           creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0))
            return target.read_bytes(), caption
        except subprocess.TimeoutExpired:
            return None, f"The 3D picture took longer than {time_limit_s:.0f} s on this computer and was left out."
        except (OSError, subprocess.CalledProcessError):
            return None, "The 3D picture is not available on this computer (it needs OpenGL)."


def viewpoint(ct: CTVolume, mask: np.ndarray) -> tuple[tuple[float, float, float], str]:
    """Where to look from, as a RAS direction from the head: the front, from the side of the bleed; and in words."""
    k, j, i = np.nonzero(mask)
    middle_ras = ct.voxel_to_ras((np.array(ct.hu.shape) - 1) / 2)
    bleed_ras = ct.voxel_to_ras(np.array([k.mean(), j.mean(), i.mean()])) if len(k) else middle_ras
    on_the_right = bleed_ras[0] > middle_ras[0]
    side = "right" if on_the_right else "left"
    return (0.75 if on_the_right else -0.75, 1.0, 0.45), f"Seen from the patient's front {side}, slightly above"
