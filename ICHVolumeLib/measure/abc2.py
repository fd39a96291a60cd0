"""ABC/2 and its variants from a mask, and again after a clinician has corrected A, B or C.

A: the longest diameter (between pixel corners) on the slice with the largest area; B: the longest straight segment
perpendicular to A between outermost boundary points of that slice (Kothari 1996, 10.1161/01.STR.27.8.1304);
C by three conventions, see `measure_piece`. Ties take the lowest slice, then the first row and column, so the same
mask always gives the same lines.
"""

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from ..core.ct_volume import CTVolume
from ..core.errors import InputError
from ..core.result import Abc2, Point
from .components import LabelComponent
from .plane_geometry import caliper_width, convex_hull, longest_diameter, outer_corners, widest_chord
from .shape import EXPECTED_ERROR_PERCENT, shape_class

SEGMENT, CALIPER = "segment", "caliper"


def measure_component(piece: LabelComponent, ct: CTVolume, b_definition: str = SEGMENT) -> Abc2:
    """ABC/2 of one piece alone.

    c_mm: number of bleeding slices x slice spacing (the Coniglobus formula of Peng et al. 2022); where spacing is
        uneven, the sum of the slab heights of the bleeding slices.
    c_kothari_mm: slices count 1, 0.5 or 0 when their area is > 75 %, 25-75 % or < 25 % of the largest (Kothari 1996).
    abc3_ml: A B C / 3 for irregular and anticoagulated bleeds (Huttner 2006), C as in c_mm.
    two_thirds_sh_ml: 2/3 S h with S the largest slice area and h = c_mm (10.1179/1743132812Y.0000000141).
    b_definition: SEGMENT, or CALIPER for the width between two parallels to A, which overestimates lobed shapes.
    """
    if b_definition not in (SEGMENT, CALIPER):
        raise InputError(f"B can be measured as {SEGMENT!r} or {CALIPER!r}, not {b_definition!r}.")
    voxels = piece.voxels_per_slice()
    first = piece.slice_range[0]
    k = first + int(np.argmax(voxels))
    a_line, b_line, shape = _lines_on_slice(piece, k, ct, b_definition)
    heights = ct.slab_heights_mm[first:first + len(voxels)]
    share = voxels / voxels.max()
    weights = np.where(share > 0.75, 1.0, np.where(share >= 0.25, 0.5, 0.0))
    empty = Abc2(a_mm=_distance(a_line), b_mm=_distance(b_line), c_mm=float(heights.sum()),
                 c_kothari_mm=float(heights @ weights), slice_index=k, coniglobus_ml=0.0, kothari_ml=0.0, abc3_ml=0.0,
                 two_thirds_sh_ml=0.0, a_line_ras=a_line, b_line_ras=b_line, shape_class=shape,
                 expected_error_percent=EXPECTED_ERROR_PERCENT[shape],
                 largest_area_mm2=float(voxels.max() * ct.pixel_area_mm2))
    return replace(empty, **_volumes_ml(empty))


def sum_components(pieces: list[Abc2]) -> Abc2 | None:
    """Several hematomas: lengths, lines and shape of the first (largest) piece, mL summed over all of them."""
    if not pieces:
        return None
    summed = {name: sum(getattr(piece, name) for piece in pieces) for name in _volumes_ml(pieces[0])}
    return replace(pieces[0], pieces=len(pieces), **summed)


def abc2_with_axes(abc2: Abc2, a_mm: float | None = None, b_mm: float | None = None, c_mm: float | None = None,
                   c_kothari_mm: float | None = None) -> Abc2:
    """The same measurement with a corrected A, B or C; None keeps a value.

    Every volume follows: those of A and B all but 2/3 S h, which follows C as its height. Kothari's C is a weighted
    count of its own and changes only with c_kothari_mm. Other pieces in the sum keep their volumes; the lines keep
    their place. Correct the automatic measurement each time, not a corrected one, and "reset" is exact.
    Raises InputError when a length is not a positive number.
    """
    given = {"a_mm": a_mm, "b_mm": b_mm, "c_mm": c_mm, "c_kothari_mm": c_kothari_mm}
    lengths: dict[str, Any] = {name: float(value) for name, value in given.items() if value is not None}
    for name, value in lengths.items():
        if not np.isfinite(value) or value <= 0:
            raise InputError(f"{name[0].upper()} = {value} mm is not a length; enter a positive number of millimetres.")
    edited = replace(abc2, **lengths)
    before, after = _volumes_ml(abc2), _volumes_ml(edited)
    # A piece of its own keeps no remainder, so that mL and A B C / 2 agree to the last digit.
    others = {name: getattr(abc2, name) - before[name] if abc2.pieces > 1 else 0.0 for name in before}
    summed: dict[str, Any] = {name: others[name] + after[name] for name in after}
    return replace(edited, **summed)


def abc2_from_lines(abc2: Abc2, a_line_ras: tuple[Point, Point] | None = None,
                    b_line_ras: tuple[Point, Point] | None = None) -> Abc2:
    """The same measurement after the end points (RAS, mm) of A or B were dragged; None keeps a line.

    The clinician's lines are taken as drawn: B need not be perpendicular to A any more.
    Raises InputError when a line has no length.
    """
    given = {"a_line_ras": a_line_ras, "b_line_ras": b_line_ras}
    lines: dict[str, Any] = {name: tuple(_point(end) for end in line) for name, line in given.items()
                             if line is not None}
    lengths = {name[0] + "_mm": _distance(line) for name, line in lines.items()}
    return replace(abc2_with_axes(abc2, **lengths), **lines)


def _volumes_ml(abc2):
    """The four volumes of one piece from its lengths and largest area."""
    product_ml = abc2.a_mm * abc2.b_mm / 1000
    return {"coniglobus_ml": product_ml * abc2.c_mm / 2, "kothari_ml": product_ml * abc2.c_kothari_mm / 2,
            "abc3_ml": product_ml * abc2.c_mm / 3, "two_thirds_sh_ml": abc2.largest_area_mm2 * abc2.c_mm / 1500}


def _lines_on_slice(piece, k, ct, b_definition):
    """Both lines in RAS and the shape class, from the pixels of the piece on slice k."""
    runs = piece.runs.take(piece.runs.k == k)
    first = np.array([runs.j[0], runs.i0.min()])
    rectangles = np.stack([runs.j - first[0], runs.i0 - first[1], runs.i1 - first[1]], 1).astype(np.int32)
    pixel_mm = ct.pixel_spacing_mm[1], ct.pixel_spacing_mm[0]  # (x along columns i, y along rows j)
    segments, shape = _lines_and_shape(rectangles.tobytes(), pixel_mm, b_definition)
    kji = np.empty((2, 2, 3))
    kji[..., 0] = k
    kji[..., 1:] = segments[..., ::-1] + first - 0.5
    a_line, b_line = ct.voxel_to_ras(kji).tolist()
    return tuple(map(tuple, a_line)), tuple(map(tuple, b_line)), shape


@lru_cache(maxsize=4096)
def _lines_and_shape(rectangles: bytes, pixel_mm, b_definition):
    """A and B (2 lines, 2 ends, xy) in corner coordinates and the shape class; int32 rectangles: see plane_geometry.

    Remembered, because an edit changes one piece and leaves the others, and specks look alike.
    """
    corners = np.frombuffer(rectangles, np.int32).reshape(-1, 3)
    hull = convex_hull(outer_corners(corners))
    a = longest_diameter(hull, pixel_mm)
    b = widest_chord(corners, a, pixel_mm) if b_definition == SEGMENT else caliper_width(hull, a, pixel_mm)
    segments = np.stack([a, b])
    segments.flags.writeable = False
    return segments, shape_class(corners)


def forget_lines() -> None:
    """Forget the remembered lines, to measure how long a new case takes."""
    _lines_and_shape.cache_clear()


def _point(values):
    return tuple(float(value) for value in values)


def _distance(line):
    return float(np.linalg.norm(np.subtract(line[1], line[0])))
