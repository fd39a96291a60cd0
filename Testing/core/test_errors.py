"""What the library raises can be written and printed, whatever bytes a path brought along."""

import pickle

import pytest

from ICHVolumeLib.core.errors import Cancelled, ICHVolumeError, InputError
from ICHVolumeLib.engines import EngineError


@pytest.mark.parametrize("kind", [ICHVolumeError, InputError, Cancelled, EngineError])
def test_a_path_that_is_no_utf8_can_be_named_in_an_error(kind):
    text = str(kind("There is no mask file M\udcfcller.nii\x1b[2J; check the path."))
    assert text.encode("utf-8") == "There is no mask file M\ufffdller.nii\ufffd[2J; check the path.".encode()


def test_an_error_crosses_to_another_process():
    error = pickle.loads(pickle.dumps(InputError("no slices here")))
    assert isinstance(error, InputError) and str(error) == "no slices here"
