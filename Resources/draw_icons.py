"""Draw the catalogue's and the module's icon: python Resources/draw_icons.py

An axial head with a bleed and its two ABC/2 lines, in the colours that the panel uses.
"""

from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
PICTURES = {ROOT / "Resources" / "ICHVolume.png": 128, ROOT / "ICHVolume" / "Resources" / "Icons" / "ICHVolume.png": 64}
OVERSAMPLING = 8
SKULL, GAP, BRAIN, DARK = (236, 238, 242), (58, 64, 76), (132, 140, 152), (92, 100, 114)
BLEED, IVH, LINE_A, LINE_B = (219, 41, 46), (250, 166, 36), (51, 217, 242), (191, 242, 89)


def draw(size):
    """uint8 (size, size, 4); coordinates run from -1 to 1, x to the right, y down."""
    count = size * OVERSAMPLING
    y, x = np.mgrid[0:count, 0:count] * (2 / count) - 1 + 1 / count
    head = np.hypot(x / 0.80, y / 0.95)
    rgba = np.zeros((count, count, 4))
    for limit, color in ((1.0, SKULL), (0.865, GAP), (0.825, BRAIN)):
        rgba[head <= limit] = (*color, 255)
    for side in (-1, 1):  # frontal horns of the ventricles
        horn = np.hypot((x - side * (0.11 - 0.20 * (y + 0.12))) / 0.055, (y + 0.10) / 0.24)
        rgba[horn <= 1] = (*(IVH if side == -1 else DARK), 255)
    falx = (np.abs(x) < 0.012) & (head <= 0.825) & (np.abs(y) > 0.40)
    rgba[falx] = (*DARK, 255)
    u, v = _turned(x + 0.32, y - 0.14, 25)
    edge = 1 + 0.07 * np.cos(3 * np.arctan2(v, u) + 0.7)
    rgba[np.hypot(u / 0.27, v / 0.20) <= edge] = (*BLEED, 255)
    width = 0.024 if size >= 100 else 0.034
    rgba[(np.abs(v) < width) & (np.abs(u) < 0.25)] = (*LINE_A, 255)
    rgba[(np.abs(u) < width) & (np.abs(v) < 0.18)] = (*LINE_B, 255)
    weight = rgba[..., 3:] / 255
    blocks = (size, OVERSAMPLING, size, OVERSAMPLING, -1)
    alpha = weight.reshape(blocks).mean(axis=(1, 3))
    color = (rgba[..., :3] * weight).reshape(blocks).mean(axis=(1, 3)) / np.maximum(alpha, 1e-6)
    return np.rint(np.concatenate([color, alpha * 255], axis=-1)).astype(np.uint8)


def _turned(x, y, degrees):
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return cosine * x + sine * y, -sine * x + cosine * y


def save_png(picture, path):
    import vtk
    from vtk.util.numpy_support import numpy_to_vtk

    image = vtk.vtkImageData()
    image.SetDimensions(picture.shape[1], picture.shape[0], 1)
    image.GetPointData().SetScalars(numpy_to_vtk(np.ascontiguousarray(picture[::-1]).reshape(-1, 4), deep=True))
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = vtk.vtkPNGWriter()
    writer.SetFileName(str(path))
    writer.SetInputData(image)
    writer.Write()


if __name__ == "__main__":
    for path, size in PICTURES.items():
        save_png(draw(size), path)
