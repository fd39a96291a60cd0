"""The Segment and Cancel buttons, the progress bar and the status line."""

import time

import qt

from ICHVolumeLib.core.findings import ERROR

from .colors import colors_for
from .loudness import HEIGHT, make_loud
from .translation import tr as _

TICK_MS = 200


class RunView:
    """One of the two buttons is visible; while running, seconds are counted."""

    def __init__(self, ui, on_segment, on_cancel):
        self._ui = ui
        self._started = 0.0
        self._doing = ""
        self._timer = qt.QTimer()
        self._timer.setInterval(TICK_MS)
        self._timer.connect("timeout()", self._tick)
        ui.segmentButton.connect("clicked(bool)", on_segment)
        ui.cancelButton.connect("clicked(bool)", on_cancel)
        self.follow_result(False)
        self.idle()

    def started(self) -> None:
        self._started = time.monotonic()
        self._set_running(True)
        self._ui.progressBar.setRange(0, 0)
        self._say_doing(_("Starting the segmentation process"))
        self._timer.start()

    def progress(self, stage, done, total, _seconds) -> None:
        stages = {"ready": _("Loading the model"), "read": _("Reading the scan"), "coarse": _("Looking at the head"),
                  "network": _("Looking at the slices"), "clean": _("Tidying the mask"),
                  "write": _("Handing over the mask")}
        doing = stages.get(stage, stage)
        if stage in ("coarse", "network") and total:
            self._ui.progressBar.setRange(0, total)
            self._ui.progressBar.setValue(done)
            if stage == "network":
                doing = _("Slice {done} of {total}").format(done=done, total=total)
        self._say_doing(doing)

    def cancelling(self) -> None:
        self._ui.cancelButton.enabled = False
        self._say_doing(_("Cancelling"))

    def finishing(self) -> None:
        """The child has answered: too late to cancel."""
        self._ui.cancelButton.enabled = False
        self._say_doing(_("Putting the mask into the scene"))

    def idle(self, message="") -> None:
        self._timer.stop()
        self._set_running(False)
        self.say(message)

    def say(self, message) -> None:
        self._ui.statusLabel.styleSheet = ""
        self._ui.statusLabel.text = message
        self._ui.statusLabel.setVisible(bool(message))

    def complain(self, sentence) -> None:
        """Say what went wrong."""
        self.say(sentence)
        self._ui.statusLabel.styleSheet = f"color: {colors_for(self._ui.statusLabel)[ERROR]}"

    def can_segment(self, problem: str) -> None:
        """problem: why the button is disabled, or ""."""
        self._ui.segmentButton.enabled = not problem
        self._ui.segmentButton.toolTip = problem or _("Find the bleed in this CT and measure it")

    def follow_result(self, has_result: bool) -> None:
        """Segmenting is the next step only until there is a result; then it is looking at it."""
        make_loud(self._ui.segmentButton, not has_result, HEIGHT)
        self._ui.segmentButton.text = _("Segment again") if has_result else _("Segment ICH")

    def seconds(self) -> float:
        return time.monotonic() - self._started

    def _set_running(self, running):
        ui = self._ui
        ui.segmentButton.setVisible(not running)
        ui.cancelButton.setVisible(running)
        ui.cancelButton.enabled = True
        ui.progressBar.setVisible(running)
        ui.inputSelector.enabled = not running

    def _say_doing(self, doing):
        self._doing = doing
        self._tick()

    def _tick(self):
        self.say(_("{doing} \u00b7 {seconds:.0f} s").format(doing=self._doing, seconds=self.seconds()))

    def close(self) -> None:
        """The panel is going away: the timer is no widget's child, and its connection would keep this view."""
        self._timer.stop()
        self._timer.disconnect("timeout()", self._tick)
