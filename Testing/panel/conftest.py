"""The real panel on the test bridge, in an empty scene; an exception in a callback fails the test."""

import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
for folder in (ROOT, ROOT / "ICHVolume", ROOT / "Testing", ROOT / "Testing" / "panel"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

import kept_child  # noqa: E402

PATIENCE_S = 60


@pytest.fixture(scope="session")
def bridge():
    pytest.importorskip("PySide6", reason="the panel's tests need PySide6-Essentials")
    import bridge

    installed = bridge.install()
    installed.module = bridge.load_module(installed)
    yield installed
    kept_child.end()
    from ICHVolumePanel import child_process

    until = time.monotonic() + PATIENCE_S
    while child_process._ending and time.monotonic() < until:
        installed.app.processEvents()
        time.sleep(0.01)


@pytest.fixture
def open_panel(bridge):
    """A function that opens a panel as entering the module does; all of them are closed at the end."""
    opened = []
    _forget(bridge)

    def open_one(checks_in_child=False, own_child=False):
        """own_child: for tests of a child's life; the others share one, which saves its start and the network's."""
        opened.append(PanelInUse(bridge))
        if not own_child:
            opened[-1].share_child()
        if not checks_in_child:  # a child takes a second to start; what it finds is the same
            opened[-1].widget.panel._client.check = _check_here
        return opened[-1]

    yield open_one
    for panel in opened:
        panel.leave()
    bridge.slicer.mrmlScene.Clear(False)
    errors, bridge.pythonqt.errors[:] = list(bridge.pythonqt.errors), []
    assert not errors, "\n".join(errors)
    assert not bridge.slicer_app.answers, "the panel asked less than the test expected"


@pytest.fixture
def panel(open_panel):
    return open_panel()


@pytest.fixture(scope="session")
def weights(tmp_path_factory):
    """A network that marks ICH from 54 HU and IVH from 87 HU, so that its answer is known."""
    pytest.importorskip("torch")
    from network_weights import thresholding_weights

    manifest = {"pixel_spacing_mm": {"native_range": [0.3, 2.0], "target": 0.47}}
    return thresholding_weights(tmp_path_factory.mktemp("weights"), manifest, base_width=8)


@pytest.fixture
def sample(phantom):
    """The head phantom with a 50 mL ellipsoid of blood; do not write into its arrays."""
    return phantom


def _check_here(ct, callbacks):
    from dataclasses import asdict

    from ICHVolumeLib.quality.checks import check_ct

    callbacks.done(None, {"findings": [asdict(finding) for finding in check_ct(ct)]})


def _forget(bridge):
    bridge.slicer.mrmlScene.Clear(False)
    bridge.pythonqt.errors.clear()
    for notes in (bridge.slicer_app.asked, bridge.slicer_app.answers, bridge.slicer_app.installed,
                  bridge.slicer_app.missing_packages, bridge.slicer_app.resets_3d):
        notes.clear()


class PanelInUse:
    """What a test does with a panel: put a CT in, click, wait, read."""

    def __init__(self, bridge):
        self.bridge, self.slicer = bridge, bridge.slicer
        parent = bridge.slicer_app.module_parent(bridge.slicer)
        self.widget = bridge.module.ICHVolumeWidget(parent)
        self.widget.setup()
        self.ui = self.widget.ui
        bridge.slicer.modules.ichvolume.widget = self.widget
        parent.isEntered = True
        self.widget.enter()
        self._open = True

    def leave(self):
        if self._open:
            self._open = False
            folder = self.widget.panel._client._folder
            self.widget.parent.isEntered = False
            self.widget.exit()
            self.widget.cleanup()
            self.widget.parent.deleteLater()
            from ICHVolumePanel import child_process

            self.wait_until(lambda: not child_process._ending)
            self.bridge.turn()
            assert folder is None or not folder.exists(), "the files for the child go with the panel"

    def share_child(self):
        library = self.widget.panel._client._make_child()._folder
        self.widget.panel._client._make_child = lambda: kept_child.KeptChild(library)

    @property
    def case(self):
        return self.widget.panel.case

    @property
    def segmentation(self):
        return self.case.segmentation_node

    def add_ct(self, ct, name="CT"):
        node = self.slicer.util.addVolumeFromArray(ct.hu, ijkToRAS=ct.ijk_to_ras, name=name)
        node.CreateDefaultDisplayNodes()
        return node

    def choose(self, node):
        self.ui.inputSelector.setCurrentNode(node)
        self.settle()

    def settle(self, checked=True):
        """Until what was changed has been read, checked (if that is waited for) and measured."""
        panel = self.widget.panel
        self.spin(0.02)
        self.wait_until(lambda: not panel._turns._works and not panel._watching.is_waiting
                        and (not checked or panel.case is None or panel.case.is_checked))

    def choose_ct(self, ct, name="CT"):
        node = self.add_ct(ct, name)
        self.choose(node)
        return node

    def take(self, sample, **changes):
        """As if the model had answered with this mask (for tests that are not about the child process)."""
        import numpy as np

        from ICHVolumeLib.segmentation.segmenter import Segmentation

        said = {"mask": sample.mask, "slice_uncertainty": np.zeros(len(sample.mask), np.float32), "findings": [],
                "engine": "openvino", "device": "CPU", "seconds": {"network": 1.0}, "model": "test",
                "model_sha256": "0" * 64, **changes}
        self.case.take(Segmentation(**said))
        self.widget._showSegmentation(self.case.segmentation_node)
        self.widget._onParameters()
        self.settle(checked=False)

    def spin(self, seconds):
        end = time.monotonic() + seconds
        while True:
            self.bridge.turn()
            if time.monotonic() >= end:
                return
            time.sleep(0.002)

    def wait_until(self, condition, patience_s=PATIENCE_S):
        """Seconds until the condition held; the event loop runs meanwhile."""
        start = time.monotonic()
        while not condition():
            assert time.monotonic() - start < patience_s, f"never happened; the panel says: {self.status}"
            self.spin(0.005)
        return time.monotonic() - start

    @staticmethod
    def machine_is_quiet():
        """True when a busy loop gets the processor nearly all of the time: only then do seconds tell of the panel."""
        wall, own = time.monotonic(), time.thread_time()
        while time.monotonic() - wall < 0.4:
            pass
        return (time.thread_time() - own) / (time.monotonic() - wall) > 0.97

    def wait_until_idle(self):
        return self.wait_until(lambda: self.ui.segmentButton.isVisibleTo(self.widget.parent))

    @property
    def status(self):
        return self.ui.statusLabel.text

    def rows(self):
        """key -> (AI, edited, note) as the table shows them."""
        table = self.ui.resultsTable
        keys = [row.key for row in self.widget.panel._results._rows]
        shown = {}
        for number, key in enumerate(keys):
            combo = table.cellWidget(number, 2)
            edited = combo.currentText if combo else table.item(number, 2).text()
            shown[key] = (table.item(number, 1).text(), edited, table.item(number, 3).text())
        return shown

    def row_number(self, key):
        return [row.key for row in self.widget.panel._results._rows].index(key)

    def type_into(self, key, text):
        self.ui.resultsTable.item(self.row_number(key), 2).setText(text)
        self.spin(0.01)

    def choose_in(self, key, text):
        combo = self.ui.resultsTable.cellWidget(self.row_number(key), 2)._object
        combo.setCurrentIndex(combo.findText(text))
        combo.activated.emit(combo.currentIndex())
        self.spin(0.01)

    def click_note(self, key):
        self.ui.resultsTable._object.cellClicked.emit(self.row_number(key), 3)
        self.spin(0.01)
