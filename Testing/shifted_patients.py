"""Made heads whose midline a bleed has pushed to one side by a known distance, with the mask of the ventricles.

The brain moves along x only, smoothly, most beside the bleed and not at all at the skull, as behind a stiff falx. Truth
is computed from the same formulas that draw the head, never read off the image.
"""

from dataclasses import dataclass, replace

import numpy as np

from ICHVolumeLib.anatomy.head_frame import HeadFrame
from ICHVolumeLib.core.ct_volume import CTVolume
from ICHVolumeLib.synthetic import lesions
from ICHVolumeLib.synthetic.fields import SliceGrid, Waves
from ICHVolumeLib.synthetic.head import CSF_HU, VENTRICLES, WHITE_HU, head_hu, random_anatomy
from ICHVolumeLib.synthetic.hematoma import random_shape
from ICHVolumeLib.synthetic.sample import PIXEL_MM, SIZE, _scan, _slice_positions

LATERAL = ("frontal horn", "body", "atrium", "occipital horn", "temporal horn")
SEPTUM_Y_MM, SEPTUM_Z_MM = (-34.0, 6.0), (2.0, 21.0)  # where the frontal horns and bodies lie beside each other
HORN_HALF_WIDTH_MM = 5.0  # of the frontal horn and the body of a young adult
BUMP_SD_MM = (26.0, 30.0, 26.0)
STRAIGHT = Waves(np.zeros((1, 3)), np.full(1, np.pi / 2))  # a field that is 0 everywhere


@dataclass(frozen=True, eq=False)
class ShiftedPatient:
    """true_shift_mm: signed, to the patient's left positive, of the slice where it is largest (slice_index).

    septum_mm: (slices,) signed, the largest of each slice, nan where the slice has no septum. lateral: uint8 like the
    scan, 1 right, 2 left lateral ventricle, blood in it included; lateral_ml: (right, left) from shares of voxels.
    frame: the true one, MNI-like.
    """

    ct: CTVolume
    mask: np.ndarray
    true_shift_mm: float
    slice_index: int
    septum_mm: np.ndarray
    lateral: np.ndarray
    lateral_ml: tuple[float, float]
    frame: HeadFrame


def shifted_patient(seed: int, push_mm: float, *, size: int = 256, tilt_deg: float = 0.0, uneven: bool = False,
                    straight: bool = False, bleed: bool = True, ivh: bool = False, slices: slice | None = None,
                    ventricles: float | tuple[float, float] | None = None, turn_deg: float = 0.0,
                    filled: tuple[str, ...] = (), marked: bool = True, holes: tuple[str, ...] = (),
                    third_closed: bool = False) -> ShiftedPatient:
    """A head pushed by push_mm at its middle, to the patient's left where positive.

    straight: a falx without the bends that made heads have; ventricles: their width, 1 of a young adult, or that of the
    right and of the left ones; turn_deg: how far the head is turned within the slices (of a scan without tilt).
    filled: of "right" and "left", whose lateral ventricle is full of blood, in the mask where marked; holes: likewise,
    where an old infarct as dark as fluid lies beside the frontal horn; third_closed: no third ventricle is seen.
    """
    if turn_deg and tilt_deg:
        raise ValueError("a turn within tilted slices would bend the head")
    rng = np.random.default_rng([seed, 25])
    z_mm, slab_mm = _slice_positions(uneven, overlapping=False)
    if slices is not None:
        z_mm, slab_mm = z_mm[slices], slab_mm[slices]
    axis = (np.arange(size) - (size - 1) / 2) * (PIXEL_MM * SIZE / size)
    grid = SliceGrid(axis, axis, z_mm, z_mm * np.tan(np.radians(tilt_deg)))
    age = float(rng.integers(40, 88))
    anatomy = random_anatomy(rng, age)
    if straight:
        anatomy = replace(anatomy, warp=(STRAIGHT, *anatomy.warp[1:]))
    widths = (anatomy.ventricle_scale,) * 2 if ventricles is None else np.broadcast_to(ventricles, 2)
    anatomy = replace(anatomy, ventricle_scale=float(max(widths)))
    side = -1.0 if push_mm > 0 else 1.0 if push_mm < 0 else float(rng.choice([-1, 1]))  # of the bleed, x
    hu, ventricle, brain, ivh_share = _unpushed(anatomy, grid, slab_mm, widths, filled, holes, third_closed)
    push = _push(anatomy, grid, push_mm, side)
    hu, ventricle, ivh_share = (_moved(one, push, grid) for one in (hu, ventricle, ivh_share))
    blood = {1: np.zeros(hu.shape, np.float32), 2: ivh_share * marked}
    if bleed:
        blood[1] = _bleed(rng, hu, brain, ventricle, grid, slab_mm, side, push_mm)
    if ivh:
        blood[2] += lesions.paint_ventricular_blood(rng, hu, ventricle, grid)
    turned = [_turned(one, turn_deg, fill) for one, fill in ((hu, -1000), (blood[1], 0), (blood[2], 0))]
    hu, blood = turned[0], {1: turned[1], 2: turned[2]}
    mask = np.where(blood[1] > 0.5, 1, np.where(blood[2] > 0.5, 2, 0)).astype(np.uint8)
    ct = _scan(rng, hu, grid, tilt_deg, age, float(np.median(slab_mm)), lambda *_: None)
    septum = _septum_mm(anatomy, grid, push_mm, side)
    k = int(np.nanargmax(np.abs(septum)))
    lateral, lateral_ml = _lateral(anatomy, grid, ventricle, push, ct)
    lateral = sum(value * (_turned((lateral == value).astype(np.float32), turn_deg, 0) > 0.5) for value in (1, 2))
    return ShiftedPatient(ct, mask, float(septum[k]), k, septum, lateral.astype(np.uint8), lateral_ml,
                          _true_frame(anatomy, tilt_deg, turn_deg))


def _unpushed(anatomy, grid, slab_mm, widths, filled, holes, third_closed):
    """(hu, share of ventricle, of brain, of a lateral ventricle's blood) of a head that nothing has pushed yet."""
    hu, ventricle, brain = head_hu(anatomy, grid, slab_mm=slab_mm)
    x, y, z = grid.axes()
    is_left = x + anatomy.warp[0].on(grid) * np.float32(2.0) > 0
    lateral, third = (_to_ventricle(anatomy, grid, x, names) for names in (LATERAL, ("third", "fourth")))
    third = third < lateral
    if min(widths) < max(widths):
        narrow = (is_left if widths[1] < widths[0] else ~is_left) & ~third
        share = _narrow_ventricle(anatomy, grid, slab_mm, widths)
        filled_up = hu + (WHITE_HU - hu) * ventricle
        hu = np.where(narrow, filled_up + (CSF_HU - filled_up) * share, hu)
        ventricle = np.where(narrow, share, ventricle)
    if third_closed:
        hu, ventricle = hu + (WHITE_HU - hu) * ventricle * third, ventricle * ~third
    for name in holes:
        apart = ((x - (31 if name == "left" else -31)) / 8) ** 2 + ((y + 22) / 15) ** 2 + ((z - 11) / 12) ** 2
        hu = hu + (CSF_HU - hu) * np.clip((1 - apart) * 4, 0, 1)
    share = np.zeros(hu.shape, np.float32)
    for name in filled:
        share += ventricle * ~third * (is_left if name == "left" else ~is_left)
    return (hu + (60 - hu) * share).astype(np.float32), ventricle, brain, share


def _narrow_ventricle(anatomy, grid, slab_mm, widths):
    """Share of ventricle with the narrower of two widths, its inner wall as near to the middle as the wider one's."""
    _, share, _ = head_hu(replace(anatomy, ventricle_scale=float(min(widths))), grid, slab_mm=slab_mm)
    inwards_mm = HORN_HALF_WIDTH_MM * (max(widths) - min(widths)) * (-1 if widths[1] < widths[0] else 1)
    return _moved(share, np.full(grid.shape, inwards_mm, np.float32), grid)


def _push(anatomy, grid, push_mm, side, at=None):
    """mm along x that the brain seen at a point has been moved by; `at`: other x than the grid's own."""
    x, y, z = grid.axes()
    x = x if at is None else at
    a, b, c = anatomy.half_axes_mm
    x0, (sx, sy, sz) = 14.0 * side, BUMP_SD_MM
    radius = np.sqrt((x / a) ** 2 + (y / b) ** 2 + (z / np.where(z < 0, 1.5 * c, c)) ** 2)
    room = np.clip((0.98 - radius) / 0.35, 0, 1)
    room = room * room * (3 - 2 * room)
    bump = np.exp(-((x - x0) / sx) ** 2 - ((y + 6) / sy) ** 2 - ((z - 10) / sz) ** 2)
    return push_mm * np.exp((x0 / sx) ** 2) * bump * room  # push_mm at the middle


def _moved(values, push, grid):
    """values (slices, rows, columns) as they look once moved by push: linear along x."""
    x, _, _ = grid.axes()
    step = float(grid.x_mm[1] - grid.x_mm[0])
    index = np.clip((x - push - grid.x_mm[0]) / step, 0, len(grid.x_mm) - 1.001)
    left = index.astype(int)
    share = (index - left).astype(np.float32)
    low, high = np.take_along_axis(values, left, 2), np.take_along_axis(values, left + 1, 2)
    return (low + (high - low) * share).astype(np.float32)


def _turned(values, turn_deg, outside):
    """Every slice turned about its middle, linear between pixels."""
    if not turn_deg:
        return values
    angle, size = np.radians(turn_deg), values.shape[1]
    row, column = np.mgrid[:size, :size] - (size - 1) / 2
    j = np.cos(angle) * row - np.sin(angle) * column + (size - 1) / 2
    i = np.sin(angle) * row + np.cos(angle) * column + (size - 1) / 2
    beyond = (i < 0) | (i > size - 1) | (j < 0) | (j > size - 1)
    i, j = np.clip(i, 0, size - 1.001), np.clip(j, 0, size - 1.001)
    left, top = i.astype(int), j.astype(int)
    across, down = i - left, j - top
    upper = values[:, top, left] * (1 - across) + values[:, top, left + 1] * across
    lower = values[:, top + 1, left] * (1 - across) + values[:, top + 1, left + 1] * across
    return np.where(beyond, outside, upper * (1 - down) + lower * down).astype(np.float32)


def _bleed(rng, hu, brain, ventricle, grid, slab_mm, side, push_mm):
    volume_ml = 3 + 4 * abs(push_mm)
    shape = random_shape(rng, np.array([side * (34 + 0.6 * abs(push_mm)), -2.0, 12.0]), volume_ml, 0.3)
    box = grid.box(shape.center_mm, shape.reach_mm + 20)
    near = grid.crop(*box)
    distance = shape.signed_distance_mm(near)
    lesions.paint_edema(rng, hu[box], distance, brain[box], near)
    share = np.zeros(hu.shape, np.float32)
    share[box] = shape.occupancy(near, np.asarray(slab_mm)[box[0]]) * brain[box] * (1 - ventricle[box])
    look = lesions.ClotLook(float(rng.uniform(55, 72)), 2.5, 0.0, 0.0, 6.0)
    lesions.paint_clot(rng, hu[box], share[box], -distance, near, look, shape.center_mm)
    return share


def _middle_x(anatomy, y, z):
    """x of the falx where nothing is moved, at (y, z) one by one."""
    x = np.zeros(len(y))
    for _ in range(6):
        x = np.array([-2.0 * anatomy.warp[0].on(SliceGrid(np.array([one]), np.array([j]), np.array([k])))[0, 0, 0]
                      for one, j, k in zip(x, y, z, strict=True)])
    return x


def _septum_mm(anatomy, grid, push_mm, side):
    """(slices,) signed largest distance of the septum from the line between both ends of the falx, + to the left."""
    result = np.full(len(grid.z_mm), np.nan)
    a, b, c = anatomy.half_axes_mm
    for k, z in enumerate(grid.z_mm):
        if not SEPTUM_Z_MM[0] <= z <= SEPTUM_Z_MM[1]:
            continue
        y_end = b * np.sqrt(1 - (z / c) ** 2)
        rows = np.concatenate([[-y_end, y_end], np.arange(*SEPTUM_Y_MM, 2.0)])
        middle = _middle_x(anatomy, rows, np.full(len(rows), z))
        ends, rows, moved = middle[:2], rows[2:], middle[2:].copy()
        for _ in range(30):
            at = _push(anatomy, SliceGrid(np.zeros(1), rows, np.array([z])), push_mm, side, moved[None, :, None])
            moved = middle[2:] + at[0, :, 0]
        slope = (ends[1] - ends[0]) / (2 * y_end)
        off = (moved - (ends[0] + slope * (rows + y_end))) / np.hypot(1, slope)
        result[k] = off[np.argmax(np.abs(off))]
    return result


def _lateral(anatomy, grid, ventricle, push, ct):
    """(uint8 1 right, 2 left, (right mL, left mL)): the ventricles less the third and the fourth."""
    x, y, z = grid.axes()
    came_from = x - push
    is_left = came_from + anatomy.warp[0].on(grid) * np.float32(2.0) > 0
    nearest = [_to_ventricle(anatomy, grid, came_from, names) for names in (LATERAL, ("third", "fourth"))]
    is_lateral = nearest[0] <= nearest[1]
    sides = np.where(is_lateral & (ventricle > 0.5), np.where(is_left, 2, 1), 0).astype(np.uint8)
    ml = [float(((ventricle * (is_lateral & chosen)).sum((1, 2), dtype=float) * ct.voxel_volumes_mm3).sum() / 1000)
          for chosen in (~is_left, is_left)]
    return sides, (ml[0], ml[1])


def _to_ventricle(anatomy, grid, x, names):
    """(slices, rows, columns) about mm to the nearest of the named ventricles, of a brain not pushed; x: of its voxels
    there."""
    _, y, z = grid.axes()
    wx, wy, wz = (wave.on(grid) * np.float32(2.0) for wave in anatomy.warp)
    result = np.full(grid.shape, np.inf, np.float32)
    for name in names:
        center, radii = VENTRICLES[name]
        radii = np.array(radii) * (1.0 if name == "fourth" else anatomy.ventricle_scale)
        scaled = ((np.abs(x + wx) - center[0]) / radii[0]) ** 2 + ((y + wy - center[1]) / radii[1]) ** 2 \
            + ((z + wz - center[2]) / radii[2]) ** 2
        result = np.minimum(result, (np.sqrt(scaled) - 1) * radii.min())
    return result


def _true_frame(anatomy, tilt_deg, turn_deg) -> HeadFrame:
    """The head's own millimetres as MNI-like ones: the made head's origin lies between the foramina of Monro."""
    tilt = np.radians(tilt_deg)
    to_head = np.array([[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]])
    turn = np.radians(turn_deg)
    to_head = np.array([[np.cos(turn), np.sin(turn), 0], [-np.sin(turn), np.cos(turn), 0], [0, 0, 1]]) @ to_head
    a, b, c = anatomy.half_axes_mm
    scale = np.diag([68.0 / a, 85.0 / b, 74.0 / c])
    matrix = np.eye(4)
    matrix[:3, :3] = scale @ to_head
    matrix[:3, 3] = (0.0, -14.0, 4.0)  # the middle of the skull lies behind the anterior commissure
    return HeadFrame(matrix, 1.0, True)
