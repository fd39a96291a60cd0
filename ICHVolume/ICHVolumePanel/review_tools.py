"""Corrections of one click: press a tool, click in a slice view; the segment editor's Undo takes it back."""

import numpy as np

from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.core.labels import ICH, IVH, LABELS
from ICHVolumeLib.correction import grow_in_steps, keep_component, relabel, remove_component, repair_slice, voxel_at
from ICHVolumeLib.imaging.volume import volume_ml

from . import mask_images, scene, scene_clicks
from .scene_transforms import shown_to_measured
from .translation import tr as _

FARTHER = 1.25  # how much farther a second click on what the last one added goes
FARTHEST = 1.9
CORRECTING = "correcting"


class ReviewTools:
    """editor: qMRMLSegmentEditorWidget, whose undo is used; say(sentence) writes the status line; turns: Turns, the
    tools' work waits there until Slicer has ended the click; failed(Exception)."""

    def __init__(self, ui, editor, say, turns, failed):
        self._editor, self._say, self._turns, self._failed = editor, say, turns, failed
        self._case, self._placing, self._pressed = None, None, None
        self._reach, self._added = 1.0, None  # of the last grown area, and that area: (segmentation node, box, array)
        self._box = ui.clickToolsBox
        self._tools = {ui.growButton: self._grow, ui.removePieceButton: _in_one(remove_component),
                       ui.keepPieceButton: _in_one(keep_component), ui.repairSliceButton: _in_one(repair_slice),
                       ui.toIvhButton: _in_one(lambda *where: relabel(*where, IVH.value)),
                       ui.toIchButton: _in_one(lambda *where: relabel(*where, ICH.value))}
        for button in self._tools:
            button.connect("clicked(bool)", self._when_pressed(button))

    def show(self, case) -> None:
        """Follow this case (None: nothing to correct)."""
        if case is not self._case or case is None:
            self.stop()
            self._turns.drop(CORRECTING)
            self._added = None
        self._case = case
        ready = case is not None and scene.is_in_scene(case.segmentation_node)
        self._box.setVisible(ready)
        for button in self._tools:
            button.enabled = ready

    def stop(self) -> None:
        """No tool is pressed any more."""
        if self._placing is not None:
            self._placing.stop()
        if self._pressed is not None:
            self._pressed.checked = False
        self._placing = self._pressed = None

    def _put_away(self):
        """By the user, who is not to be told any more to click."""
        if self._pressed is not None:
            self._say("")
        self.stop()

    def _when_pressed(self, button):
        return lambda: self._press(button)

    def _press(self, button):
        is_pressed = button.checked
        self._put_away()
        if not is_pressed or self._case is None:
            return
        self._editor.setActiveEffect(None)  # a brush would take the click
        button.checked = True
        self._pressed = button
        self._placing = scene_clicks.PointPlacing(self._clicked, self._put_away)
        self._say(_("{tool}: click in a slice view").format(tool=button.text))

    def _clicked(self, point_world):
        case, button, placing = self._case, self._pressed, self._placing
        point = shown_to_measured([point_world], case.volume_node)[0]  # now: the scan may be moved in a moment
        self._say(f"{button.text} \u2026")
        self._turns.add(self._edit(case, self._tools[button], point, placing), self._say, self._failed, CORRECTING)

    def _edit(self, case, tool, point, placing):
        """Generator; returns what to say. Raises InputError."""
        if self._placing is placing:  # else another tool was pressed already
            self.stop()
        node = case.segmentation_node
        click = voxel_at(case.ct, point)
        before = _mask_of(case)
        yield
        edit = yield from tool(case.ct, before, click)
        if edit.is_empty(before):
            return _("Nothing to change there.")
        yield
        images = yield from mask_images.images_in_steps(edit.apply(before), LABELS)
        yield
        if case.segmentation_node is not node or not np.array_equal(_mask_of(case), before):
            raise InputError(_("The mask was changed meanwhile; click again."))
        self._editor.saveStateForUndo()  # in one step with what can be undone
        try:
            scene.put_images(node, images, LABELS, case.volume_node)
        except ValueError as error:
            raise InputError(str(error)) from error
        is_grown = tool == self._grow
        self._added = (node, edit.box, (edit.labels > 0) & (before[edit.box] == 0)) if is_grown else None
        return _said(case.ct, before[edit.box], edit)

    def _grow(self, ct, mask, click):
        """A second click on what the last one added goes farther."""
        again = self._added is not None and self._added[0] is self._case.segmentation_node and mask[click] \
            and _holds(self._added, click)
        self._reach = min(self._reach * FARTHER, FARTHEST) if again else 1.0
        return grow_in_steps(ct, mask, click, self._reach)


def _in_one(tool):
    """A tool that is short, or one call of SimpleITK, as a generator."""
    def in_one_step(*where):
        yield
        return tool(*where)

    return in_one_step


def _mask_of(case):
    try:
        return scene.mask_from_segmentation(case.segmentation_node, case.volume_node)
    except ValueError as error:
        raise InputError(str(error)) from error


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
