"""A correction is a click: what a reader does to a mask, without drawing.

Every tool takes (ct, mask, click) with click = (k, j, i), slice, row and column, and returns an Edit: a small box of
new labels. Nothing is changed in place; `edit.apply(mask)` gives the new mask.
"""

from .component_tools import keep_component, remove_component
from .edit import Edit, voxel_at
from .grow import grow, grow_in_steps
from .relabel import relabel
from .slice_repair import repair_slice

__all__ = ["Edit", "grow", "grow_in_steps", "keep_component", "relabel", "remove_component", "repair_slice", "voxel_at"]
