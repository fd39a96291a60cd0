"""The 3D picture of the report: the bleed inside a head of glass, from the front and from its side, as SVG.

Drawn by arithmetic alone, so that it needs no OpenGL: along parallel rays the first point of each body is found in a
coarse field of distances (shapes.py), and what the picture needs of it (whether there is one, which way it faces) comes
to the pixels by smooth interpolation. Parallel rays make the scale the same everywhere.
"""

from dataclasses import dataclass

import numpy as np

from ..core.ct_volume import CTVolume
from ..core.labels import LABELS, OUTSIDE_BRAIN
from .png import data_uri, encode_png
from .scale_bar import scale_bar
from .shapes import bleed_shapes, head_shapes, shapes_of

PIXEL_MM = 0.45
HEAD_RAY_MM, BLEED_RAY_MM = 3.0, 1.0
MOST_RAYS = 170  # along one edge; a large bleed is looked at more coarsely
MARGIN_MM = 12.0  # around the head, where the letters stand
SCALE_ROOM_MM = 7.0  # more below, for the scale bar

BACKGROUND = (0.047, 0.059, 0.075)
SKIN, SKULL = (0.46, 0.62, 0.78), (0.93, 0.95, 0.97)
LIGHT = np.array((0.0, 0.62, 0.785))  # right, up, towards the viewer: a mirrored head looks mirrored
HIGHLIGHT = LIGHT + (0, 0, 1)
VEIL = 0.55  # opacity of blood outside the brain: the bleed behind it is what the picture is about


@dataclass(frozen=True)
class View:
    """axes_ras: unit vectors to the right, up and towards the viewer; the letters right and left; and in words."""

    axes_ras: tuple[tuple[float, float, float], ...]
    right: str
    left: str
    words: str


FRONT = View(((-1, 0, 0), (0, 0, 1), (0, 1, 0)), "L", "R", "the front")
FROM_LEFT = View(((0, -1, 0), (0, 0, 1), (-1, 0, 0)), "P", "A", "the patient's left")
FROM_RIGHT = View(((0, 1, 0), (0, 0, 1), (1, 0, 0)), "A", "P", "the patient's right")


def picture_of_bleed(ct: CTVolume, mask: np.ndarray) -> tuple[list[str], str]:
    """(an SVG from the front and one from the bleed's side, on one scale; caption). mask: (slices, rows, columns) with
    ICH or IVH in it; OUTSIDE_BRAIN is drawn as a veil."""
    head, bleed = head_shapes(ct), bleed_shapes(ct, mask)
    veil = shapes_of(ct, mask, [OUTSIDE_BRAIN.value]) if (mask == OUTSIDE_BRAIN.value).any() else []
    views = FRONT, side_view(head[:1], bleed)
    frames = [frame_of((*head, *bleed, *veil), view) for view in views]
    width_mm, height_mm, _ = np.max([np.ptp(frame, axis=1) for frame in frames], axis=0)
    svgs = []
    for view, (right, up, towards) in zip(views, frames, strict=True):
        frame = np.stack([_widened(right, width_mm), _widened(up, height_mm) - (SCALE_ROOM_MM, 0), towards])
        svgs.append(_svg(view, frame, draw(view, frame, head, bleed, veil)))
    return svgs, f"Seen from {views[0].words} and from {views[1].words}, without perspective"


def _widened(span, size):
    return span.mean() + np.array((-size / 2, size / 2))


def side_view(head, bleed) -> View:
    """From the side of the head (shapes) on which most of the bleed lies."""
    inner, blood = (sum(_middle_ras(shape) for shape in shapes) for shapes in (head, bleed))
    return FROM_RIGHT if blood[0] / blood[3] > inner[0] / inner[3] else FROM_LEFT


def _middle_ras(shape):
    """(4,) sum of (R, A, S, 1) over the points inside; of an empty shape, over the whole grid."""
    inside = shape.inside_mm > 0
    kji = np.argwhere(inside if inside.any() else np.ones_like(inside))
    total = np.append(kji.sum(axis=0)[::-1], len(kji))
    return shape.index_to_ras @ total * abs(np.linalg.det(shape.index_to_ras[:3, :3]))


def frame_of(shapes, view: View, margin_mm: float = MARGIN_MM) -> np.ndarray:
    """(3, 2) mm along right, up and viewer: what holds every shape, with a margin."""
    ends = []
    for shape in shapes:
        inside = shape.inside_mm > 0
        k, j = np.nonzero(inside.any(axis=2))
        rows = inside[k, j]  # a body ends where its rows do
        for i in (rows.argmax(axis=1), rows.shape[1] - 1 - rows[:, ::-1].argmax(axis=1)):
            ends.append(np.stack([i, j, k, np.ones_like(k)], -1) @ (np.array(view.axes_ras) @ shape.index_to_ras[:3]).T)
    points = np.concatenate(ends)
    return np.stack((points.min(axis=0) - margin_mm, points.max(axis=0) + margin_mm), -1)


def draw(view: View, frame: np.ndarray, head, bleed, veil=(), pixel_mm: float = PIXEL_MM) -> np.ndarray:
    """float32 (rows, columns, 3), 0..1. head: shapes from without to within; bleed: one shape of each label; veil: at
    most one shape, of the blood outside the brain."""
    columns, rows = _centers(frame[0], pixel_mm), _centers(frame[1], pixel_mm)[::-1]
    picture = np.empty((len(rows), len(columns), 3), np.float32)
    picture[:] = BACKGROUND
    glasses = [(color, *_glass(shape, view, frame, columns, rows))
               for color, shape in zip((SKIN, SKULL), head, strict=True)]
    for color, far, _ in glasses:
        _lay(picture, color, far)
    for shapes, paint in ((bleed, _solid), *(((one, *bleed), _veil) for one in veil)):
        around = frame_of(shapes, view, 3 * BLEED_RAY_MM)
        window = _within(around[1], rows), _within(around[0], columns)
        _lay(picture[window], *paint(shapes, view, around, columns[window[1]], rows[window[0]]))
    for color, _, near in reversed(glasses):
        _lay(picture, color, near)
    return picture


def _lay(picture, color, opacity):
    picture += (np.asarray(color, np.float32) - picture) * opacity[..., None]


def _glass(shape, view, frame, columns, rows):
    """Opacity of the far and the near wall: nearly clear face-on and denser at the rim."""
    (field,), knots = _along_rays([shape], view, frame, HEAD_RAY_MM)
    to_pixels = _Spline(knots, columns, rows)
    cover = _cover(to_pixels(field.max(axis=0)), columns)
    _, up, near = map(to_pixels, _facing(field[::-1], _first(field[::-1])))
    far = to_pixels(_facing(field, _first(field))[2])
    light = np.maximum(up * LIGHT[1] + near * LIGHT[2], 0)
    return cover * (0.025 + 0.3 * _rim(far)), cover * (0.025 + 0.07 * light + 0.5 * _rim(near))


def _rim(towards):
    """0 face-on to 1 where a wall is seen from its edge."""
    grazing = 1 - np.abs(towards)
    return grazing * grazing * grazing


def _within(span, places):
    """The part of ascending or descending places that lies in the span."""
    inside = np.flatnonzero((places > span[0]) & (places < span[1]))
    return slice(inside[0], inside[-1] + 1)


def _solid(bleed, view, frame, columns, rows):
    """(colour, opacity) of every pixel."""
    fields, to_pixels = _from_the_viewer(bleed, view, frame, columns, rows)
    union = np.maximum.reduce(fields)
    first = _first(union)
    cover = _cover(to_pixels(union.max(axis=0)), columns)
    color = np.empty((*cover.shape, 3), np.float32)
    color[:] = LABELS[0].color
    if len(bleed) > 1:
        lead = to_pixels(_at(fields[1] - fields[0], first))
        _lay(color, LABELS[1].color, np.clip(lead / (columns[1] - columns[0]) + 0.5, 0, 1))
    return _lit(color, union, first, to_pixels), cover


def _veil(shapes, view, frame, columns, rows):
    """(colour, opacity) of the first shape, clear where another lies before it."""
    (field, *others), to_pixels = _from_the_viewer(shapes, view, frame, columns, rows)
    union = np.maximum.reduce(others)
    first, of_others = _first(field), _first(union)
    before = np.clip(to_pixels(np.subtract(*first) - np.subtract(*of_others)) + 0.5, 0, 1)
    hidden = before * _cover(to_pixels(union.max(axis=0)), columns)
    cover = _cover(to_pixels(field.max(axis=0)), columns)
    color = np.empty((*cover.shape, 3), np.float32)
    color[:] = OUTSIDE_BRAIN.color
    return _lit(color, field, first, to_pixels), VEIL * cover * (1 - hidden)


def _from_the_viewer(shapes, view, frame, columns, rows):
    """([mm inside along the rays, from the viewer on], from rays to pixels)."""
    pitch_mm = max(BLEED_RAY_MM, np.ptp(frame, axis=1).max() / MOST_RAYS)
    fields, knots = _along_rays(shapes, view, frame, pitch_mm)
    return [field[::-1] for field in fields], _Spline(knots, columns, rows)


def _lit(color, field, first, to_pixels):
    """The colours of a surface in the light."""
    normal = np.stack([to_pixels(part) for part in _facing(field, first)], -1)
    normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-6)
    diffuse = np.clip(normal @ LIGHT, 0, 1)
    shine = np.clip(normal @ (HIGHLIGHT / np.linalg.norm(HIGHLIGHT)), 0, 1) ** 30
    color *= (0.32 + 0.76 * diffuse)[..., None]
    color += 0.24 * shine[..., None].astype(np.float32)
    return color.clip(0, 1)


def _along_rays(shapes, view, frame, pitch_mm):
    """([mm inside (depth, up, right), depth from behind to the viewer], mm of the rays along right and up)."""
    import SimpleITK as sitk

    centers = [_centers(span, pitch_mm) for span in frame]
    fields = []
    for shape in shapes:
        to_index = np.linalg.inv(shape.index_to_ras) @ _rotation(view)
        transform = sitk.AffineTransform(3)
        transform.SetMatrix(to_index[:3, :3].ravel().tolist())
        transform.SetTranslation(to_index[:3, 3].tolist())
        fields.append(sitk.GetArrayFromImage(sitk.Resample(
            sitk.GetImageFromArray(shape.inside_mm), [len(center) for center in centers], transform, sitk.sitkLinear,
            [float(center[0]) for center in centers], [float(pitch_mm)] * 3, np.eye(3).ravel().tolist(),
            float(shape.inside_mm.min()))))
    return fields, centers[:2]


def _rotation(view):
    """4x4, mm along right, up and viewer to RAS mm."""
    matrix = np.eye(4)
    matrix[:3, :3] = np.array(view.axes_ras, float).T
    return matrix


def _first(field):
    """(place, share) along axis 0 where each ray enters the body: share of the way from the place before to it. Rays
    that miss it: where they come nearest, so that nothing jumps at the border."""
    inside = field > 0
    hits = inside.any(axis=0)
    place = np.where(hits, inside.argmax(axis=0), field.argmax(axis=0)).clip(1, len(field) - 2)
    here, before = _take(field, place), _take(field, place - 1)
    share = np.where(hits & (before < 0) & (here > 0), here / np.maximum(here - before, 1e-6), 0)
    return place, share.astype(np.float32)


def _take(field, place):
    return np.take_along_axis(field, place[None], axis=0)[0]


def _at(field, first):
    """Values of a field (depth, up, right) where the rays enter."""
    place, share = first
    return _take(field, place) * (1 - share) + _take(field, place - 1) * share


def _facing(field, first):
    """The outward unit normal along right, up and axis 0 backwards (towards who looks along axis 0)."""
    along_up, along_right = (np.roll(field, 1, axis) - np.roll(field, -1, axis) for axis in (1, 2))
    place, _ = first
    towards = _take(field, place + 1) - _take(field, place - 1)
    normal = np.stack([_at(along_right, first), _at(along_up, first), towards])
    return normal / np.maximum(np.linalg.norm(normal, axis=0), 1e-6)


def _cover(inside_mm, columns):
    """How much of a pixel lies inside an outline that is so many mm away."""
    return np.clip(inside_mm / (columns[1] - columns[0]) + 0.5, 0, 1)


def _centers(span, pitch_mm):
    count = max(4, int(np.ceil((span[1] - span[0]) / pitch_mm)))
    return (span[0] + span[1]) / 2 + (np.arange(count) - (count - 1) / 2) * pitch_mm


class _Spline:
    """From knots (right, up) to pixels by cubic B-splines, which show no edges between the knots."""

    def __init__(self, knots, columns, rows):
        self._across, self._down = _weights(knots[0], columns).T, _weights(knots[1], rows)

    def __call__(self, values):
        return self._down @ values.astype(np.float32) @ self._across


def _weights(knots, places):
    """(places, knots). Far from all knots: those of the nearest."""
    distance = np.abs(places.clip(knots[0], knots[-1])[:, None] - knots) / (knots[1] - knots[0])
    weights = np.where(distance < 1, 2 / 3 - distance**2 + distance**3 / 2, np.maximum(2 - distance, 0) ** 3 / 6)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def _svg(view, frame, picture):
    width, height = (np.ptp(frame[axis]) for axis in (0, 1))
    letters = ((width - 4, height / 2, "end", view.right), (4, height / 2, "start", view.left),
               (width / 2, 10, "middle", "S"), (width / 2, height - 4, "middle", "I"))
    return "".join((
        f'<svg class="view" viewBox="0 0 {width:.2f} {height:.2f}" role="img" '
        f'aria-label="The hematoma inside the head, seen from {view.words}">',
        f'<image width="{width:.2f}" height="{height:.2f}" preserveAspectRatio="none" '
        f'href="{data_uri(encode_png((picture * 255 + 0.5).astype(np.uint8)))}"/>',
        *(f'<text class="edge" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{letter}</text>'
          for x, y, anchor, letter in letters), scale_bar(width, height), "</svg>"))
