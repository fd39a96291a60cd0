"""The CT volume node as plain values, and why a node is no CT.

Measuring frame. Lengths and volumes are those of the scan as acquired:
- a linear parent transform (a registration) moves CT, mask and lines together and changes no number;
- the acquisition transform that Slicer's DICOM reader adds for uneven slice positions IS the scan's geometry
  and is applied: slice_origins_ras holds every slice's true position;
- any other warp is left out of the numbers, and ct_arrays says so in its findings.
All RAS coordinates that the adapter gives and takes are in the coordinate system of `frame_of(volume_node)`.
"""

from pathlib import Path

import numpy as np
import slicer

from .scene_transforms import matrix_of, true_positions
from .translation import tr as _
from .turns import at_once

BRAIN_WINDOW = (80, 40)  # width, level in HU
BLOOD_WINDOW = (120, 60)  # wide enough to tell a clot from the calcified and the skull beside it
SLICES_PER_STEP = 4
INT16 = np.iinfo(np.int16)
AIR_HU = -1024
_DICOM_TAGS = {  # ScanInfo field -> DICOM tag, read from Slicer's DICOM database when the CT came from there
    "modality": "0008,0060", "series_uid": "0020,000e", "series_description": "0008,103e",
    "manufacturer": "0008,0070", "kernel": "0018,1210", "contrast_agent": "0018,0010",
    "slice_thickness_mm": "0018,0050", "patient_age_years": "0010,1010",
}


def is_in_scene(node) -> bool:
    """False for None and for a node that was deleted or whose scene was closed."""
    return node is not None and node.GetScene() is not None


def require_in_scene(node, what: str) -> None:
    """Raise ValueError saying that `what` ("The CT" or "The segmentation") is gone."""
    if not is_in_scene(node):
        raise ValueError({"The CT": _("The CT is no longer in the scene; choose another."),
                          "The segmentation": _("The segmentation is no longer in the scene; choose another.")}[what])


def put_beside(node, other_node) -> None:
    """Into the other node's folder (patient, study) of the subject hierarchy."""
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    item = hierarchy.GetItemByDataNode(other_node)
    if item:
        folder = hierarchy.GetItemParent(item)
        hierarchy.SetItemParent(hierarchy.GetItemByDataNode(node) or hierarchy.CreateItem(folder, node), folder)


def problem_with_volume(volume_node) -> str | None:
    """Why this node cannot be segmented, as one sentence for the user, or None when it can.

    Covers: nothing chosen, deleted from the scene, labelmap, colour or vector image, no voxels, one slice, MR and
    others (by DICOM modality). Its values are looked at by ct_arrays_in_steps; what a scan merely should be warned of
    (tilt, contrast, ...) is ICHVolumeLib.quality.checks.check_ct's.
    """
    if volume_node is None:
        return _("Choose a head CT.")
    if not is_in_scene(volume_node):
        return _("This volume was deleted from the scene; choose another.")
    name = volume_node.GetName()
    if volume_node.IsA("vtkMRMLLabelMapVolumeNode"):
        return _("{name} is a labelmap, not a CT; choose the CT itself.").format(name=name)
    if not volume_node.IsA("vtkMRMLScalarVolumeNode"):
        return _("{name} is not a volume; choose a head CT.").format(name=name)
    image = volume_node.GetImageData()
    if image is None or image.GetPointData().GetScalars() is None:
        return _("{name} has no voxels; load the CT again.").format(name=name)
    if image.GetNumberOfScalarComponents() != 1:
        return _("{name} is a colour or vector image, not a CT in Hounsfield units.").format(name=name)
    if image.GetDimensions()[2] < 2:
        return _("{name} is a single slice; load the whole axial head series.").format(name=name)
    modality = _dicom_values(volume_node)["modality"]
    if modality != "CT":
        return _("{name} is {modality}, not CT; choose a head CT.").format(name=name, modality=modality)
    matrix = matrix_of(volume_node)
    if not np.isfinite(matrix).all() or abs(np.linalg.det(matrix[:3, :3])) < 1e-9:
        return _("{name} has no usable voxel spacing; load the series again.").format(name=name)
    return None


def ct_arrays(volume_node) -> dict:
    """What ct_arrays_in_steps returns, in one go."""
    return at_once(ct_arrays_in_steps(volume_node))


def ct_arrays_in_steps(volume_node, slices_per_step=SLICES_PER_STEP):
    """The CT as plain values; CTVolume(hu, ijk_to_ras, slice_origins_ras, ScanInfo(**info), findings) fits them.

    hu: int16 (slices, rows, columns), a copy; ijk_to_ras: 4x4 float, shear kept; slice_origins_ras: (slices, 3)
    float, RAS mm of voxel (i=0, j=0) of every slice; info: dict of ICHVolumeLib.core.ct_volume.ScanInfo's fields;
    findings: list of (code, severity, message). A generator that copies some slices per step.
    Raises ValueError with problem_with_volume's sentence, or one about the values.
    """
    problem = problem_with_volume(volume_node)
    if problem:
        raise ValueError(problem)
    voxels, parts = slicer.util.arrayFromVolume(volume_node), []
    hu = np.empty(voxels.shape, np.int16)
    for first in range(0, len(voxels), slices_per_step):
        part = hu[first:first + slices_per_step] = _hounsfield(voxels[first:first + slices_per_step])
        parts.append((part.min(), part.max()))
        yield
        require_in_scene(volume_node, "The CT")  # it may have been deleted or filled anew in between
        image = volume_node.GetImageData()
        if image is None or image.GetDimensions()[::-1] != voxels.shape:
            raise ValueError(_("{name} changed while it was read; choose it again.").format(name=volume_node.GetName()))
    lows, highs = zip(*parts, strict=True)
    _require_hounsfield(volume_node.GetName(), min(lows), max(highs))
    origins, _frame, findings = true_positions(volume_node)
    return {"hu": hu, "ijk_to_ras": matrix_of(volume_node),
            "slice_origins_ras": origins, "info": {"source": volume_node.GetName(), **_dicom_values(volume_node)},
            "findings": findings}


def signature_of(volume_node) -> tuple:
    """Changes whenever the voxels, the matrix or the true slice positions do; cheap, so that it can be asked often."""
    image = volume_node.GetImageData()
    scalars = image.GetPointData().GetScalars() if image is not None else None
    if scalars is None:
        return ()
    return (scalars.GetMTime(), image.GetMTime(), image.GetDimensions(), matrix_of(volume_node).tobytes(),
            true_positions(volume_node)[0].tobytes())


def file_of(volume_node) -> str:
    """The file that the volume was loaded from; "" for one from the DICOM database, and for one without a file."""
    storage = volume_node.GetStorageNode()
    if storage is None or volume_node.GetAttribute("DICOM.instanceUIDs"):
        return ""
    return storage.GetFullNameFromFileName() or ""


def dicom_folder(volume_node) -> str:
    """The folder of the DICOM images that the volume was loaded from, as Slicer's database knows it; else ""."""
    database = getattr(slicer, "dicomDatabase", None)
    instances = (volume_node.GetAttribute("DICOM.instanceUIDs") or "").split()
    file = database.fileForInstance(instances[0]) if database is not None and instances else ""
    return str(Path(file).parent) if file else ""


def show_window(volume_node, width_and_level) -> None:
    """Show the CT with this (window width, level) in HU, not the automatic one."""
    if volume_node.GetDisplayNode() is None:
        volume_node.CreateDefaultDisplayNodes()
    display = volume_node.GetDisplayNode()
    display.SetAutoWindowLevel(False)
    display.SetWindowLevel(*width_and_level)


def has_own_window(volume_node) -> bool:
    """Somebody (a person, or the DICOM header) chose the window; False while it is automatic or there is no display."""
    display = volume_node.GetDisplayNode()
    return display is not None and not display.GetAutoWindowLevel()


def _require_hounsfield(name, lowest, highest):
    if lowest == highest:
        raise ValueError(_("{name} is empty: every voxel is {value}.").format(name=name, value=lowest))
    if lowest >= 0:  # fat, air and CSF noise lie below 0 HU in every head CT
        raise ValueError(_("{name} has values from {lowest} to {highest}, which are not Hounsfield units "
                           "(air is -1000); load the original CT series.").format(
                               name=name, lowest=lowest, highest=highest))


def _hounsfield(voxels) -> np.ndarray:
    if voxels.dtype == np.int16:
        return voxels
    if voxels.dtype.kind == "f":
        voxels = np.rint(np.nan_to_num(voxels, nan=AIR_HU))
    return np.clip(voxels, INT16.min, INT16.max).astype(np.int16)


def _dicom_values(volume_node) -> dict:
    """ScanInfo fields that Slicer knows of this node; modality is "CT" unless something says otherwise."""
    values = {"modality": "CT"}
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    item = hierarchy.GetItemByDataNode(volume_node) if hierarchy else 0
    if item:
        constants = slicer.vtkMRMLSubjectHierarchyConstants
        values["modality"] = hierarchy.GetItemAttribute(item, constants.GetDICOMSeriesModalityAttributeName()) or "CT"
    database = getattr(slicer, "dicomDatabase", None)
    instances = (volume_node.GetAttribute("DICOM.instanceUIDs") or "").split()
    if database is None or not database.isOpen or not instances:
        return values
    read = {field: database.instanceValue(instances[0], tag) for field, tag in _DICOM_TAGS.items()}
    read["slice_thickness_mm"] = _number(read["slice_thickness_mm"])
    read["patient_age_years"] = _age_years(read["patient_age_years"])
    return values | {field: value for field, value in read.items() if value}


def _number(text):
    try:
        return float(text)
    except (TypeError, ValueError):
        return None


def _age_years(text):
    """DICOM age string ("067Y", "018M", "003W", "010D") to years, or None."""
    per_year = {"Y": 1, "M": 12, "W": 52.1775, "D": 365.25}
    number = _number((text or "")[:-1])
    return number / per_year[text[-1]] if number is not None and text[-1] in per_year else None
