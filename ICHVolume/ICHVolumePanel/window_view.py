"""Two buttons that show the CT in a window in which blood is seen; the user's own window is left alone."""

from . import scene_volume


class WindowView:
    def __init__(self, ui):
        self._ui = ui
        self._volume_node = None
        ui.brainWindowButton.connect("clicked(bool)", lambda: self._show(scene_volume.BRAIN_WINDOW))
        ui.bloodWindowButton.connect("clicked(bool)", lambda: self._show(scene_volume.BLOOD_WINDOW))

    def show(self, case) -> None:
        self._volume_node = case.volume_node if case else None
        self._ui.brainWindowButton.enabled = self._ui.bloodWindowButton.enabled = case is not None

    def suit(self, volume_node) -> None:
        """A CT that was just picked gets the brain window unless somebody has chosen one."""
        if not scene_volume.has_own_window(volume_node):
            scene_volume.show_window(volume_node, scene_volume.BRAIN_WINDOW)

    def _show(self, window):
        if scene_volume.is_in_scene(self._volume_node):
            scene_volume.show_window(self._volume_node, window)
