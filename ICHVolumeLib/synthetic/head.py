"""A head made by code: skin, fat, skull, brain with grey and white matter, sulci, ventricles, calcifications.

Coordinates in mm (fields.Grid): x to the patient's left, y to the back, z up, origin between the foramina of Monro.
Sizes are those of an adult head; attenuation as read off clinical CT (CSF 4-10, white 25-30, grey 34-40 HU).
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from .fields import SliceGrid, Waves, random_waves

AIR_HU, FAT_HU, SKIN_HU, MUSCLE_HU, BONE_HU = -1000, -95, 45, 55, 950
CSF_HU, WHITE_HU, GREY_HU, FALX_HU, CALCIFICATION_HU = 6, 28, 37, 46, 190
MOST_WARP_MM = 10.0  # 2 mm times the highest sum of the 12 waves of a warp

# name: (|x|, y, z) of the centre and radii in mm; each lies on both sides unless x is 0
VENTRICLES = {
    "frontal horn": ((8, -26, 9), (4.5, 13, 7)), "body": ((10, -4, 16), (6, 20, 6)),
    "atrium": ((21, 30, 9), (7, 11, 9)), "occipital horn": ((20, 46, 5), (4.5, 13, 6)),
    "temporal horn": ((28, 8, -14), (2.5, 14, 3)), "third": ((0, 2, -2), (2.2, 13, 10)),
    "fourth": ((0, 36, -32), (7, 5, 9)),
}
# name: as above, then a share of Anatomy.nuclei_grey and the width of the edge in mm
NUCLEI = {
    "caudate": ((14, -18, 9), (5, 12, 7), 1.0, 2.0), "putamen": ((25, -6, 2), (6, 16, 10), 1.0, 2.0),
    "thalamus": ((10, 11, 4), (8, 14, 10), 0.8, 3.0),
}
SITES_MM = {  # where spontaneous hemorrhages arise: (|x|, y, z)
    "putamen": (26, -4, 2), "thalamus": (13, 11, 4), "lobe": (36, 30, 24), "pons": (0, 24, -32),
    "cerebellum": (22, 48, -38),
}


@dataclass(frozen=True)
class Anatomy:
    """One person: skull half-axes (mm), ventricle and sulcus widening (1 = young adult), fields of variation.

    nuclei_grey: how far the putamen stands between white matter (0) and cortex (1); 0.78 in C. Rorden's CT template
    (white matter 16.5, putamen 31, thalamus 28.5, cortex 35 of its units), for white fibres run through the nuclei.
    """

    half_axes_mm: tuple[float, float, float]
    ventricle_scale: float
    sulcus_width: float
    fold: Waves
    texture: Waves
    warp: tuple[Waves, Waves, Waves]
    calcified: bool
    nuclei_grey: float


def random_anatomy(rng: np.random.Generator, age_years: float) -> Anatomy:
    """A person of about that age: older heads have wider ventricles and sulci, and calcified plexus."""
    ageing = np.clip((age_years - 30) / 50, 0, 1.2)
    half_axes = tuple(np.array([66.0, 84.0, 74.0]) * rng.normal(1, 0.03, 3) * rng.normal(1, 0.025))
    return Anatomy(half_axes, float(0.95 + 0.5 * ageing * rng.uniform(0.5, 1.4)), float(0.16 + 0.16 * ageing),
                   random_waves(rng, (11, 24), 60), random_waves(rng, (6, 40), 50),
                   tuple(random_waves(rng, (50, 120), 12) for _ in range(3)), bool(rng.random() < 0.4 + 0.4 * ageing),
                   float(rng.spawn(1)[0].uniform(0.6, 0.95)))  # leaves what rng gives next as it was


def head_hu(anatomy: Anatomy, grid: SliceGrid, *, slab_mm, samples: int = 2, threads: int = 1):
    """(hu float32, ventricle share float32, brain share float32), each (slices, rows, columns), no noise.

    slab_mm: height of the slabs, one number or one per slice. Every slice is the mean of `samples` levels
    across its slab (partial volume). threads: that make slices; the head is the same with any number.
    """
    slabs = np.broadcast_to(np.asarray(slab_mm, float), (len(grid.z_mm),))
    total = [np.zeros(grid.shape, np.float32) for _ in range(3)]
    offsets = (np.arange(samples) + 0.5) / samples - 0.5

    def make(k: int) -> None:
        one = grid.crop(slice(k, k + 1), slice(None), slice(None))
        for offset in offsets:
            level = SliceGrid(one.x_mm, one.y_mm, np.asarray(one.z_mm) + offset * slabs[k], one.y_shift_mm)
            for sum_, part in zip(total, _level(anatomy, level), strict=True):
                sum_[k] += part[0]

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(make, range(len(grid.z_mm))))
    return tuple(sum_ / samples for sum_ in total)


def _level(anatomy: Anatomy, grid: SliceGrid):
    """HU, ventricle share and brain share of infinitely thin slices."""
    x, y, z = grid.axes()
    wx, wy, wz = (wave.on(grid) * np.float32(2.0) for wave in anatomy.warp)
    a, b, c = (np.float32(v) for v in anatomy.half_axes_mm)
    c = np.where(z < 0, c * np.float32(1.5), c)
    radius = np.sqrt(((x + 0.5 * wx) / a) ** 2 + ((y + 0.5 * wy) / b) ** 2 + (z / c) ** 2)
    outside_mm = (radius - 1) * (a + b) / 2  # about the distance to the inner table, negative inside
    behind = np.clip((y + 8 - 0.3 * np.abs(x)) / 18, 0, 1)  # the petrous bone parts middle and posterior fossa
    floor_mm = -24 - 28 * behind - np.float32(0.12) * np.abs(x) + wz * 2
    below_mm = floor_mm - z  # > 0 under the skull base
    fold = anatomy.fold.on(grid)
    brain_hu, ventricle = _brain(anatomy, grid, outside_mm, fold, (wx, wy, wz))
    hu = _soft(brain_hu, np.float32(BONE_HU) + 150 * fold, _ramp(np.maximum(outside_mm, below_mm)))
    face = FAT_HU + (MUSCLE_HU - FAT_HU) * np.clip(1.5 * np.abs(fold) - 0.4, 0, 1)  # muscles between fat
    hu = _soft(hu, face + 3 * fold, _ramp(below_mm - 9) * _ramp(-outside_mm - 1))
    sinus = (np.abs(x) < 14) & (y < -30) & (below_mm > 12)
    hu = np.where(sinus & (fold > -0.8), np.float32(AIR_HU), hu)
    hu = _soft(hu, np.float32(FAT_HU), _ramp(outside_mm - 7))
    hu = _soft(hu, np.float32(SKIN_HU), _ramp(outside_mm - 12))
    hu = _soft(hu, np.float32(AIR_HU), _ramp(outside_mm - 14.5))
    inside = 1 - _ramp(np.maximum(outside_mm, below_mm))
    return hu, ventricle * inside, inside


def _brain(anatomy, grid, outside_mm, fold, warp):
    """HU inside the skull, and the share of ventricle."""
    x, y, z = grid.axes()
    wx, wy, wz = warp
    depth_mm = -outside_mm
    cortex = np.clip((9 - depth_mm) / 3 + 2.2 * (1 - np.abs(fold) / 0.8), 0, 1) * np.clip((26 - depth_mm) / 6, 0, 1)
    grey = np.clip(cortex, 0, 1)
    for center, radii, share, edge_mm in NUCLEI.values():
        nucleus = np.zeros(grid.shape, np.float32)
        _add_blob(nucleus, grid, warp, center, radii, edge_mm)
        np.maximum(grey, share * anatomy.nuclei_grey * nucleus, out=grey)
    cerebellum = np.clip((-20 - z + 0.2 * (y - 20)) / 4, 0, 1) * (y > 12)
    grey = np.maximum(grey, cerebellum * np.clip(0.55 + 0.3 * fold, 0, 1))
    hu = WHITE_HU + (GREY_HU - WHITE_HU) * grey + 0.8 * anatomy.texture.on(grid)
    sulcus = np.clip((anatomy.sulcus_width - np.abs(fold)) / 0.12, 0, 1) * np.clip((20 - depth_mm) / 6, 0, 1)
    rim = np.clip((1.0 + 8 * anatomy.sulcus_width - depth_mm) / 1.0, 0, 1)
    fissure = np.clip((0.8 + 4 * anatomy.sulcus_width - np.abs(x + wx)) / 0.8, 0, 1) * ((np.abs(y) > 28) | (z > 24))
    csf = np.maximum(np.maximum(sulcus * (z > -18), rim), fissure * (z > -14))
    ventricle = np.zeros(grid.shape, np.float32)
    for name, (center, radii) in VENTRICLES.items():
        scale = anatomy.ventricle_scale if name != "fourth" else 1.0
        _add_blob(ventricle, grid, warp, center, np.array(radii) * scale)
    csf = np.maximum(csf, ventricle)
    hu = hu + (CSF_HU - hu) * csf
    falx = np.clip(1.2 - np.abs(x + wx), 0, 1) * ((np.abs(y) > 34) | (z > 34)) * (z > -10)
    hu = hu + (FALX_HU - hu) * falx * 0.9
    if anatomy.calcified:
        for center, radii in (((20, 29, 9), (2.2, 3.5, 2.5)), ((0, 24, 3), (2.2, 2.2, 2.2))):
            plexus = np.zeros(grid.shape, np.float32)
            _add_blob(plexus, grid, warp, center, radii)
            hu = hu + (CALCIFICATION_HU - hu) * plexus
    return hu, ventricle


def _add_blob(share, grid, warp, center, radii, edge_mm: float = 1.0) -> None:
    """Raise `share` to that filled by an ellipsoid on both sides (or on the midline), its edge `edge_mm` wide."""
    x, y, z = grid.axes()
    reach = 1 + edge_mm / 2 / min(radii)
    columns = _near(np.abs(x[0, 0]) - center[0], radii[0] * reach)
    rows = _near(y[:, :, 0] - center[1], radii[1] * reach)
    if columns is None or rows is None:
        return
    part = (slice(None), rows, columns)
    wx, wy, wz = (one[part] for one in warp)
    above = ((z + wz - center[2]) / radii[2]) ** 2
    if above.min(initial=np.inf) > reach**2:  # a slice that the ellipsoid does not reach
        return
    scaled = above + ((np.abs(x[:, :, columns] + wx) - center[0]) / radii[0]) ** 2 \
        + ((y[:, rows] + wy - center[1]) / radii[1]) ** 2
    filled = np.clip(0.5 - (np.sqrt(scaled) - 1) * min(radii) / edge_mm, 0, 1).astype(np.float32)
    np.maximum(share[part], filled, out=share[part])


def _near(distance_mm, reach_mm) -> slice | None:
    """Along the last axis, where a point may come within reach when it is warped."""
    near = np.flatnonzero((np.abs(distance_mm) <= reach_mm + MOST_WARP_MM).reshape(-1, distance_mm.shape[-1]).any(0))
    return slice(int(near[0]), int(near[-1]) + 1) if len(near) else None


def _ramp(distance_mm, width_mm: float = 0.8):
    """0 below -width/2, 1 above +width/2."""
    return np.clip(distance_mm / width_mm + 0.5, 0, 1).astype(np.float32)


def _soft(under, over, share):
    return under + (over - under) * share
