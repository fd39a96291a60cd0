"""Where the brain can be: soft tissue with bone around it.

One rule for all who ask, the network's box and the checks alike: how many sides of a voxel have bone in its slice.
"""

from dataclasses import dataclass

import numpy as np

from .brain_level import brain_level_hu
from .components import connected_components

BLOCK = 4  # pixels along both axes averaged to look for bone and brain
BONE_HU = 200  # block mean; thin or partial skull is above it, clotted blood (up to 100 HU) is not
SKULL_COMPONENT_SHARE = 0.25  # of the largest piece of bone; smaller ones are a head holder, jaw or vertebra
SOFT_TISSUE_HU = (-30, 150)  # block mean: brain, CSF, blood, calcified blood
BRAIN_AREA_MM2 = 200  # a slice with less enclosed soft tissue cannot hold a measurable bleed


@dataclass(frozen=True, eq=False)
class HeadMask:
    """Where the brain can be, on blocks of BLOCK x BLOCK pixels; generous: face and neck count too.

    brain_hu: how bright the brain is; None where that cannot be told.
    """

    enclosed: np.ndarray  # bool (slices, ceil(rows / BLOCK), ceil(columns / BLOCK))
    has_brain: np.ndarray  # bool (slices,); all true where no skull was found
    skull_found: bool
    brain_hu: float | None = None


def find_head(hu: np.ndarray, spacing_mm: tuple[float, float]) -> HeadMask:
    """hu (slices, rows, columns) in any orientation; spacing_mm along rows, then columns.

    Soft tissue with bone on three of the four sides (left, right, front, back) is enclosed; so that an open skull
    (craniectomy) loses nothing, one side is enough where any other slice has enclosed tissue at the same place.
    A slice is left out only if it and both its neighbours hold next to no enclosed tissue.
    """
    blocks = np.stack([_block_mean(one) for one in hu])
    bone = _skull(blocks > BONE_HU)
    sides = sides_with_bone(bone)
    soft = (blocks > SOFT_TISSUE_HU[0]) & (blocks < SOFT_TISSUE_HU[1])
    enclosed = soft & (sides >= 3)
    area_mm2 = enclosed.sum(axis=(1, 2)) * BLOCK**2 * spacing_mm[0] * spacing_mm[1]
    brain = area_mm2 >= BRAIN_AREA_MM2
    if not brain.any():
        return HeadMask(np.ones_like(enclosed), np.ones(len(hu), bool), skull_found=False)
    has_brain = brain.copy()
    has_brain[1:] |= brain[:-1]
    has_brain[:-1] |= brain[1:]
    return HeadMask(enclosed | (soft & (sides >= 1) & enclosed.any(axis=0)), has_brain, skull_found=True,
                    brain_hu=brain_level_hu(blocks, soft & (sides == 4)))


def _skull(bone: np.ndarray) -> np.ndarray:
    """The large connected components of bone, without the plates of a head holder, which would count as a wall."""
    components, count = connected_components(bone)
    sizes = np.bincount(components.ravel(), minlength=count + 1)
    sizes[0] = 0
    return (sizes >= SKULL_COMPONENT_SHARE * max(sizes.max(), 1))[components]


def sides_with_bone(bone: np.ndarray) -> np.ndarray:
    """uint8 like bone (slices, rows, columns): of the sides left, right, front and back, how many have bone between the
    voxel and the edge of its slice."""
    sides = np.zeros(bone.shape, np.uint8)
    for axis in (1, 2):
        for order in (bone, np.flip(bone, axis)):
            seen = np.logical_or.accumulate(order, axis)
            sides += seen if order is bone else np.flip(seen, axis)
    return sides


def _block_mean(image: np.ndarray) -> np.ndarray:
    rows, columns = image.shape
    if rows % BLOCK or columns % BLOCK:
        image = np.pad(image, ((0, -rows % BLOCK), (0, -columns % BLOCK)), mode="edge")
    sums = np.add.reduceat(np.add.reduceat(image, np.arange(0, image.shape[0], BLOCK), 0, dtype=np.int32),
                           np.arange(0, image.shape[1], BLOCK), 1)
    return sums / np.float32(BLOCK**2)
