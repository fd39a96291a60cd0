"""A disk that fills up while results are written, and a folder that cannot be written: one sentence, nothing lost.

The limit on the size of files (RLIMIT_FSIZE) makes the system itself refuse bytes, as a full disk does, whoever writes
them: numpy, VTK, zlib or Python.
"""

import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import child_environment, contents
from follow_up_patients import measured, scan_of_head
from phantoms import ellipsoid_ct

from ICHVolumeLib.io.nrrd import write_nrrd
from ICHVolumeLib.workflow.case import run_measure

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no such limit")


def limited(*arguments, most_bytes=None) -> subprocess.CompletedProcess:
    """The command, whose files the system ends at most_bytes."""
    def limit():
        if most_bytes is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))

    return subprocess.run([sys.executable, "-m", "ICHVolumeLib", *map(str, arguments)], capture_output=True,
                          encoding="utf-8", timeout=300, env=child_environment(), preexec_fn=limit)


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """(commands that write into OUT, a folder with an older result) by name; made once."""
    folder = tmp_path_factory.mktemp("full")
    phantom = ellipsoid_ct("regular", pixel_mm=4.0, step_mm=10.0, columns=64, rows=64)
    write_nrrd(folder / "ct.nrrd", phantom.ct.hu, phantom.ct.ijk_to_ras)
    write_nrrd(folder / "mask.nrrd", phantom.mask, phantom.ct.ijk_to_ras)
    run_measure(folder / "ct.nrrd", folder / "mask.nrrd", folder / "measured")
    return {"measure": (["measure", folder / "ct.nrrd", folder / "mask.nrrd"], folder / "measured")}


@pytest.fixture
def older(case, tmp_path):
    """The folder that the command writes into, with what an earlier run left there."""
    return Path(shutil.copytree(case["measure"][1], tmp_path / "out"))


@pytest.mark.parametrize("most_bytes", [50, 1_500, 8_000, 60_000])
def test_a_disk_that_is_full_after_some_bytes_leaves_the_older_result(case, older, most_bytes):
    """50 bytes: not even the mask; 60,000: mask and model, but no report."""
    before = contents(older)
    assert max(map(len, before.values())) > most_bytes, "this limit would not be met"
    done = limited(*case["measure"][0], "-o", older, most_bytes=most_bytes)
    assert done.returncode != 0 and contents(older) == before
    assert len(done.stderr.strip().splitlines()) == 1 and "Traceback" not in done.stderr, done.stderr
    assert "too large" in done.stderr or "space" in done.stderr or "written" in done.stderr, done.stderr


def test_a_new_folder_does_not_appear_half_filled_on_a_full_disk(case, tmp_path):
    done = limited(*case["measure"][0], "-o", tmp_path / "new", most_bytes=8_000)
    assert done.returncode != 0 and list(tmp_path.iterdir()) == []


def test_a_comparison_on_a_full_disk_leaves_the_older_one(tmp_path):
    cases = [measured(tmp_path / name, *scan_of_head(ml)[:2]) for name, ml in (("a", 20), ("b", 32))]
    assert limited("compare", *cases, "-o", tmp_path / "out").returncode == 0
    before = contents(tmp_path / "out")
    done = limited("compare", *cases, "-o", tmp_path / "out", most_bytes=8_000)
    assert done.returncode != 0 and contents(tmp_path / "out") == before
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="only Linux has a place that refuses root, too")
def test_a_place_that_cannot_be_written_is_said_in_one_sentence(case):
    done = limited(*case["measure"][0], "-o", "/proc/ichvolume")
    assert done.returncode != 0 and "Cannot write into /proc/ichvolume" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
