"""A thin-slice scan in the worker process, as Slicer runs it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("ICHVolumeLib.engines.quiet_openvino")

from ICHVolumeLib.bench.machine import _peak_in  # noqa: E402
from ICHVolumeLib.bench.scans import thin_scan  # noqa: E402
from ICHVolumeLib.core.ct_volume import CTVolume  # noqa: E402
from ICHVolumeLib.synthetic.sample import make_sample  # noqa: E402
from ICHVolumeLib.worker.npz_files import read_segmentation, write_scan  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
LIMIT_MB = 1500


@pytest.fixture(scope="module")
def scan(tmp_path_factory):
    """300 slices of 512 x 512 in an exchange file: a made head of 256 x 256, every pixel four times."""
    small = make_sample(0, size=256).ct
    matrix = small.ijk_to_ras @ np.diag([0.5, 0.5, 1.0, 1.0])
    large = CTVolume(small.hu.repeat(2, axis=1).repeat(2, axis=2), matrix, small.slice_origins_ras, small.info)
    path = tmp_path_factory.mktemp("thin") / "in.npz"
    write_scan(path, thin_scan(large, 300))
    return path


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads a process's memory from /proc (Linux)")
def test_300_slices_stay_under_one_and_a_half_gigabytes_in_the_child(scan, tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "ICHVolumeLib.worker"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True, encoding="utf-8",
        env={**os.environ, "ICHVOLUME_CACHE": str(tmp_path / "cache")})
    with process:
        command = {"command": "segment", "id": "1", "input": str(scan), "output": str(tmp_path / "out.npz"),
                   "device": "cpu"}
        process.stdin.write(json.dumps(command) + "\n")
        process.stdin.flush()
        for line in process.stdout:
            event = json.loads(line)
            if event["event"] in ("done", "error"):
                break
        peak_mb = _peak_in(Path(f"/proc/{process.pid}/status"))
        process.stdin.close()
    assert event["event"] == "done", event
    assert read_segmentation(tmp_path / "out.npz").mask.shape == (300, 512, 512)
    assert peak_mb < LIMIT_MB
