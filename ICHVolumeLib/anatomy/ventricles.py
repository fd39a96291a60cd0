"""The lateral ventricles: fluid, and blood marked as IVH, along a course through the head in MNI-like millimetres.

The course of the horns, the body and the atrium is drawn from published coordinates (Talairach and Tournoux 1988 and
the MNI152 brain); it follows the midline to the side that a bleed has pushed it. Fluid is what is darker than halfway
between the scan's own brain and its own fluid; pieces that lie mostly beside the course (sulci, cisterns, old infarcts)
do not count.
"""

import numpy as np

from ..core.ct_volume import CTVolume
from ..core.labels import ICH, IVH
from ..imaging.components import connected_components
from ..imaging.morphology import dilated, opened
from .head_frame import HeadFrame
from .midline import Path, brain_median_hu
from .midplane import Midplane, smoothed_part

RIGHT, LEFT = 1, 2
COURSE_MM = {  # |x|, y, z of points along each part, and how far its wall may lie from them
    "frontal horn": (((13, 31, 4), (12, 20, 10), (9, 4, 16)), 15.0),
    "body": (((9, 4, 16), (13, -12, 22), (19, -28, 22)), 15.0),
    "atrium": (((19, -28, 22), (27, -42, 12), (30, -38, 2)), 18.0),
    "occipital horn": (((27, -42, 12), (24, -58, 9), (20, -76, 6)), 14.0),
    "temporal horn": (((30, -38, 2), (34, -26, -10), (31, -12, -18)), 11.0),
}
CORE_SHARE = 0.9  # of that distance: most of a ventricle lies nearer
FARTHEST = 1.7  # times that distance: the end of a piece that begins nearer, where the frame does not fit well
LEAST_IN_CORE = 0.25  # share of a piece in its slice
DARK_SHARE, LEAST_DARK = 0.3, 0.4  # of the way from fluid to the wall; share of a piece that must be so dark
OPENING_MM = 0.9  # thinner bridges do not join a piece to its neighbour
THIRD_MM = ((-30.0, 6.0), (-15.0, 13.0), 5.0)  # y, z, |x| of the third ventricle, which is not a lateral one
FLUID_BELOW_BRAIN_HU = 24.0  # usual
MOST_ABOVE_USUAL_HU = 4.0
WHITE_BELOW_BRAIN_HU = 3.0  # the wall is white matter
SURE_FLUID_HU = 17.0  # below the brain's median
PUSH_Y_MM, PUSH_FADE_MM = (-25.0, 28.0), 30.0  # the midline is pushed here, and less and less beyond
MIDDLE_HEIGHT_MM, MIDDLE_FADE_MM = 12.0, 25.0


def lateral_ventricles(ct: CTVolume, mask: np.ndarray | None, frame: HeadFrame, midplane: Midplane,
                       paths: list[Path]) -> tuple[np.ndarray, float]:
    """uint8 (slices, rows, columns): RIGHT and LEFT, the patient's, fluid and blood marked as IVH; and the share of it
    that lies where the course leads one to expect it.

    paths: of the midline, as follow_midline gives them; empty where it is not known to be pushed.
    """
    brain_hu = brain_median_hu(ct, midplane)
    places = _Places(ct, frame, midplane, paths)
    wall_hu = brain_hu - WHITE_BELOW_BRAIN_HU
    slices = {k: _Slice(ct, mask, k, area, places, (_usual(brain_hu) + MOST_ABOVE_USUAL_HU + wall_hu) / 2)
              for k, area in places.areas.items()}
    fluid_hu = _own_fluid_hu(slices.values(), brain_hu)
    found, on_course = np.zeros(ct.hu.shape, np.uint8), 0
    for k, one in slices.items():
        area, blood = one.area, one.blood
        inside = ((one.hu < (fluid_hu + wall_hu) / 2) & ~one.clot) | blood
        hu = np.where(blood, np.float32(fluid_hu), one.hu)
        sides, near = np.where(inside, one.sides, 0), np.where(inside, one.near, np.inf)
        reached = near <= FARTHEST
        fluid = reached & dilated(opened(reached, OPENING_MM, ct.pixel_spacing_mm), (1, 1))
        kept = _on_the_course(fluid, near, hu, fluid_hu + DARK_SHARE * (wall_hu - fluid_hu))
        found[k][area] = np.where(kept, sides, 0)
        on_course += np.count_nonzero(kept & (near <= 1))
    return found, float(on_course / max(np.count_nonzero(found), 1))


class _Slice:
    """One slice within the area where ventricles may lie, arrays (rows, columns) of it. hu: without noise; blood, clot:
    marked as IVH, as ICH; sides: RIGHT or LEFT, near: distance from the course as a share of what is allowed, where hu
    is below darkest_wall_hu or blood is marked."""

    def __init__(self, ct, mask, k, area, places, darkest_wall_hu):
        self.area = area
        self.hu = smoothed_part(ct, k, area)
        marked = np.zeros(self.hu.shape, np.uint8) if mask is None else mask[k][area]
        self.blood, self.clot = marked == IVH.value, marked == ICH.value
        rows, columns = np.nonzero((self.hu < darkest_wall_hu) | self.blood)
        x, nearness = places.at(k, rows + area[0].start, columns + area[1].start)
        self.sides, self.near = np.zeros(self.hu.shape, np.uint8), np.full(self.hu.shape, np.inf, np.float32)
        self.sides[rows, columns], self.near[rows, columns] = np.where(x > 0, RIGHT, LEFT), nearness


class _Places:
    """Voxels of the middle of the head in MNI-like millimetres, counted from the pushed midline."""

    def __init__(self, ct, frame, midplane, paths):
        self._ct, self._frame, self._midplane = ct, frame, midplane
        self._scale = float(np.linalg.norm(frame.ras_to_atlas[0, :3]))
        heights = {path.line.plane.k: self._middle_height(path.line.plane.k) for path in paths}
        self._pushed = [(heights[path.line.plane.k], path.largest[0]) for path in paths]
        box = np.array([[x, y, z] for x in (-55, 55) for y in (-95, 55) for z in (-28, 42)], float)
        corners = frame.to_ras(box)
        self.areas = {}
        away = (ct.slice_origins_ras - corners.mean(0)) @ ct.slice_normal_ras
        reach = np.ptp(corners @ ct.slice_normal_ras) / 2
        for k in np.flatnonzero(np.abs(away) <= reach):
            flat = (corners - ct.slice_origins_ras[k]) @ np.linalg.pinv(ct.ijk_to_ras[:3, :2]).T
            (i0, j0), (i1, j1) = np.floor(flat.min(0)).astype(int), np.ceil(flat.max(0)).astype(int)
            rows, columns = ct.hu.shape[1:]
            self.areas[int(k)] = slice(max(j0, 0), min(j1, rows)), slice(max(i0, 0), min(i1, columns))

    def _middle_height(self, k):
        return float(self._frame.to_atlas(self._midplane.lines[k].plane.middle_ras)[2])

    def at(self, k, rows, columns):
        """(x from the pushed midline, right positive; distance from the course as a share of what is allowed)."""
        ras = self._ct.slice_origins_ras[k] + columns[:, None] * self._ct.ijk_to_ras[:3, 0] \
            + rows[:, None] * self._ct.ijk_to_ras[:3, 1]
        _, y, z = self._frame.to_atlas(ras).T
        x = (ras @ self._midplane.normal_ras - self._midplane.offset_mm) * self._scale
        x = x - self._push(y, z)
        nearness = np.full(len(x), np.inf)
        points = np.stack([np.abs(x), y, z]).astype(np.float32)
        for course, reach in COURSE_MM.values():
            for start, end in zip(course, course[1:], strict=False):
                away = _from_line(points, np.array(start, float), np.array(end, float))
                nearness = np.minimum(nearness, away / reach)
        (y0, y1), (z0, z1), half = THIRD_MM
        third = (np.abs(x) < half) & (y > y0) & (y < y1) & (z > z0) & (z < z1)
        return x, np.where(third, np.inf, nearness)

    def _push(self, y, z):
        """mm that the midline is pushed, at places of the head."""
        if not self._pushed:
            return 0.0
        heights, pushed = np.array(self._pushed).T
        order = np.argsort(heights)
        amount = np.interp(z, heights[order], pushed[order]) * self._scale
        beyond = np.maximum(0, np.maximum(heights.min() - z, z - heights.max()))
        aside = np.maximum(0, np.maximum(PUSH_Y_MM[0] - y, y - PUSH_Y_MM[1]))
        return amount * np.exp(-(beyond / MIDDLE_FADE_MM) ** 2) * np.clip(1 - aside / PUSH_FADE_MM, 0, 1)


def _from_line(points, start, end):
    """(n,) mm of points (3, n) from a straight piece of the course."""
    along = (end - start).astype(np.float32)
    away = points - start.astype(np.float32)[:, None]
    share = np.clip((along / (along @ along)) @ away, 0, 1)
    away -= along[:, None] * share
    return np.sqrt(np.einsum("ij,ij->j", away, away))


def _own_fluid_hu(slices, brain_hu):
    """The scan's own fluid: the median of what is surely fluid near the course; the usual one where there is little."""
    values = [one.hu[(one.hu < brain_hu - SURE_FLUID_HU) & (one.near <= CORE_SHARE)] for one in slices]
    values, usual = np.concatenate(values) if values else np.zeros(0), _usual(brain_hu)
    return float(np.clip(np.median(values), usual - 6, usual + MOST_ABOVE_USUAL_HU)) if len(values) > 200 else usual


def _usual(brain_hu):
    return brain_hu - FLUID_BELOW_BRAIN_HU


def _on_the_course(fluid, nearness, hu, dark_hu):
    """One slice's pieces that lie mostly on the course and are as dark as fluid, as an old infarct hardly is."""
    pieces, count = connected_components(fluid, fully_connected=False)
    numbers = pieces[fluid]
    sizes = np.bincount(numbers, minlength=count + 1)
    in_core = np.bincount(numbers, nearness[fluid] <= CORE_SHARE, minlength=count + 1)
    dark = np.bincount(numbers, hu[fluid] <= dark_hu, minlength=count + 1)
    kept = (in_core >= LEAST_IN_CORE * sizes) & (dark >= LEAST_DARK * sizes)
    kept[0] = False
    return kept[pieces]
