"""Files from a segmentation node: surfaces (STL, OBJ, PLY) and the mask (.seg.nrrd).

Every file is written beside its final name and renamed, so a full disk leaves no half file.
"""

import os
import shutil
import tempfile
from pathlib import Path

import slicer
import vtk

from .scene import segment_ids
from .scene_transforms import parent_of
from .scene_volume import require_in_scene
from .translation import tr as _

FORMATS = ("STL", "OBJ", "PLY")
SPACES = ("LPS", "RAS")
SURFACE = "Closed surface"
PRINTED_SURFACE = {"Conversion method": "0", "SurfaceNets smoothing": "0", "Smoothing factor": "0.5"}


def export_models(segmentation_node, folder, formats=("STL",), space="LPS", names=("ICH", "IVH"),
                  prefix="") -> list[Path]:
    """What export_models_in_steps writes, in one go; returns the paths written."""
    return [path for path in export_models_in_steps(segmentation_node, folder, formats, space, names, prefix) if path]


def export_models_in_steps(segmentation_node, folder, formats=("STL",), space="LPS", names=("ICH", "IVH"), prefix=""):
    """Write one surface per non-empty segment and format, mm, in the given space.

    A generator that yields each path when it is written, and None after another step.

    File names: <prefix><name>.stl (an .obj comes with its .mtl, which is not listed). The surface is in world
    coordinates, as in Slicer's own export.
    Raises ValueError (unknown format or space, nothing to export) and OSError with a sentence for the user.
    """
    require_in_scene(segmentation_node, "The segmentation")
    formats = [name.upper() for name in formats]
    if unknown := [name for name in formats if name not in FORMATS]:
        raise ValueError(_("Unknown model format {unknown}; choose from {formats}.").format(
            unknown=", ".join(unknown), formats=", ".join(FORMATS)))
    if space not in SPACES:
        raise ValueError(_("Unknown coordinate system {space}; choose LPS or RAS.").format(space=space))
    is_empty = True
    for name in names:
        require_in_scene(segmentation_node, "The segmentation")
        surface = surfaces_world(segmentation_node, [name]).get(name)
        yield None
        for extension in formats if surface else ():
            is_empty = False
            yield _write(_write_model, Path(folder) / f"{prefix}{name}.{extension.lower()}", surface, space)
    if is_empty:
        raise ValueError(_("There is nothing to export: no segment has a marked voxel."))


def export_mask(segmentation_node, path) -> Path:
    """Write the segmentation as .seg.nrrd (names, colours, codes, the CT's grid); returns the path written.

    Raises OSError with a sentence for the user.
    """
    require_in_scene(segmentation_node, "The segmentation")
    path = Path(path)
    if not path.name.lower().endswith(".seg.nrrd"):
        path = path.with_name(path.name.removesuffix(".nrrd") + ".seg.nrrd")
    return _write(_write_segmentation, path, segmentation_node)


def surfaces_world(segmentation_node, names=("ICH", "IVH")) -> dict:
    """{name: vtkPolyData in world RAS mm} of the named segments that are not empty."""
    to_world = vtk.vtkGeneralTransform()
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(parent_of(segmentation_node), None, to_world)
    surfaces = {}
    for name, ids in zip(names, segment_ids(segmentation_node, names), strict=True):
        surface = _printable_surface(segmentation_node.GetSegmentation(), ids)
        if surface.GetNumberOfCells():
            moved = vtk.vtkTransformPolyDataFilter()
            moved.SetInputData(surface)
            moved.SetTransform(to_world)
            moved.Update()
            surfaces[name] = moved.GetOutput()
    return surfaces


def _printable_surface(segmentation, ids):
    """One vtkPolyData of these segments by flying edges: slower than what the views show, but without the edges that
    surface nets share among four triangles where voxels touch only along an edge.
    """
    copy = slicer.vtkSegmentation()
    copy.SetSourceRepresentationName(segmentation.GetSourceRepresentationName())
    for segment_id in ids:
        copy.CopySegmentFromSegmentation(segmentation, segment_id)
    copy.RemoveRepresentation(SURFACE)
    for parameter, value in PRINTED_SURFACE.items():
        copy.SetConversionParameter(parameter, value)
    together = vtk.vtkAppendPolyData()
    together.AddInputData(vtk.vtkPolyData())
    if ids and copy.CreateRepresentation(SURFACE):
        for segment_id in copy.GetSegmentIDs():
            together.AddInputData(copy.GetSegment(segment_id).GetRepresentation(SURFACE))
    together.Update()
    return together.GetOutput()


def _write_model(path, surface, space):
    """STL, OBJ or PLY by the path's ending; the logic's own export writes STL when it is asked for PLY."""
    model = slicer.vtkMRMLModelNode()
    model.SetAndObservePolyData(surface)
    storage = slicer.vtkMRMLModelStorageNode()
    coordinates = slicer.vtkMRMLStorageNode
    storage.SetCoordinateSystem(coordinates.CoordinateSystemLPS if space == "LPS"
                                else coordinates.CoordinateSystemRAS)
    storage.SetFileName(str(path))
    return storage.WriteData(model)


def _write_segmentation(path, segmentation_node):
    storage = slicer.vtkMRMLSegmentationStorageNode()
    slicer.mrmlScene.AddNode(storage)  # writing looks up the reference geometry through the scene
    try:
        storage.SetFileName(str(path))
        return storage.WriteData(segmentation_node)
    finally:
        slicer.mrmlScene.RemoveNode(storage)


def _write(writer, path, *what) -> Path:
    """Write into a folder beside, then move everything (an OBJ brings its .mtl) into place."""
    path = Path(path)
    if not path.parent.is_dir():
        raise OSError(_("{folder} is not a folder; choose another.").format(folder=path.parent))
    beside = None
    try:
        beside = Path(tempfile.mkdtemp(prefix=".writing-", dir=path.parent))
        file = beside / path.name
        if not writer(file, *what) or not file.is_file() or not file.stat().st_size:
            raise OSError(_("nothing was written"))
        for written in beside.iterdir():
            os.replace(written, path.parent / written.name)
    except OSError as error:
        raise OSError(_("{path} could not be written; is the folder read-only, the disk full or the file open "
                        "elsewhere? ({error})").format(path=path, error=error)) from error
    finally:
        if beside is not None:
            shutil.rmtree(beside, ignore_errors=True)
    return path
