"""The two matrices of a NIfTI header, which one counts, and in which way they contradict each other.

sform first, else qform, as nibabel and FSL do (nifti1.h, methods 3 and 2); ITK, and so 3D Slicer, take the qform in
many of the same files. Matrices are RAS mm; the header's length unit is applied, which nibabel leaves to its callers.
"""

import numpy as np

from ..core.findings import WARNING, Finding
from ..core.text import number_words

_MM_PER_UNIT = {1: 1000.0, 2: 1.0, 3: 0.001}  # metre, millimetre, micrometre; 0 is unknown
_AXES = ("left and right", "front and back", "head and feet")
SAME_SIZE = 0.005  # of the voxel size
SAME_ANGLE_DEG = 0.5
SAME_PLACE_MM = 0.5


def stated_matrices(header) -> tuple[np.ndarray | None, np.ndarray | None]:
    """sform and qform as 4x4, each None when its code is not set; an sform without volume counts as not set."""
    unit = _unit_mm(header)
    sform = qform = None
    if int(header["sform_code"]) > 0:
        sform = np.array(header.get_sform(), float)
        sform[:3] *= unit
        if np.isfinite(sform).all() and abs(np.linalg.det(sform[:3, :3])) < 1e-12:
            sform = None
    if int(header["qform_code"]) > 0:
        qform = _qform(header, may_fail=sform is None)
        qform[:3] *= unit
    return sform, qform


def _qform(header, may_fail) -> np.ndarray:
    """NaN where the quaternion is no rotation but an sform counts anyway. One that is a little too long (files round
    their numbers; nibabel refuses beyond 4e-7) is shortened."""
    from nibabel.spatialimages import HeaderDataError

    names = ("quatern_b", "quatern_c", "quatern_d")
    length = float(np.sqrt(sum(float(header[name]) ** 2 for name in names)))
    if 1 < length < 1.005:
        header = header.copy()
        for name in names:
            header[name] = float(header[name]) / length
    try:
        return np.array(header.get_qform(), float)
    except (HeaderDataError, ValueError):
        if may_fail:
            raise
        return np.full((4, 4), np.nan)


def upright_matrix(header) -> np.ndarray:
    """Voxel sizes along the patient's axes, columns running to the left and rows to the back as in a DICOM slice: what
    ITK and 3D Slicer take for a file that states no matrix."""
    sizes = np.abs(np.array(header["pixdim"][1:4], float)) * _unit_mm(header)
    return np.diag([*(sizes * (-1, -1, 1)), 1.0])


def conflict(header, sform, qform, taken=None) -> list[Finding]:
    """A finding "affine-conflict" when sform, qform and voxel sizes (pixdim) do not say the same.

    taken: 4x4, the matrix that another program took of this file; without it the sform counts, as read_nifti does.
    """
    if sform is None or not np.isfinite(sform).all():
        return []
    if qform is None:
        words = _size_words(sform, np.abs(np.array(header["pixdim"][1:4], float)) * _unit_mm(header),
                            "the second (voxel sizes)")
        other = "voxel sizes (pixdim)"
    else:
        shape = np.array(header.get_data_shape()[:3], float)
        words, other = _difference_words(sform, qform, shape), "qform"
    if not words:
        return []
    return [Finding("affine-conflict", WARNING,
                    f"The file says in two places how its voxels lie, and they disagree: {'; '.join(words)}. "
                    f"{_taken_words(sform, other, taken)} Compare left and right and the size of the head with the "
                    "original series before using the numbers.")]


def _taken_words(sform, other, taken) -> str:
    if taken is None:
        return "The first one (sform) was used, as nibabel and FSL do; other programs, 3D Slicer among them, may " \
               f"follow the other one ({other})."
    which = "sform" if np.allclose(sform, taken, atol=SAME_PLACE_MM) else other
    return f"The volume was loaded by the {'first' if which == 'sform' else 'second'} one ({which}); other programs " \
           "may follow the other."


def _difference_words(sform, qform, shape) -> list[str]:
    if not np.isfinite(qform).all():
        return ["the second one (qform) is damaged"]
    s_size, q_size = (np.linalg.norm(matrix[:3, :3], axis=0) for matrix in (sform, qform))
    words = _size_words(sform, q_size, "the second (qform)")
    if not (q_size > 0).all():
        return words
    s_axes, q_axes = sform[:3, :3] / s_size, qform[:3, :3] / q_size
    cosines = np.clip((s_axes * q_axes).sum(axis=0), -1, 1)
    opposed = [_AXES[int(np.argmax(np.abs(s_axes[:, axis])))] for axis in range(3) if cosines[axis] < -0.5]
    if opposed:
        words.append(f"{' and '.join(opposed)} are exchanged between them")
    elif np.linalg.det(s_axes) * np.linalg.det(q_axes) < 0:
        words.append("the head is mirrored between them")
    angles = np.degrees(np.arccos(np.abs(cosines)))
    if angles.max() > SAME_ANGLE_DEG:
        right_angled = np.abs(s_axes.T @ s_axes - np.eye(3)).max() < np.sin(np.radians(SAME_ANGLE_DEG))
        words.append(f"they are tilted by {angles.max():.1f} degrees against each other"
                     + ("" if right_angled else " (the first one is that of a tilted gantry, which the second "
                                                            "cannot tell)"))
    middle = np.array([*(shape - 1) / 2, 1])
    place = np.linalg.norm((sform @ middle - qform @ middle)[:3])
    if place > SAME_PLACE_MM:
        words.append(f"the middle of the scan lies {place:.1f} mm apart")
    return words


def _size_words(sform, other_mm, name) -> list[str]:
    size_mm = np.linalg.norm(sform[:3, :3], axis=0)
    if not (np.isfinite(other_mm).all() and (other_mm > 0).all()) or np.allclose(size_mm, other_mm, rtol=SAME_SIZE):
        return []
    by_sform, by_other = (" x ".join(number_words(value, 3) for value in sizes) for sizes in (size_mm, other_mm))
    return [f"voxels of {by_sform} mm by the first (sform), {by_other} mm by {name} "
            f"({_times_words(np.prod(size_mm) / np.prod(other_mm))})"]


def _times_words(times: float) -> str:
    """How far two volumes lie apart, for people: nobody reads thirteen thousand million."""
    if times < 1:
        return _times_words(1 / times) if times else "one of the two volumes is nothing"
    if times >= 1000:
        return "volumes differ by a factor of more than 1,000"
    return f"volumes differ by a factor of {number_words(times, 3)}"


def _unit_mm(header) -> float:
    return _MM_PER_UNIT.get(int(header["xyzt_units"]) & 7, 1.0)
