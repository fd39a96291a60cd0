"""Corrections of one click: press a tool, click in a slice view; the segment editor's Undo takes it back."""

import time

from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.core.labels import ICH, IVH, LABELS
from ICHVolumeLib.correction import grow, keep_component, relabel, remove_component, repair_slice, voxel_at
from ICHVolumeLib.imaging.volume import volume_ml

from . import scene, scene_edit
from .translation import tr as _

FARTHER = 1.25  # how much farther a second click on what the last one added goes
FARTHEST = 1.9


class ReviewTools:
    """editor: qMRMLSegmentEditorWidget, whose undo is used; say(sentence) writes the status line;
    call_later(milliseconds, function): the work waits until Slicer has ended the click."""

    def __init__(self, ui, editor, say, call_later):
        self._editor, self._say, self._call_later = editor, say, call_later
        self._case, self._placing, self._pressed = None, None, None
        self._reach, self._added = 1.0, None  # of the last grown area, and that area: (segmentation node, box, array)
        self._tools = {ui.growButton: self._grow, ui.removePieceButton: remove_component,
                       ui.keepPieceButton: keep_component, ui.repairSliceButton: repair_slice,
                       ui.toIvhButton: lambda *where: relabel(*where, IVH.value),
                       ui.toIchButton: lambda *where: relabel(*where, ICH.value)}
        for button in self._tools:
            button.connect("clicked(bool)", self._when_pressed(button))

    def show(self, case) -> None:
        """Follow this case (None: nothing to correct)."""
        if case is not self._case or case is None:
            self.stop()
        self._case = case
        ready = case is not None and scene.is_in_scene(case.segmentation_node)
        for button in self._tools:
            button.enabled = ready

    def stop(self) -> None:
        """No tool is pressed any more."""
        if self._placing is not None:
            self._placing.stop()
        if self._pressed is not None:
            self._pressed.checked = False
        self._placing = self._pressed = None

    def _when_pressed(self, button):
        return lambda: self._press(button)

    def _press(self, button):
        is_pressed = button.checked
        self.stop()
        if not is_pressed or self._case is None:
            return
        self._editor.setActiveEffect(None)  # a brush would take the click
        button.checked = True
        self._pressed = button
        self._placing = scene_edit.PointPlacing(self._clicked, self.stop)
        self._say(_("{tool}: click in a slice view").format(tool=button.text))

    def _clicked(self, point_world):
        case, tool = self._case, self._tools[self._pressed]
        self._call_later(0, lambda: self._correct(case, tool, point_world))

    def _correct(self, case, tool, point_world):
        self.stop()
        if case is not self._case or not scene.is_in_scene(case.segmentation_node):
            return
        began = time.perf_counter()
        try:
            self._say(self._edit(case, tool, point_world) + f" {1000 * (time.perf_counter() - began):.0f} ms.")
        except (InputError, ValueError) as error:
            self._say(str(error))

    def _edit(self, case, tool, point_world) -> str:
        node = case.segmentation_node
        before = scene.mask_from_segmentation(node, case.volume_node)
        click = voxel_at(case.ct, scene_edit.in_measuring_frame(case.volume_node, point_world))
        edit = tool(case.ct, before, click)
        if edit.is_empty(before):
            return _("Nothing to change there.")
        after = edit.apply(before)
        self._editor.saveStateForUndo()
        scene_edit.write_mask(node, after, before, LABELS, case.volume_node)
        self._added = (node, edit.box, (edit.labels > 0) & (before[edit.box] == 0)) if tool == self._grow else None
        return _said(case.ct, before[edit.box], edit)

    def _grow(self, ct, mask, click):
        """A second click on what the last one added goes farther."""
        again = self._added is not None and self._added[0] is self._case.segmentation_node and mask[click] \
            and _holds(self._added, click)
        self._reach = min(self._reach * FARTHER, FARTHEST) if again else 1.0
        return grow(ct, mask, click, self._reach)


def _holds(added, click) -> bool:
    _node, box, area = added
    at = tuple(one - part.start for one, part in zip(click, box, strict=True))
    return all(0 <= one < size for one, size in zip(at, area.shape, strict=True)) and bool(area[at])


def _said(ct, before, edit) -> str:
    """What changed, in mL of either label."""
    mm3 = ct.voxel_volumes_mm3[edit.box[0]]
    changes = [(label.name, volume_ml(edit.labels == label.value, mm3) - volume_ml(before == label.value, mm3))
               for label in LABELS]
    return ", ".join(f"{name} {change:+.1f} mL" for name, change in changes if abs(change) >= 0.05) or _("Changed.")
