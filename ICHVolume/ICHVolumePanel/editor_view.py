"""Slicer's own segment editor in the review section.

Its one-key shortcuts (0-9, Space, Z, Y, Q, W, I) act on the whole window: they are installed while the section is open
and the keyboard is not in another part of the panel, where a digit is a Glasgow score and not an effect. What ends the
review ends the active effect: nobody paints with an editor that is not seen.
"""

import slicer

UNDO_STEPS = 20
NODE_TAG = "ICHVolume"


class EditorView:
    """editor: the qMRMLSegmentEditorWidget; panel_widget: what the keyboard is in when the panel is used."""

    def __init__(self, ui, panel_widget):
        self._section, self._panel_widget = ui.reviewSection, panel_widget
        self._is_entered = self._has_keys = self._types_elsewhere = False
        self.editor = editor = slicer.qMRMLSegmentEditorWidget()
        editor.setMaximumNumberOfUndoStates(UNDO_STEPS)
        self.use_scene_node()  # before the scene, which selects nodes by itself
        editor.setMRMLScene(slicer.mrmlScene)
        editor.segmentationNodeSelectorVisible = False
        editor.sourceVolumeNodeSelectorVisible = False
        editor.switchToSegmentationsButtonVisible = False
        editor.show3DButtonVisible = False  # the panel has a box for it; the editor's second press deletes the surface
        ui.editorBox.layout().addWidget(editor)
        self._section.connect("contentsCollapsed(bool)", self._folded)
        slicer.app.connect("focusChanged(QWidget*,QWidget*)", self._focus_moved)

    def use_scene_node(self) -> None:
        """A parameter set of its own, so that the Segment Editor module keeps its."""
        node = slicer.mrmlScene.GetSingletonNode(NODE_TAG, "vtkMRMLSegmentEditorNode")
        if node is None:
            node = slicer.mrmlScene.CreateNodeByClass("vtkMRMLSegmentEditorNode")
            node.UnRegister(None)
            node.SetSingletonTag(NODE_TAG)
            node = slicer.mrmlScene.AddNode(node)
        self.editor.setMRMLSegmentEditorNode(node)

    def enter(self) -> None:
        self._is_entered = True
        self._update_keys()

    def exit(self) -> None:
        """The editor observes the views itself while an effect is active, and only then."""
        self._is_entered = False
        self.editor.setActiveEffect(None)
        self._update_keys()

    def let_go(self) -> None:
        """Of every node: the scene is closing."""
        self.editor.setActiveEffect(None)
        self.editor.setSegmentationNode(None)

    def close(self) -> None:
        """The panel is going away."""
        slicer.app.disconnect("focusChanged(QWidget*,QWidget*)", self._focus_moved)
        self._section.disconnect("contentsCollapsed(bool)", self._folded)
        self.exit()
        self.editor.setSegmentationNode(None)
        self.editor.setMRMLSegmentEditorNode(None)

    def _folded(self, is_folded):
        if is_folded:
            self.editor.setActiveEffect(None)
        self._update_keys()

    def _focus_moved(self, _old, new):
        if new is None:
            return  # another window; nothing was chosen here
        self._types_elsewhere = self._panel_widget.isAncestorOf(new) and not self._section.isAncestorOf(new)
        self._update_keys()

    def _update_keys(self):
        wanted = self._is_entered and not self._section.collapsed and not self._types_elsewhere
        if wanted and not self._has_keys:
            self.editor.installKeyboardShortcuts()
        elif self._has_keys and not wanted:
            self.editor.uninstallKeyboardShortcuts()
        self._has_keys = wanted
