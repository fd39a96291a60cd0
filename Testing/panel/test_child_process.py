"""The child for a script that waits: whatever kills it, the documented error with a clear sentence."""

import sys

import pytest


@pytest.fixture
def broken_library(tmp_path):
    """A folder whose ICHVolumeLib.worker ends at once; it comes before an installed one."""
    package = tmp_path / "broken" / "ICHVolumeLib"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("", encoding="utf-8")
    (package / "worker.py").write_text("raise SystemExit(1)\n", encoding="utf-8")
    return package.parent


@pytest.fixture
def segment_and_wait(bridge, sample, tmp_path, monkeypatch):
    """A function that runs the child with this program and folder."""
    from ICHVolumePanel import child_process

    def run(program=sys.executable, folder=tmp_path):
        monkeypatch.setattr(child_process, "python_executable", lambda: str(program))
        return child_process.segment_and_wait(sample.ct, folder)

    return run


def test_a_program_that_is_not_there_is_named(segment_and_wait, tmp_path):
    with pytest.raises(RuntimeError, match="cannot be started with .*PythonSlicer"):
        segment_and_wait(tmp_path / "PythonSlicer")


def test_a_child_that_ends_at_once_is_said(segment_and_wait, broken_library):
    with pytest.raises(RuntimeError, match=r"ended before it was done \(exit code 1\)"):
        segment_and_wait(folder=broken_library)


def test_a_child_that_was_dead_before_it_got_its_command_is_said(segment_and_wait, broken_library, monkeypatch):
    from ICHVolumePanel import child_process

    start = child_process._start_worker

    def start_and_wait(folder):
        child = start(folder)
        child.wait()
        return child

    monkeypatch.setattr(child_process, "_start_worker", start_and_wait)
    with pytest.raises(RuntimeError, match="ended before it was done"):
        segment_and_wait(folder=broken_library)
