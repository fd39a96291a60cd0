"""A CT slice as people read it: radiological orientation, brain window, mask outline and the A and B lines.

The picture is an SVG in mm with the slice as an embedded PNG, so lines stay sharp at any size and in print.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ..core.ct_volume import CTVolume
from ..core.labels import LABELS, OUTSIDE_BRAIN
from ..imaging.components import largest_component
from .label_places import place_labels
from .png import data_uri, encode_png
from .scale_bar import scale_bar

WINDOW_HU = (0.0, 80.0)
BONE_HU = 200
COARSE = 4  # every n-th pixel is enough to see where the head is
MARGIN_MM = 11.0  # of scalp around the bone
LINE_TEXT_MM = (36.0, 9.0)  # what "A 123.4 mm" takes
EDGE_TEXT_MM = 9.0  # the letters at the edges, and the scale bar
DENSE_HU = 100  # bright in the brain window, as the skull is

# Screen directions per kind of slice, by the main direction of its normal: what lies right and what lies down.
_SCREEN = {2: ("L", "P"), 1: ("L", "I"), 0: ("P", "I")}
_RAS = {"R": (1, 0, 0), "L": (-1, 0, 0), "A": (0, 1, 0), "P": (0, -1, 0), "S": (0, 0, 1), "I": (0, 0, -1)}
_OPPOSITE = dict(zip("RLAPSI", "LRPAIS", strict=True))


@dataclass(frozen=True, eq=False)
class SliceView:
    """How slices of one scan and its mask (which may hold OUTSIDE_BRAIN, too) come onto the screen; one crop for all,
    so that they compare."""

    ct: CTVolume
    mask: np.ndarray
    window_hu: tuple[float, float] = field(default=WINDOW_HU)

    def svg(self, k: int, *, lines=(), with_scale=False, letters=False, thin=1, title="") -> str:
        """Slice k. lines: (css class, label, two RAS points); thin: keep every n-th pixel (small pictures)."""
        width, height = self._size_mm
        parts = [f'<svg class="slice" viewBox="0 0 {width:.2f} {height:.2f}" role="img" aria-label="{title}">',
                 f'<image width="{width:.2f}" height="{height:.2f}" preserveAspectRatio="none" '
                 f'href="{data_uri(encode_png(self._pixels(k, thin)))}"/>']
        parts += [self._outline(k, label) for label in (*LABELS, OUTSIDE_BRAIN)]
        if letters:
            parts.append(self._letters())
        parts += self._lines(k, lines)
        if with_scale:
            parts.append(scale_bar(width, height))
        return "".join((*parts, "</svg>"))

    def planes(self, k: int) -> tuple[np.ndarray, np.ndarray, tuple[float, float]]:
        """(grey uint8 (rows, columns), labels likewise, width and height of a pixel in mm) of slice k as on screen."""
        return self._pixels(k, 1), self._crop(self.mask[k]), self._pixel_mm

    @cached_property
    def directions(self) -> tuple[str, str]:
        """The letters of the right and the lower edge ("L", "P" for an axial slice)."""
        return _SCREEN[int(np.argmax(np.abs(self.ct.slice_normal_ras)))]

    @cached_property
    def _axes(self):
        """(transposed, mirrored, upside down): what makes an array slice (rows, columns) the screen's."""
        right, down = (np.array(_RAS[letter], float) for letter in self.directions)
        along_i, along_j = self.ct.ijk_to_ras[:3, 0], self.ct.ijk_to_ras[:3, 1]
        transposed = abs(along_j @ right) / np.linalg.norm(along_j) > abs(along_i @ right) / np.linalg.norm(along_i)
        if transposed:
            along_i, along_j = along_j, along_i
        return transposed, along_i @ right < 0, along_j @ down < 0

    def _turn(self, plane):
        transposed, mirrored, upside_down = self._axes
        plane = plane.T if transposed else plane
        return plane[::-1 if upside_down else 1, ::-1 if mirrored else 1]

    @cached_property
    def _pixel_mm(self):
        """Width and height of one screen pixel."""
        row_step, column_step = self.ct.pixel_spacing_mm
        return (row_step, column_step) if self._axes[0] else (column_step, row_step)

    @cached_property
    def _box(self):
        """(first row, end row, first column, end column) of the turned slices that hold the head and the mask."""
        shown = np.asarray((self.mask > 0).any(axis=0))
        # the largest piece of bone: the head without the head holder and the table
        shown[::COARSE, ::COARSE] |= largest_component(self.ct.hu[:, ::COARSE, ::COARSE] > BONE_HU).any(axis=0)
        shown = self._turn(shown)
        if not shown.any():
            return 0, shown.shape[0], 0, shown.shape[1]
        box = []
        for axis, step in ((1, self._pixel_mm[1]), (0, self._pixel_mm[0])):
            where, margin = np.flatnonzero(shown.any(axis=axis)), round(MARGIN_MM / step)
            box += [max(0, where[0] - margin), min(shown.shape[1 - axis], where[-1] + 1 + margin)]
        return tuple(int(edge) for edge in box)

    @cached_property
    def _size_mm(self):
        top, bottom, left, right = self._box
        return (right - left) * self._pixel_mm[0], (bottom - top) * self._pixel_mm[1]

    def _crop(self, plane):
        top, bottom, left, right = self._box
        return self._turn(plane)[top:bottom, left:right]

    def _pixels(self, k, thin):
        low, high = self.window_hu
        grey = np.clip((self._crop(self.ct.hu[k]).astype(np.float32) - low) * (255 / (high - low)), 0, 255)
        if thin > 1:
            rows, columns = (size // thin * thin for size in grey.shape)
            grey = grey[:rows, :columns].reshape(rows // thin, thin, columns // thin, thin).mean(axis=(1, 3))
        return grey.astype(np.uint8)

    def _outline(self, k, label):
        """The label's border along pixel edges, as one path of runs."""
        inside = np.pad(self._crop(self.mask[k]) == label.value, 1)
        if not inside.any():
            return ""
        width, height = self._pixel_mm
        commands = [f"M{start * width:.2f} {row * height:.2f}h{length * width:.2f}"
                    for row, start, length in _runs(inside[1:, 1:-1] != inside[:-1, 1:-1])]
        commands += [f"M{column * width:.2f} {start * height:.2f}v{length * height:.2f}"
                     for column, start, length in _runs((inside[1:-1, 1:] != inside[1:-1, :-1]).T)]
        return f'<path class="{label.name.split()[0].lower()}" d="{"".join(commands)}"/>'

    def _to_screen(self, k, ras):
        """RAS mm to SVG mm on slice k."""
        in_plane = np.linalg.pinv(self.ct.ijk_to_ras[:3, :2])
        i, j = in_plane @ (np.asarray(ras, float) - self.ct.slice_origins_ras[k])
        rows, columns = self.ct.hu.shape[1:]
        transposed, mirrored, upside_down = self._axes
        x, y, columns, rows = (j, i, rows, columns) if transposed else (i, j, columns, rows)
        x, y = columns - 1 - x if mirrored else x, rows - 1 - y if upside_down else y
        top, _, left, _ = self._box
        return (x + 0.5 - left) * self._pixel_mm[0], (y + 0.5 - top) * self._pixel_mm[1]

    def _lines(self, k, lines):
        """Each on a dark edge, which shows on bright blood; what they are stands where neither skull nor blood is."""
        if not lines:
            return []
        ends = [[self._to_screen(k, point) for point in points] for _, _, points in lines]
        places = place_labels(self._busy(k, ends), self._pixel_mm, LINE_TEXT_MM, ends)
        drawn = []
        for (name, words, _), ((x1, y1), (x2, y2)), (x, y) in zip(lines, ends, places, strict=True):
            path = f'<path d="M{x1:.2f} {y1:.2f}L{x2:.2f} {y2:.2f}"/>'
            drawn.append(f'<g class="axis {name}">{path}{path}'
                         f'<circle cx="{x1:.2f}" cy="{y1:.2f}" r="1.4"/><circle cx="{x2:.2f}" cy="{y2:.2f}" r="1.4"/>'
                         f'<text x="{x:.2f}" y="{y + 2.1:.2f}" text-anchor="middle">{words}</text></g>')
        return drawn

    def _busy(self, k, lines):
        """Screen pixels where no text should stand: skull, blood, lines, and the letters at the edges."""
        busy = self._crop((self.ct.hu[k] > DENSE_HU) | (self.mask[k] > 0))
        rows, columns = busy.shape
        for start, end in lines:
            x, y = (np.linspace(start, end, rows + columns) / self._pixel_mm).astype(int).T
            busy[y.clip(0, rows - 1), x.clip(0, columns - 1)] = True
        across, down = (round(EDGE_TEXT_MM / size) for size in self._pixel_mm)
        edge = np.ones_like(busy)
        edge[down:max(down, rows - down), across:max(across, columns - across)] = False
        return busy | edge

    def _letters(self):
        (width, height), (right, down) = self._size_mm, self.directions
        places = ((width - 3, height / 2, "end", right), (3, height / 2, "start", _OPPOSITE[right]),
                  (width / 2, 7, "middle", _OPPOSITE[down]), (width / 2, height - 3, "middle", down))
        return "".join(f'<text class="edge" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{letter}</text>'
                       for x, y, anchor, letter in places)


def _runs(edges: np.ndarray) -> list[tuple[int, int, int]]:
    """(line, start, length) of every run of True in the lines of a 2D array."""
    steps = np.diff(np.pad(edges, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    lines, starts = np.nonzero(steps == 1)
    ends = np.nonzero(steps == -1)[1]
    return [(int(line), int(start), int(end - start)) for line, start, end in zip(lines, starts, ends, strict=True)]


def key_slices(ct: CTVolume, mask: np.ndarray, largest: int | None, most: int = 8) -> list[int]:
    """Up to `most` slices, evenly spaced over the bleeding ones, with the largest; over the head when none bleeds."""
    shown = np.flatnonzero(mask.any(axis=(1, 2)))
    if not len(shown):
        bone = np.count_nonzero(ct.hu > BONE_HU, axis=(1, 2))
        shown = np.flatnonzero(bone >= 0.2 * bone.max())
    chosen = shown[np.unique(np.linspace(0, len(shown) - 1, min(most, len(shown))).round().astype(int))]
    if largest is not None and largest not in chosen:
        chosen[np.argmin(np.abs(chosen - largest))] = largest
    return sorted({int(k) for k in chosen})


def largest_slice(mask: np.ndarray) -> int | None:
    """The slice with the most marked voxels of any label, None when there are none; ties: the lowest."""
    areas = np.count_nonzero(mask, axis=(1, 2))
    return int(np.argmax(areas)) if areas.any() else None

