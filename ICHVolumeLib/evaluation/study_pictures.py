"""Pictures of a study's masks: Figures 5, 6 and 7 of the paper and the failures. Each returns a matplotlib figure.

Slices are shown as radiologists see them: the patient's right on the left, front up. Without a CT the true mask is
drawn on grey. The truth is a dashed line, the model's outline a solid one in its colour.
"""

import numpy as np

from ..core.ct_volume import CTVolume
from ..core.labels import ICH
from ..imaging.windowing import window
from ..measure import measure_mask
from ..measure.surface import hematoma_surface
from .figure_style import INK, PAGE_INCHES, look, new_figure
from .study_masks import CaseMasks, shown_slice

WINDOW_HU = (-10.0, 110.0)
MARGIN_MM, LEAST_MM = 12.0, 60.0
MOST_TRIANGLES = 3000
AXIS_MM = 10.0  # of the little axes in the 3D view
_GREY, _TRUE_GREY = 0.82, 0.6
_SIGHT = np.array([-0.55, 0.65, 0.52])  # where the light of the 3D view comes from, RAS


def slice_rows(cases: list[tuple[CaseMasks, str]]):
    """Figure 5: a row a case (and what to say of it), a column for the truth and one for every model, on the slice with
    most blood."""
    models = list(cases[0][0].masks)
    columns = len(models) + 1
    width = min(PAGE_INCHES, 1.65 * columns)
    figure = new_figure(width, width / columns * 1.13 * len(cases) + 0.25)
    panels = figure.subplots(len(cases), columns, squeeze=False)
    for row, (case, words) in zip(panels, cases, strict=True):
        k = shown_slice(case.truth.mask, next(iter(case.masks.values())).mask)
        box = _box(case, k)
        _slice(row[0], case, k, box)
        _outline(row[0], case, case.truth.mask[k], box, color="white" if case.has_picture else INK, linestyle="-")
        row[0].set_ylabel(words, fontsize=6.5)
        for place, model in enumerate(models):
            axes = row[place + 1]
            _slice(axes, case, k, box)
            _outline(axes, case, case.masks[model].mask[k], box, color=look(place)["color"], linestyle="-", width=1.8)
            _truth(axes, case, k, box)
    for axes, title in zip(panels[0], ["truth", *models], strict=True):
        axes.set_title(title)
    return figure


def abc2_disagreement(pairs: list[tuple[CaseMasks, str, str]], model: str):
    """Figure 6: cases (and what to say of them, and a letter) in three slices each with the model's outline, and the
    lines A and B of ABC/2 on the slice that they are measured on."""
    figure = new_figure(PAGE_INCHES, 2.55 * len(pairs))
    panels = figure.subplots(len(pairs), 3, squeeze=False)
    for row, (case, words, letter) in zip(panels, pairs, strict=True):
        mask = case.masks[model].mask
        abc2 = measure_mask(case.ct, mask).abc2
        ends = np.flatnonzero((mask == ICH.value).any(axis=(1, 2)))
        chosen = sorted({int(ends[len(ends) // 4]), abc2.slice_index, int(ends[3 * len(ends) // 4])})
        box = _box(case, None)
        for axes in row[len(chosen):]:
            axes.set_axis_off()
        for axes, k in zip(row, chosen, strict=False):
            _slice(axes, case, k, box)
            _outline(axes, case, mask[k], box, color=look(0)["color"], linestyle="-", width=1.8)
            _truth(axes, case, k, box)
            axes.set_xlabel(f"slice {k + 1}", fontsize=6.5)
            if k == abc2.slice_index:
                for name, line, color in (("A", abc2.a_line_ras, look(1)["color"]),
                                          ("B", abc2.b_line_ras, look(4)["color"])):
                    _line(axes, case.ct, box, line, color, name)
        row[0].set_title(f"{letter}  {words}", loc="left")
    return figure


def view_3d(case: CaseMasks, words: str):
    """Figure 7: the true body and every model's as closed surfaces on one scale, seen from front, left and above; the
    little axes point 10 mm to the left, to the front and up."""
    bodies = {"truth": case.truth.mask, **{model: one.mask for model, one in case.masks.items()}}
    bodies = {name: mask for name, mask in bodies.items() if (mask > 0).any()}
    surfaces = {name: hematoma_surface(mask, case.ct, max_triangles=MOST_TRIANGLES) for name, mask in bodies.items()}
    points = np.concatenate([one.points_ras for one in surfaces.values()])
    middle, half = (points.max(0) + points.min(0)) / 2, np.ptp(points, axis=0).max() / 2 + 2
    columns = min(4, len(surfaces))
    lines = -(-len(surfaces) // columns)
    figure = new_figure(PAGE_INCHES * columns / 4 + 0.2, 2.15 * lines + 0.3)
    for place, (name, surface) in enumerate(surfaces.items()):
        axes = figure.add_subplot(lines, columns, place + 1, projection="3d")
        color = "#9a9a9a" if name == "truth" else look(list(case.masks).index(name))["color"]
        _body(axes, surface, color, middle, half)
        axes.set_title(f"{name}: {surface.voxel_volume_ml:.1f} mL", pad=0)
    figure.suptitle(words, fontsize=8)
    return figure


def _body(axes, surface, color, middle, half):
    from matplotlib.colors import to_rgb
    from mpl_toolkits.mplot3d.art3d import Poly3DCollection

    corners = surface.points_ras[surface.triangles]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    light = 0.45 + 0.55 * np.clip(normals @ (_SIGHT / np.linalg.norm(_SIGHT)), 0, 1)
    shades = np.clip(np.outer(light, to_rgb(color)) + 0.12 * (light[:, None] > 0.95), 0, 1)
    axes.add_collection3d(Poly3DCollection(corners, facecolors=shades, edgecolors=shades, linewidths=0.2))
    axes.set(xlim=(middle[0] - half, middle[0] + half), ylim=(middle[1] - half, middle[1] + half),
             zlim=(middle[2] - half, middle[2] + half))
    axes.set_box_aspect((1, 1, 1), zoom=1.25)
    axes.view_init(elev=22, azim=125)
    axes.set_axis_off()
    corner = middle + half * np.array([0.85, 0.85, -1.05])  # left and below on the page
    for step, letter in ((np.array([-AXIS_MM, 0, 0]), "L"), (np.array([0, AXIS_MM, 0]), "A"),
                         (np.array([0, 0, AXIS_MM]), "S")):
        end = corner + step
        axes.plot(*np.stack([corner, end], axis=1), color=INK, linewidth=1.2)
        axes.text(*(corner + 1.35 * step), letter, fontsize=6, ha="center", va="center")


def failures(cases: list[tuple[CaseMasks, str, str]]):
    """The worst cases (case, model, what to say), each on the slice with most blood."""
    columns = min(4, len(cases))
    lines = -(-len(cases) // columns)
    figure = new_figure(PAGE_INCHES * columns / 4, 2.25 * lines)
    panels = figure.subplots(lines, columns, squeeze=False).ravel()
    for axes in panels[len(cases):]:
        axes.set_axis_off()
    for axes, (case, model, words) in zip(panels, cases, strict=False):
        mask = case.masks[model].mask
        k = shown_slice(case.truth.mask, mask)
        box = _box(case, k)
        _slice(axes, case, k, box)
        _outline(axes, case, mask[k], box, color=look(list(case.masks).index(model))["color"], linestyle="-", width=1.8)
        _truth(axes, case, k, box)
        axes.set_title(words, fontsize=6.5)
    return figure


def _box(case: CaseMasks, k: int | None) -> tuple[slice, slice]:
    """Rows and columns around all that is marked on a slice (or on any), with a margin, square in mm."""
    layers = [case.truth.mask, *(one.mask for one in case.masks.values())]
    flat = np.any([(mask > 0).any(axis=0) if k is None else mask[k] > 0 for mask in layers], axis=0)
    if not flat.any():
        flat = np.ones_like(flat)
    ends = [np.flatnonzero(flat.any(axis=axis))[[0, -1]] for axis in (1, 0)]
    size_mm = max(LEAST_MM, *(np.ptp(end) * mm + 2 * MARGIN_MM
                              for end, mm in zip(ends, case.ct.pixel_spacing_mm, strict=True)))
    rows, columns = (_around(end.mean(), size_mm / mm, size)
                     for end, mm, size in zip(ends, case.ct.pixel_spacing_mm, flat.shape, strict=True))
    return rows, columns


def _around(middle: float, wanted: float, size: int) -> slice:
    return slice(max(0, int(middle - wanted / 2)), min(size, int(middle + wanted / 2) + 1))


def _slice(axes, case: CaseMasks, k: int, box):
    """The picture, or the true mask in grey, turned so that the patient's right is on the left."""
    ct = case.ct
    if case.has_picture:
        grey = window(ct.hu[k][box], *WINDOW_HU)
    else:
        grey = np.where(case.truth.mask[k][box] > 0, _TRUE_GREY, _GREY)
    row_mm, column_mm = ct.pixel_spacing_mm
    axes.imshow(grey, cmap="gray", vmin=0, vmax=1, aspect=row_mm / column_mm, interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    if ct.ijk_to_ras[0, 0] > 0:
        axes.invert_xaxis()
    if ct.ijk_to_ras[1, 1] > 0:
        axes.invert_yaxis()
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.text(0.02, 0.5, "R", transform=axes.transAxes, fontsize=6, va="center",
              color="white" if case.has_picture else INK)


def _truth(axes, case, k, box):
    """Dashed, white on black, so that it shows on every ground and on the model's line."""
    _outline(axes, case, case.truth.mask[k], box, color=INK, linestyle="-", width=0.9)
    _outline(axes, case, case.truth.mask[k], box, color="white", linestyle=(0, (2.5, 2)), width=0.9)


def _outline(axes, case, plane, box, *, color, linestyle, width=1.2):
    """Half-way between the marked pixels of a slice and the others."""
    part = np.pad((plane[box] > 0).astype(float), 1)
    if part.any():
        rows, columns = (np.arange(size) - 1 for size in part.shape)
        axes.contour(columns, rows, part, levels=[0.5], colors=[color], linewidths=[width], linestyles=[linestyle])


def _line(axes, ct: CTVolume, box, ends_ras, color, name):
    """A line of ABC/2 in the plane, with its letter."""
    ijk = (np.linalg.inv(ct.ijk_to_ras) @ np.c_[np.array(ends_ras), np.ones(2)].T)[:2]
    x, y = ijk[0] - box[1].start, ijk[1] - box[0].start
    axes.plot(x, y, color=color, linewidth=1.6)
    axes.annotate(name, (x[0], y[0]), color=color, fontsize=8, fontweight="bold", ha="center", va="center",
                  bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.85})
