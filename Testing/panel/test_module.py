"""The module's own life: what the module list shows, Sample Data, the in-Slicer test, the text a user reads."""

import sys
import types
from types import SimpleNamespace

import pytest


@pytest.fixture
def startup(bridge, monkeypatch):
    """slicer.app.connect, and a SampleData that remembers what was registered."""
    connected, registered = [], []
    connect = bridge.slicer.app.connect
    monkeypatch.setattr(bridge.slicer.app, "connect", lambda signal, slot: connected.append((signal, slot))
                        if signal == "startupCompleted()" else connect(signal, slot))
    sample_data = types.ModuleType("SampleData")
    sample_data.SampleDataLogic = SimpleNamespace(
        registerCustomSampleDataSource=lambda category=None, sampleName=None, uris=None, fileNames=None,
        nodeNames=None, customDownloader=None, thumbnailFileName=None, loadFileType=None: registered.append(
            SimpleNamespace(category=category, name=sampleName, make=customDownloader, thumbnail=thumbnailFileName)))
    sys.modules["SampleData"] = sample_data
    yield SimpleNamespace(connected=connected, registered=registered)
    del sys.modules["SampleData"]


def test_the_module_describes_itself_and_its_limits(bridge, startup):
    parent = SimpleNamespace(path=bridge.module.__file__)
    bridge.module.ICHVolume(parent)
    assert parent.title and parent.categories and parent.contributors
    assert "Research use only" in parent.helpText
    assert "10.1161/01.str.32.4.891" in parent.acknowledgementText
    assert [signal for signal, _slot in startup.connected] == ["startupCompleted()"]


def test_sample_data_gets_an_entry_that_makes_the_patient(bridge, startup, open_panel, monkeypatch):
    monkeypatch.setattr(bridge.module, "SAMPLE_PIXELS", 128)  # 512 takes seconds
    bridge.module.register_sample_data()
    entry, = startup.registered
    assert entry.name == "ICHVolume sample head CT"
    node = entry.make(entry)[0]
    panel = open_panel()
    panel.settle()
    assert panel.case is not None and panel.case.volume_node is node
    assert panel.ui.segmentButton.enabled
    assert node.GetDisplayNode().GetWindow() == 80


@pytest.mark.slow
def test_the_in_slicer_test_passes_here_too(bridge, open_panel, weights, monkeypatch):
    open_panel().leave()
    monkeypatch.setenv("ICHVOLUME_WEIGHTS", str(weights))
    bridge.module.ICHVolumeTest().runTest()
    assert bridge.slicer_app.asked[-1] == "Passed"


def test_the_in_slicer_test_ends_with_a_message_where_no_engine_is_installed(bridge, open_panel):
    open_panel().leave()
    bridge.slicer_app.missing_packages.update({"openvino", "torch"})
    bridge.module.ICHVolumeTest().runTest()
    assert bridge.slicer_app.asked[-1].startswith("Not run: openvino")
    assert bridge.slicer_app.installed == []
    assert not bridge.slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")


def test_nothing_is_installed_or_asked_by_opening_the_panel(bridge, panel):
    bridge.slicer_app.missing_packages.add("openvino")
    assert bridge.slicer_app.asked == [] and bridge.slicer_app.installed == []
    assert not panel.widget.panel._client.is_warm, "no child process before the first click"


def test_opening_the_panel_does_not_import_torch_or_openvino():
    import subprocess

    from bridge import REPOSITORY

    code = ("import sys; sys.path[:0] = ['Testing', '.']; import bridge; b = bridge.install(); "
            "m = bridge.load_module(b); w = m.ICHVolumeWidget(); w.enter(); "
            "print(sorted({'torch', 'openvino'} & set(sys.modules)))")
    run = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, timeout=120)
    assert run.stdout.strip().splitlines()[-1] == "[]", run.stderr
