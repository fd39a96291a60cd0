"""A short run of the fuzzer in every test run, and proof that it would notice what it looks for."""

import random

import pytest
from fuzz.mutate import mutated
from fuzz.run import Fuzz

INPUTS, MINUTES = 700, 0.4  # whichever comes first; `make fuzz` tries 100,000


@pytest.fixture(scope="module")
def short_run(tmp_path_factory):
    fuzz = Fuzz(tmp_path_factory.mktemp("fuzz"), seed=2)
    fuzz.run(INPUTS, MINUTES)
    return fuzz


def test_damaged_files_are_read_or_refused_and_nothing_else(short_run):
    assert short_run.done > 20 and not short_run.failures, short_run.report()
    kinds = {name.rpartition(": ")[2] for name in short_run.outcomes}
    assert kinds == {"read", "refused"}


def test_a_run_goes_on_where_it_stopped(short_run):
    again = Fuzz(short_run.folder, seed=2)
    assert (again.done, again.outcomes) == (short_run.done, short_run.outcomes)
    assert Fuzz(short_run.folder, seed=3).done == 0


def test_the_same_seed_gives_the_same_damage():
    sound = bytes(range(256)) * 4
    assert mutated(sound, random.Random("1/7"), 64) == mutated(sound, random.Random("1/7"), 64) != sound


READERS = {
    "an exception": "raise KeyError('x')", "a hang": "while True: pass", "much memory": "bytearray(3 << 30)",
    "a file elsewhere": "open('/tmp/ichvolume-fuzz-elsewhere', 'w')", "a socket": "import socket; socket.socket()",
    "another program": "import subprocess; subprocess.run(['true'])", "a sudden end": "import os; os._exit(3)",
}


@pytest.mark.parametrize("what", READERS)
def test_a_reader_that_does_what_it_must_not_is_noticed(what, tmp_path, monkeypatch):
    """The child is given one target whose reader misbehaves on damaged bytes."""
    from fuzz import run

    child = (run.HERE / "child.py").read_text(encoding="utf-8")
    child = child.replace("SECONDS, WAITING = 10, 6", "SECONDS, WAITING = 1, 6")
    child = child.replace("from fuzz.targets import make_targets", "make_targets = _misbehaving")
    child = child.replace("here = Path(__file__).resolve().parent\n", f"here = Path({str(run.HERE)!r})\n")
    for heavy in ("import pydicom.pixels", "import safetensors.numpy", "import SimpleITK"):
        child = child.replace(heavy, "pass")
    child = child.replace("def main(", f"""def _misbehaving(folder):
    from types import SimpleNamespace

    def read():
        if (folder / "f").read_bytes() != b"sound":
            {READERS[what]}

    return [SimpleNamespace(name="x", sound=b"sound", file=folder / "f", damage=lambda *_: b"damaged", header_bytes=5,
                            read=read, share=1, has_child=False)]


def main(""")
    (tmp_path / "child.py").write_text(child, encoding="utf-8")
    monkeypatch.setattr(run, "HERE", tmp_path)
    fuzz = Fuzz(tmp_path / "state", seed=1)
    fuzz.run(1)
    assert sum(fuzz.failures.values()) == 1, fuzz.report()
