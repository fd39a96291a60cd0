"""No turn of the event loop keeps the window waiting, on a scan of the paper's size and whatever the surgeon does.

The panel is written for turns under 50 ms on an office processor, and `ICHVOLUME_TURN_MS=50` asks for that. Without it
three times as much passes: how fast the machine is that runs the tests says nothing of the panel, and what is not cut
into turns takes longer than that on any (the last test but one puts such a loop in). What counts is the processor time
of a turn: a machine that is busy with other things makes no turn longer. On a quiet machine the wall clock is looked
at too, so that waiting counts as well. Caches that others use can slow one pass down, so the best of three is taken.
"""

import os
import time

import numpy as np
import pytest
from segment_editor import Editor

LIMIT_MS = float(os.environ.get("ICHVOLUME_TURN_MS", 150))
PASSES = 3


class Turns:
    """Measures every turn of the loop: what a click does, then one call of processEvents after the other."""

    def __init__(self, panel):
        self._panel = panel

    def during(self, act, until, is_click=True):
        """Longest (processor, wall) milliseconds of a turn, from the click until everything asked for is done.

        is_click False: what starts it is not the panel's work (an effect of the segment editor, a dragged line).
        """
        beats = [self._now()]
        act()
        beats = [*beats, self._now()] if is_click else [self._now()] * 2
        started, quiet_turns = time.monotonic(), 0
        while quiet_turns < 30:
            assert time.monotonic() - started < 120, f"never happened; the panel says: {self._panel.status}"
            self._panel.bridge.app.processEvents()
            beats.append(self._now())
            time.sleep(0.002)
            beats.append(self._now())
            quiet_turns = quiet_turns + 1 if until() and not self._panel.widget.panel._turns._works else 0
        turns = np.diff(np.array(beats), axis=0)
        return np.delete(turns, np.arange(2, len(turns), 2), axis=0).max(axis=0)  # without the sleeps

    @staticmethod
    def _now():
        return time.thread_time() * 1000, time.monotonic() * 1000


@pytest.fixture
def panel(open_panel, weights):
    opened = open_panel(checks_in_child=True, own_child=True)
    opened.ui.weightsFolderEdit.currentPath = str(weights)
    opened.ui.deviceCombo.setCurrentIndex(1)
    return opened


@pytest.fixture(scope="module")
def large():
    """40 slices of 512 x 512 pixels, 50 mL."""
    from phantoms import ellipsoid_ct

    return ellipsoid_ct(pixel_mm=0.45, step_mm=4.6, columns=512, rows=512, noise_hu=2)


def longest_turn_ms(panel, act, until, is_click=True):
    """Of the best pass; act(number of the pass) is done again while a turn is too long."""
    is_quiet = panel.machine_is_quiet()
    longest = []
    for number in range(PASSES):
        processor_ms, wall_ms = Turns(panel).during(lambda n=number: act(n), until, is_click)
        longest.append(max(processor_ms, wall_ms) if is_quiet else processor_ms)
        if longest[-1] < LIMIT_MS:
            break
    return min(longest)


def test_nothing_a_surgeon_does_keeps_the_window_waiting(panel, large, tmp_path, record_property):
    from ICHVolumePanel import scene_lines

    nodes = [panel.add_ct(large.ct, f"Patient {number}") for number in range(PASSES)]
    work = panel.widget.panel

    def edit(number):
        marked = np.zeros(large.mask.shape, np.uint8)
        marked[18 + number] = 1
        Editor(panel.slicer, panel.segmentation, panel.case.volume_node).erase("ICH", marked)

    def drag(number):
        line, _ = scene_lines.ab_lines(panel.segmentation)
        line.SetNthControlPointPosition(0, *np.array(panel.case.result.abc2.a_line_ras[0]) + [0, 2 + number, 0])

    def export(number):
        panel.ui.exportFolderEdit.currentPath = str(tmp_path / str(number))
        panel.ui.exportButton.click()

    def written():
        return panel.ui.exportLabel.text.startswith("Written to")

    def is_idle():
        return not work._client.is_busy

    for box in (panel.ui.exportStlCheckBox, panel.ui.exportMaskCheckBox):
        box.checked = False  # one call of VTK each, which nothing can split: see CONTRIBUTING.md
    steps = [
        ("choose", lambda n: panel.ui.inputSelector.setCurrentNode(nodes[n]),
         lambda: work.case is not None and work.case.is_checked),
        ("segment", lambda _n: panel.ui.segmentButton.click(), is_idle),
        ("segment again", lambda _n: panel.ui.segmentButton.click(), is_idle),
        ("type", lambda n: panel.type_into("gcs", str(7 + n)), lambda: True),
        ("export", export, written),
        ("next slice", lambda _n: panel.ui.largestSliceButton.click(), lambda: True)]
    longest = {name: longest_turn_ms(panel, act, until) for name, act, until in steps}
    before = panel.case.result
    longest["drag"] = longest_turn_ms(panel, drag, lambda: panel.case.result is not before, is_click=False)
    before = panel.case.mask
    longest["edit"] = longest_turn_ms(panel, edit, lambda: panel.case.mask is not before, is_click=False)
    said = {name: f"{value:.0f} ms" for name, value in longest.items()}
    record_property("longest turns", said)
    assert max(longest.values()) < LIMIT_MS, said


def test_a_comparison_with_an_earlier_scan_does_not_keep_the_window_waiting(panel, large):
    panel.choose_ct(large.ct, "Day 1")
    panel.take(large)
    earlier = panel.segmentation
    panel.choose_ct(large.ct, "Day 2")
    panel.take(large)
    panel.ui.earlierSelector.setCurrentNode(earlier)

    def compare(_number):
        panel.ui.compareButton.click()

    longest = longest_turn_ms(panel, compare, lambda: "mL" in panel.ui.followUpLabel.text)
    assert longest < LIMIT_MS, f"{longest:.0f} ms"


@pytest.mark.parametrize("name", ["growButton", "removePieceButton", "repairSliceButton"])
def test_a_click_tool_does_not_keep_the_window_waiting(panel, large, name):
    """Relabelling is one call, and longer: see CONTRIBUTING.md."""
    from ICHVolumePanel import scene

    from ICHVolumeLib.core.labels import LABELS

    panel.choose_ct(large.ct)
    panel.take(large)
    k, j, i = (int(round(float(np.mean(one)))) for one in np.nonzero(large.mask))
    start = large.mask.copy()
    if name == "growButton":
        start[:] = 0
    elif name == "repairSliceButton":
        start[k] = 0
    logic = panel.slicer.app.applicationLogic()

    def click():
        node = panel.slicer.mrmlScene.GetNodeByID(logic.GetSelectionNode().GetActivePlaceNodeID())
        node.AddControlPointWorld(*map(float, large.ct.voxel_to_ras((k, j, i))))

    def once():
        scene.replace_mask(panel.segmentation, start, LABELS, panel.case.volume_node)
        panel.settle()
        before = panel.case.mask
        getattr(panel.ui, name).click()
        turns = Turns(panel).during(click, lambda: panel.case.mask is not before)
        assert not np.array_equal(panel.case.mask, start), panel.status
        return turns[0]

    longest = []
    while len(longest) < PASSES and min(longest, default=LIMIT_MS) >= LIMIT_MS:
        longest.append(once())
    assert min(longest) < LIMIT_MS, [f"{one:.0f} ms" for one in longest]


def test_the_sample_patient_does_not_keep_the_window_waiting(bridge, panel, monkeypatch):
    beats, process_events = [], bridge.slicer.app.processEvents

    def beat():
        beats.append(time.thread_time() * 1000)
        process_events()
        beats.append(time.thread_time() * 1000)

    monkeypatch.setattr(bridge.slicer.app, "processEvents", beat)
    monkeypatch.setattr(bridge.module, "SAMPLE_PIXELS", 256)  # slicer.util.addVolumeFromArray grows with the volume
    longest = []
    while len(longest) < PASSES and min(longest, default=LIMIT_MS) >= LIMIT_MS:
        beats[:] = [time.thread_time() * 1000]
        bridge.module.load_sample()
        longest.append(np.diff(beats).max())
    assert min(longest) < LIMIT_MS


def busy(milliseconds):
    """Use the processor for that long."""
    end = time.thread_time() + milliseconds / 1000
    while time.thread_time() < end:
        pass


@pytest.mark.parametrize("place", ["ICHVolumePanel.case.make_result", "ICHVolumePanel.scene.mark_automatic",
                                   "ICHVolumePanel.scene_volume._hounsfield",
                                   "ICHVolumePanel.results_view.ResultsView._show_row"])
def test_a_loop_of_300_ms_in_any_turn_is_noticed(panel, sample, monkeypatch, place):
    import importlib

    module, _, name = place.rpartition(".")
    try:
        owner = importlib.import_module(module)
    except ImportError:
        owner = getattr(importlib.import_module(module.rpartition(".")[0]), module.rpartition(".")[2])
    slow = getattr(owner, name)
    once = iter([True])

    def slower(*arguments, **options):
        if next(once, False):
            busy(300)
        return slow(*arguments, **options)

    monkeypatch.setattr(owner, name, slower)
    node, work = panel.add_ct(sample.ct), panel.widget.panel
    choosing = Turns(panel).during(lambda: panel.ui.inputSelector.setCurrentNode(node),
                                   lambda: work.case is not None and work.case.is_checked)
    segmenting = Turns(panel).during(panel.ui.segmentButton.click, lambda: not work._client.is_busy)
    assert max(choosing[0], segmenting[0]) > 280


def test_a_sample_patient_that_cannot_be_read_is_said_and_leaves_nothing(bridge, monkeypatch, tmp_path):
    from ICHVolumePanel import child_process

    from ICHVolumeLib.core.errors import InputError
    from ICHVolumeLib.worker import npz_files

    def unreadable(path):
        raise InputError(f"{path}: not an exchange file")

    class Client:
        closed = False

        def __init__(self, _make_child, _call_later):
            pass

        def sample(self, callbacks, _pixels):
            callbacks.done("sample.npz", {})

        def close(self):
            Client.closed = True

    monkeypatch.setattr(npz_files, "read_scan", unreadable)
    monkeypatch.setattr(child_process, "WorkerClient", Client)
    with pytest.raises(RuntimeError, match="not an exchange file"):
        child_process.make_sample_and_wait(tmp_path, lambda: None, 64)
    assert Client.closed
