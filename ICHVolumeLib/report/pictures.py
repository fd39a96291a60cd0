"""All pictures of one report, ready to be put into the page."""

from dataclasses import dataclass

import numpy as np

from ..core.ct_volume import CTVolume
from ..core.labels import OUTSIDE_BRAIN
from ..core.result import Result
from .charts import NARROW_PX, WIDE_PX, area_chart, volume_ruler
from .picture3d import picture_of_bleed
from .slice_view import SliceView, key_slices, largest_slice

MAX_SMALL_SLICES = 8
SMALL_SLICE_PIXELS = 260


@dataclass(frozen=True)
class Pictures:
    """SVG. large_slice: the one shown big (k) or None; small: (k, svg)."""

    large_slice: int | None
    large: str
    small: list[tuple[int, str]]
    in_3d: list[str]
    in_3d_caption: str
    ruler: str
    midline: str
    areas: str


def make_pictures(ct: CTVolume, mask: np.ndarray, result: Result, picture=None, outside=None) -> Pictures:
    """picture: (SVGs or None, caption), in place of the views in 3D drawn here; outside: Segmentation.outside."""
    outlined = mask if outside is None else np.where(outside > 0, np.uint8(OUTSIDE_BRAIN.value), mask)
    view, abc2 = SliceView(ct, outlined), result.abc2
    largest = abc2.slice_index if abc2 else largest_slice(mask)
    lines = abc2 and (("a", f"A {abc2.a_mm:.1f} mm", abc2.a_line_ras), ("b", f"B {abc2.b_mm:.1f} mm", abc2.b_line_ras))
    shown = len(ct.hu) // 2 if largest is None else largest
    thin = max(1, max(ct.hu.shape[1:]) // SMALL_SLICE_PIXELS)
    small = key_slices(ct, outlined, largest, MAX_SMALL_SLICES)
    if result.found and picture is None:
        picture = picture_of_bleed(ct, outlined)
    views, caption = picture or ((), "")
    return Pictures(
        large_slice=largest,
        large=view.svg(shown, lines=lines or (), letters=True, with_scale=True, title=f"slice {shown + 1}"),
        small=[(k, view.svg(k, thin=thin, title=f"slice {k + 1}")) for k in small],
        in_3d=list(views or ()),
        in_3d_caption=caption,
        midline=_midline(view, result),
        ruler=_for_both(lambda width: volume_ruler(result, width)) if abc2 else "",
        areas=_for_both(lambda width: area_chart(ct, mask, largest, width)) if result.found else "",
    )


def _for_both(draw) -> str:
    """A chart as wide as a page, and one as wide as a phone; the style sheet shows one of them."""
    return f'<div class="on-page">{draw(WIDE_PX)}</div><div class="on-phone">{draw(NARROW_PX)}</div>'


def _midline(view, result) -> str:
    """The slice of the largest shift, with the ideal line and the shift; empty where it was not measured."""
    shift = result.midline_shift
    if shift is None or shift.shift_mm is None or shift.slice_index is None:
        return ""
    lines = [("ideal", "midline", shift.ideal_line_ras)]
    if shift.direction:
        lines.append(("shift", f"{shift.shift_mm:.1f} mm", (shift.foot_ras, shift.point_ras)))
    return view.svg(shift.slice_index, lines=lines, letters=True, with_scale=True,
                    title=f"slice {shift.slice_index + 1}, midline shift")
