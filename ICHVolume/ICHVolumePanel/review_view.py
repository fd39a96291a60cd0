"""Looking and correcting: the segment editor, the walk through doubtful slices, the lines A and B, the 3D surface."""

from . import scene, scene_lines, scene_midline
from .loudness import make_loud
from .review_tools import ReviewTools
from .translation import tr as _


class ReviewView:
    """editor: qMRMLSegmentEditorWidget; say(sentence) writes the status line; turns, failed: see
    ReviewTools."""

    def __init__(self, ui, editor, say, turns, failed):
        self._ui, self._editor, self._say = ui, editor, say
        self._tools = ReviewTools(ui, editor, say, turns, failed)
        self._case = None
        self._order, self._position = [], -1
        ui.nextReviewButton.connect("clicked(bool)", self.next_slice)
        ui.largestSliceButton.connect("clicked(bool)", self.largest_slice)
        ui.show3DCheckBox.connect("toggled(bool)", self._show_3d)
        ui.linesCheckBox.connect("toggled(bool)", self._show_lines)

    def show(self, case) -> None:
        """Follow this case (None: nothing to review)."""
        node = case.segmentation_node if case else None
        order = case.record.review_order() if case and case.record else []
        if order != self._order:
            self._order, self._position = order, -1
        self._case = case
        ui = self._ui
        ui.nextReviewButton.enabled = bool(order)
        ui.nextReviewButton.toolTip = _("Go to the slice where the model is least certain, then the next") if order \
            else _("The model was sure of every slice, or has not run on this CT")
        result = case.result if case else None
        has_lines = result is not None and result.abc2 is not None
        ui.largestSliceButton.enabled = result is not None and result.found
        ui.automaticLinesButton.enabled = has_lines and case.corrections != case.corrections.without_lines()
        ui.linesCheckBox.enabled = has_lines
        ui.show3DCheckBox.enabled = node is not None
        ui.drawByHandButton.setVisible(case is not None and node is None)
        found = ui.largestSliceButton.enabled
        shift = result.midline_shift if result else None
        ui.drawMidlineButton.setVisible(found and node is not None and (shift is None or shift.shift_mm is None))
        for button, is_next in ((ui.nextReviewButton, found and bool(order)),
                                (ui.largestSliceButton, found and not order),
                                (ui.drawByHandButton, result is not None and not found)):
            make_loud(button, is_next)
        self._follow_segmentation(case, node)
        self._tools.show(case)

    def leave(self) -> None:
        """The module is left: no tool waits for a click."""
        self._tools.stop()

    def jump(self) -> None:
        """To the largest slice, without a word."""
        k = self._case.largest_slice() if self._case else None
        if k is not None:
            abc2 = self._case.result.abc2
            point = None if abc2 is None or abc2.slice_index != k else \
                tuple((first + second) / 2 for first, second in zip(*abc2.a_line_ras, strict=True))
            scene_lines.show_slice(self._case.volume_node, k, point)

    def largest_slice(self) -> None:
        self.jump()

    def next_slice(self) -> None:
        if not self._order or self._case is None or not scene.is_in_scene(self._case.volume_node):
            return
        self._position = (self._position + 1) % len(self._order)
        k = self._order[self._position]
        scene_lines.show_slice(self._case.volume_node, k)
        self._say(_("Slice {slice} of {slices}: {number} of {count} to review, uncertainty {percent:.0f} %").format(
            slice=k + 1, slices=len(self._case.ct.hu), number=self._position + 1, count=len(self._order),
            percent=100 * self._case.record.slice_uncertainty[k]))

    def apply_line_visibility(self) -> None:
        self._show_lines(self._ui.linesCheckBox.checked)

    def _follow_segmentation(self, case, node):
        """Both, always: segmentationNode() answers with what the editor's own selector shows, and the first setter
        changes the second node. Neither does anything where nothing changes."""
        self._editor.setSegmentationNode(node)
        if node is not None:
            self._editor.setSourceVolumeNode(case.volume_node)
            if not self._editor.currentSegmentID():  # it took the mask up by itself while that had no segment yet
                self._editor.setCurrentSegmentID(node.GetSegmentation().GetNthSegmentID(0))

    def _show_3d(self, shown):
        if self._case is not None and scene.is_in_scene(self._case.segmentation_node):
            scene.show_3d(self._case.segmentation_node, shown)

    def _show_lines(self, shown):
        if self._case is not None and scene.is_in_scene(self._case.segmentation_node):
            scene_lines.show_ab_lines(self._case.segmentation_node, shown)
            scene_midline.show_midline(self._case.segmentation_node, shown)
