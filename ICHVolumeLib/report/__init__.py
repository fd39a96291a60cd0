"""The report: one HTML page that needs no network, no script and no other file, to read or to print on A4."""

from datetime import datetime
from pathlib import Path

import numpy as np

from ..core.atomic_files import replace_file
from ..core.ct_volume import CTVolume
from ..core.result import Result
from ..core.text import shown
from .page import report_page
from .pictures import make_pictures


def write_report(path, ct: CTVolume, mask: np.ndarray, result: Result,
                 picture: tuple[list[str] | None, str] | None = None, made_at: datetime | None = None,
                 outside: np.ndarray | None = None) -> Path:
    """Write report.html for one case.

    mask: uint8 (slices, rows, columns) that `result` was measured from.
    picture: (SVGs or None, caption or why there are none) in place of the views in 3D drawn here.
    outside: Segmentation.outside; outlined in the slices and counted nowhere.
    made_at: the time to print, now when not given.
    Raises InputError when the place cannot be written; an earlier report then stays.
    """
    path = Path(path)
    pictures = make_pictures(ct, mask, result, picture, outside)
    page = report_page(result, pictures, made_at or datetime.now())
    replace_file(path, shown(page).encode("utf-8"))
    return path
