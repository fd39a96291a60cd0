"""A whole case runs with sockets disabled, in every Python process that it starts."""

import json

import pytest
from command_line import ROOT, ichvolume
from network_weights import thresholding_weights

from ICHVolumeLib.io.segmentation_nrrd import write_mask_seg_nrrd
from ICHVolumeLib.synthetic.dicom_series import write_dicom_series

NO_SOCKETS = """
import sys

def hook(event, arguments):
    if event.startswith("socket."):
        open({log!r}, "a").write(event + "\\n")
        raise OSError("sockets are disabled")

sys.addaudithook(hook)
"""


@pytest.fixture
def offline(tmp_path):
    """Environment in which no Python process can make a socket, and the file where each attempt is noted."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(NO_SOCKETS.format(log=str(tmp_path / "attempts")))
    return {"PYTHONPATH": f"{tmp_path / 'site'}:{ROOT}"}, tmp_path / "attempts"


def test_segmenting_and_measuring_need_no_socket(offline, phantom, tmp_path):
    environment, attempts = offline
    write_dicom_series(phantom.ct, tmp_path / "ct")
    write_mask_seg_nrrd(tmp_path / "mask.seg.nrrd", phantom.mask, phantom.ct)
    thresholding_weights(tmp_path / "weights")
    options = {"segment": ["--weights", tmp_path / "weights", "--device", "cpu"],
               "measure": [tmp_path / "mask.seg.nrrd"]}
    for command, more in options.items():
        done = ichvolume(command, tmp_path / "ct", *more, "-o", tmp_path / command, **environment)
        assert done.returncode == 0, done.stderr
        assert json.loads((tmp_path / command / "result.json").read_text(encoding="utf-8"))["found"]
    assert not attempts.exists(), attempts.read_text()


def test_the_probe_sees_a_socket(offline, tmp_path):
    import os
    import subprocess
    import sys

    environment, attempts = offline
    done = subprocess.run([sys.executable, "-c", "import socket; socket.socket()"], env={**os.environ, **environment},
                          capture_output=True, text=True, check=False)
    assert "sockets are disabled" in done.stderr and "socket.__new__" in attempts.read_text()
