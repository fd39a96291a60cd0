"""A head that lies otherwise in its scan than the header says: upside down, or with the face at the back, or both.

Such a file gives the right volume and the wrong place: the side, above all, is the other one when a header was turned,
and nobody sees it in a table. The skull tells: it fits the model of a skull better when the scan is mirrored. A left
and a right that alone are exchanged cannot be told, as skulls are nearly the same on both sides.
"""

from dataclasses import replace

import numpy as np

from ..anatomy.head_frame import HeadFrame, fit_head_frame
from ..core.ct_volume import CTVolume
from ..core.findings import WARNING, Finding

DOUBTFUL_FIT_MM = 2.25  # most real heads fit better, few mirrored ones do
BETTER_MM = 0.5
_FRONT, _UP = 1, 2  # axes of RAS
_WORDS = {  # axes that are the other way round
    (_FRONT,): "back to front",
    (_UP,): "upside down",
    (_FRONT, _UP): "upside down and back to front",
}


def check_head_pose(ct: CTVolume, frame: HeadFrame | None) -> list[Finding]:
    """frame: fit_head_frame(ct). Where it is good beyond doubt nothing more is looked at; elsewhere three more are
    fitted."""
    if _is_beyond_doubt(frame):
        return []
    mirrored = {axes: fit_head_frame(_mirrored(ct, axes)) for axes in _WORDS}
    fitting = {axes: one.fit_mm for axes, one in mirrored.items() if _is_beyond_doubt(one)}
    if not fitting:
        return []
    axes = min(fitting, key=fitting.get)
    if frame is not None and fitting[axes] > frame.fit_mm - BETTER_MM:
        return []
    message = ("Judged by the skull, the head lies otherwise than the file says (most likely "
               f"{_WORDS[axes]}). Then left and right may be exchanged, too, and the side and the place of the bleed "
               "would be wrong; the volume is not changed by it. Compare the views with the original series, and "
               "export it again as DICOM.")
    return [Finding("head-pose", WARNING, message)]


def _is_beyond_doubt(frame: HeadFrame | None) -> bool:
    return frame is not None and frame.good and frame.fit_mm <= DOUBTFUL_FIT_MM


def _mirrored(ct: CTVolume, axes: tuple[int, ...]) -> CTVolume:
    mirror = np.ones(3)
    mirror[list(axes)] = -1
    return replace(ct, ijk_to_ras=np.diag([*mirror, 1.0]) @ ct.ijk_to_ras,
                   slice_origins_ras=ct.slice_origins_ras * mirror)
