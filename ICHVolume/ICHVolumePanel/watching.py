"""What the panel is told of: changes of its CT, its mask and its lines, each once, soon after they happened."""

from . import scene, scene_lines, scene_midline, scene_watch

EDIT_SETTLE_MS = 80  # an edit fires several events; the table follows within 300 ms
DRAG_SETTLE_MS = 40


class Watching:
    """call_later(milliseconds, function); on_volume(), on_mask() and on_lines() are called from the event loop, while
    the CT is in the scene and followed."""

    def __init__(self, call_later, on_volume, on_mask, on_lines):
        self._call_later = call_later
        self._on_volume, self._on_mask, self._on_lines = on_volume, on_mask, on_lines
        self._volume_node = None
        self._observations = []
        self._line_observations, self._watched_lines = [], None
        self._waiting = set()  # what a timer will do soon

    @property
    def is_waiting(self) -> bool:
        """Something changed that has not been told yet."""
        return bool(self._waiting)

    def follow(self, volume_node, segmentation_node) -> None:
        """These, and nothing else any more; either may be None or gone."""
        self.stop()
        if not scene.is_in_scene(volume_node):
            return
        self._volume_node = volume_node
        self._observations.append(scene_watch.observe_volume(
            volume_node, lambda: self._soon(EDIT_SETTLE_MS, self._on_volume)))
        if segmentation_node is not None:
            self._observations.append(scene_watch.observe_mask_edits(
                segmentation_node, lambda: self._soon(EDIT_SETTLE_MS, self._on_mask)))
            self.follow_lines(segmentation_node)

    def follow_lines(self, segmentation_node) -> None:
        """The lines that it has now; they may have been made anew."""
        lines = scene_lines.ab_lines(segmentation_node), scene_midline.midline_lines(segmentation_node)
        if lines == self._watched_lines:
            return
        for observation in self._line_observations:
            observation.stop()
        self._line_observations = [observe(segmentation_node, lambda: self._soon(DRAG_SETTLE_MS, self._on_lines))
                                   for observe, found in zip((scene_lines.observe_ab_lines,
                                                              scene_midline.observe_midline), lines, strict=True)
                                   if found]
        self._watched_lines = lines

    def stop(self) -> None:
        for observation in [*self._observations, *self._line_observations]:
            observation.stop()
        self._volume_node, self._observations = None, []
        self._line_observations, self._watched_lines = [], None

    def _soon(self, milliseconds, action):
        """Run the action once, this much later, however often it is asked for until then."""
        def run():
            self._waiting.discard(action)
            if scene.is_in_scene(self._volume_node):
                action()

        if action not in self._waiting:
            self._waiting.add(action)
            self._call_later(milliseconds, run)
