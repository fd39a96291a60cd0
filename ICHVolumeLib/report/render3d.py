"""Draw the hematoma inside a translucent head: `python -m ICHVolumeLib.report.render3d IN.npz OUT.png`.

Runs as a child process (see picture3d.py), because a computer without working OpenGL may end the process that asks
for it. IN.npz: hu int16 and mask uint8 (slices, rows, columns), ijk_to_ras (4, 4), slice_origins_ras (slices, 3),
view_ras (3,): where the viewer stands, seen from the head.
"""

import sys
from pathlib import Path

import numpy as np
import SimpleITK as sitk
import vtk
from vtk.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray, vtk_to_numpy

from ..core.ct_volume import CTVolume
from ..core.labels import LABELS
from ..measure.surface import hematoma_surface

SIZE = (860, 1000)
BACKGROUND = ((0.055, 0.070, 0.090), (0.130, 0.155, 0.190))  # below, above
TISSUE_HU = -300
# (HU level, colour, opacity face-on, opacity at the rim): the skull as glass, the skin as a breath of it
SHELLS = ((350, (0.88, 0.91, 0.94), 0.08, 0.55), (TISSUE_HU, (0.62, 0.74, 0.84), 0.03, 0.30))
IN_PLANE_MM = 1.6  # shells need no finer detail


def main(arguments: list[str]) -> None:
    source, target = map(Path, arguments)
    with np.load(source, allow_pickle=False) as case:
        ct = CTVolume(case["hu"], case["ijk_to_ras"], case["slice_origins_ras"])
        draw(ct, case["mask"], case["view_ras"], target)


def draw(ct: CTVolume, mask: np.ndarray, view_ras: np.ndarray, target: Path) -> None:
    """Write the picture as a PNG file."""
    renderer = vtk.vtkRenderer()
    renderer.SetBackground(BACKGROUND[0])
    renderer.SetBackground2(BACKGROUND[1])
    renderer.GradientBackgroundOn()
    for label in LABELS:
        if (mask == label.value).any():
            surface = hematoma_surface(mask, ct, label.value)
            renderer.AddActor(_solid(_poly_data(surface.points_ras, surface.triangles), label.color))
    towards_viewer = np.asarray(view_ras, float) / np.linalg.norm(view_ras)
    for level, color, *opacities in SHELLS:
        renderer.AddActor(_glass(head_shell(ct, level), color, opacities, towards_viewer))
    window = vtk.vtkRenderWindow()
    window.SetOffScreenRendering(1)
    window.SetMultiSamples(0)
    window.SetAlphaBitPlanes(1)
    window.SetSize(*SIZE)
    window.AddRenderer(renderer)
    renderer.SetUseDepthPeeling(1)
    renderer.SetMaximumNumberOfPeels(8)
    renderer.SetUseFXAA(True)
    _place_camera(renderer, towards_viewer)
    window.Render()
    _save(window, target)


def head_shell(ct: CTVolume, level: float) -> vtk.vtkPolyData:
    """Closed iso-surface of the scan at a HU level, smooth, in RAS mm at the true slice positions."""
    step = max(1, round(IN_PLANE_MM / min(ct.pixel_spacing_mm)))
    hu = ct.hu[:, ::step, ::step]
    hu = np.pad(np.where(_head(hu), hu, -1024).astype(np.int16), 1, constant_values=-1024)
    image = vtk.vtkImageData()
    image.SetDimensions(hu.shape[::-1])
    image.SetOrigin(-1, -1, -1)
    image.GetPointData().SetScalars(numpy_to_vtk(np.ascontiguousarray(hu).ravel(), deep=True))
    contour = vtk.vtkFlyingEdges3D()
    contour.SetInputData(image)
    contour.SetValue(0, level)
    contour.ComputeNormalsOff()
    largest = vtk.vtkPolyDataConnectivityFilter()
    largest.SetInputConnection(contour.GetOutputPort())
    largest.SetExtractionModeToLargestRegion()
    smooth = vtk.vtkWindowedSincPolyDataFilter()
    smooth.SetInputConnection(largest.GetOutputPort())
    smooth.SetNumberOfIterations(30)
    smooth.SetPassBand(0.03)
    smooth.NormalizeCoordinatesOn()
    smooth.Update()
    shell = smooth.GetOutput()
    if shell.GetNumberOfPoints():
        kji = vtk_to_numpy(shell.GetPoints().GetData())[:, ::-1] * (1, step, step)
        shell.GetPoints().SetData(numpy_to_vtk(ct.voxel_to_ras(kji), deep=True))
    return shell


def _poly_data(points, triangles) -> vtk.vtkPolyData:
    cells = vtk.vtkCellArray()
    offsets = np.arange(0, 3 * len(triangles) + 1, 3, dtype=np.int64)
    cells.SetData(numpy_to_vtkIdTypeArray(offsets, deep=True),
                  numpy_to_vtkIdTypeArray(np.ascontiguousarray(triangles, np.int64).ravel(), deep=True))
    vtk_points = vtk.vtkPoints()
    vtk_points.SetData(numpy_to_vtk(np.ascontiguousarray(points, float), deep=True))
    poly_data = vtk.vtkPolyData()
    poly_data.SetPoints(vtk_points)
    poly_data.SetPolys(cells)
    return poly_data


def _head(hu: np.ndarray) -> np.ndarray:
    """Where the head is, without head holder, cushion and table: they are thinner than 10 mm, or apart from it."""
    radius = [round(5 / IN_PLANE_MM)] * 2 + [0]
    body = sitk.GetImageFromArray((hu > TISSUE_HU).astype(np.uint8))
    pieces = sitk.ConnectedComponent(sitk.BinaryMorphologicalOpening(body, radius))
    largest = sitk.RelabelComponent(pieces) == 1
    return sitk.GetArrayFromImage(sitk.BinaryDilate(largest, [2 * size for size in radius])) > 0


def _with_normals(poly_data) -> vtk.vtkPolyData:
    normals = vtk.vtkPolyDataNormals()
    normals.SetInputData(poly_data)
    normals.SplittingOff()
    normals.Update()
    return normals.GetOutput()


def _actor(poly_data) -> vtk.vtkActor:
    mapper = vtk.vtkPolyDataMapper()
    mapper.SetInputData(poly_data)
    actor = vtk.vtkActor()
    actor.SetMapper(mapper)
    actor.GetProperty().SetInterpolationToPhong()
    return actor


def _solid(poly_data, color):
    actor = _actor(_with_normals(poly_data))
    looks = actor.GetProperty()
    looks.SetColor(color)
    looks.SetAmbient(0.18)
    looks.SetDiffuse(0.80)
    looks.SetSpecular(0.35)
    looks.SetSpecularPower(28)
    return actor


def _glass(poly_data, color, opacities, towards_viewer):
    """Nearly clear face-on and denser at the rim, as glass looks (Schlick's approximation, squared)."""
    poly_data = _with_normals(poly_data)
    normals = poly_data.GetPointData().GetNormals()
    if normals is not None:
        face_on, rim = opacities
        grazing = 1 - np.abs(vtk_to_numpy(normals) @ towards_viewer)
        rgba = np.empty((len(grazing), 4), np.uint8)
        rgba[:, :3] = np.array(color) * 255
        rgba[:, 3] = np.clip(face_on + (rim - face_on) * grazing ** 2, 0, 1) * 255
        poly_data.GetPointData().SetScalars(numpy_to_vtk(rgba, deep=True))
    actor = _actor(poly_data)
    looks = actor.GetProperty()
    looks.SetAmbient(0.35)
    looks.SetDiffuse(0.65)
    looks.SetSpecular(0.2)
    looks.SetSpecularPower(12)
    actor.ForceTranslucentOn()
    return actor


def _place_camera(renderer, towards_viewer):
    renderer.ResetCamera()
    camera = renderer.GetActiveCamera()
    camera.SetPosition(*(np.array(camera.GetFocalPoint()) + towards_viewer * 700))
    camera.SetViewUp(0, 0, 1)
    camera.SetViewAngle(24)
    renderer.ResetCamera()
    camera.Zoom(1.55)
    renderer.ResetCameraClippingRange()


def _save(window, target):
    grab = vtk.vtkWindowToImageFilter()
    grab.SetInput(window)
    grab.ReadFrontBufferOff()
    grab.ShouldRerenderOff()
    writer = vtk.vtkPNGWriter()
    writer.SetFileName(str(target))
    writer.SetInputConnection(grab.GetOutputPort())
    writer.Write()


if __name__ == "__main__":
    vtk.vtkObject.GlobalWarningDisplayOff()  # "no X server" is no news here
    main(sys.argv[1:])
