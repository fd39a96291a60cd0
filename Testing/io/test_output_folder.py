"""The output folder: complete or untouched, one writer at a time, and no correction is ever lost."""

import json
import os
import subprocess
import sys
import textwrap

import pytest
from command_line import ROOT, contents

from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.io.output_folder import OutputFolder, finish_commit
from ICHVolumeLib.io.written_files import sealed

NAMES = ("a.txt", "b.txt", "c.txt")


def everything_is_ours(out, names):
    return set(names)


def write_case(folder, *names):
    with OutputFolder(folder, NAMES, ours=everything_is_ours) as output:
        for name in names:
            (output.staging / name).write_text("new " + name)
        return output.commit()


def test_a_new_folder_appears_with_its_parents_and_nothing_else(tmp_path):
    assert write_case(tmp_path / "deep" / "out", "a.txt", "b.txt") == ["a.txt", "b.txt"]
    assert contents(tmp_path) == {"deep/out/a.txt": b"new a.txt", "deep/out/b.txt": b"new b.txt"}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permission bits")
def test_a_new_folder_has_the_permissions_of_any_new_folder(tmp_path):
    write_case(tmp_path / "out", "a.txt")
    (tmp_path / "plain").mkdir()
    assert (tmp_path / "out").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_other_files_in_an_existing_folder_stay(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "a.txt").write_text("old")
    write_case(tmp_path, "a.txt")
    assert contents(tmp_path) == {"a.txt": b"new a.txt", "notes.txt": b"mine"}


def test_a_file_of_an_earlier_case_that_the_new_one_lacks_is_removed(tmp_path):
    (tmp_path / "b.txt").write_text("surface of another patient")
    write_case(tmp_path, "a.txt")
    assert contents(tmp_path) == {"a.txt": b"new a.txt"}


def test_without_commit_nothing_stays(tmp_path):
    with OutputFolder(tmp_path / "deep" / "out") as output:
        (output.staging / "result.json").write_text("{}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("failing_call", [1, 2, 3, 4])
@pytest.mark.parametrize("failure", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_an_interrupted_commit_puts_the_earlier_files_back(tmp_path, monkeypatch, failing_call, failure):
    for name in ("a.txt", "b.txt", "c.txt"):
        (tmp_path / name).write_text("old " + name)
    before, calls, real = contents(tmp_path), [], os.replace

    def sometimes_failing(source, target):
        calls.append(source)
        if len(calls) == failing_call:
            raise failure
        real(source, target)

    monkeypatch.setattr(os, "replace", sometimes_failing)
    with pytest.raises(KeyboardInterrupt if failure is KeyboardInterrupt else InputError):
        write_case(tmp_path, "a.txt", "b.txt")
    assert contents(tmp_path) == before
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize("place", ["file.txt", "file.txt/out", "file.txt/deep/out"])
def test_a_place_that_cannot_be_written_is_refused_before_any_work(tmp_path, place):
    (tmp_path / "file.txt").write_text("mine")
    with pytest.raises(InputError, match="Cannot write into .*choose an output folder"):
        OutputFolder(tmp_path / place)
    assert contents(tmp_path) == {"file.txt": b"mine"}


def write_sealed(folder, force=False, **texts):
    """A folder as a case leaves it: files and a result.json that lists their hashes."""
    with OutputFolder(folder, ("mask", "report", "result.json"), force=force) as output:
        for name, text in texts.items():
            (output.staging / name).write_text(text)
        (output.staging / "result.json").write_text(json.dumps(sealed({"ml": 1.5}, output.staging)))
        return output.commit()


def test_what_this_program_wrote_is_replaced_without_a_word(tmp_path):
    write_sealed(tmp_path / "out", mask="first", report="first")
    write_sealed(tmp_path / "out", mask="second")
    assert sorted(contents(tmp_path / "out")) == ["mask", "result.json"]
    assert contents(tmp_path / "out")["mask"] == b"second"


@pytest.mark.parametrize("name", ["mask", "report", "result.json"])
def test_a_file_that_somebody_changed_is_never_replaced(tmp_path, name):
    write_sealed(tmp_path / "out", mask="first", report="first")
    (tmp_path / "out" / name).write_text('{"ml": 2.5}')
    before = contents(tmp_path / "out")
    with pytest.raises(InputError, match=f"{name} in .* changed .*--force"):
        write_sealed(tmp_path / "out", mask="second")
    assert contents(tmp_path / "out") == before


def test_a_file_of_that_name_that_we_never_wrote_is_never_replaced(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mask").write_text("drawn by hand")
    with pytest.raises(InputError, match="not written by this version"):
        write_sealed(tmp_path / "out", mask="second")
    assert contents(tmp_path) == {"out/mask": b"drawn by hand"}


def test_a_correction_saved_while_the_case_runs_is_not_lost_either(tmp_path):
    write_sealed(tmp_path, mask="first")
    with OutputFolder(tmp_path, ("mask", "result.json")) as output:
        (output.staging / "mask").write_text("second")
        (tmp_path / "mask").write_text("corrected meanwhile")
        with pytest.raises(InputError, match="--force"):
            output.commit()
    assert contents(tmp_path)["mask"] == b"corrected meanwhile"


def test_force_keeps_a_dated_copy_of_what_was_changed_and_of_nothing_else(tmp_path):
    write_sealed(tmp_path, mask="first", report="first")
    (tmp_path / "mask").write_text("corrected")
    write_sealed(tmp_path, force=True, mask="second", report="second")
    found = contents(tmp_path)
    copies = [name for name in found if name.endswith("-mask")]
    assert len(copies) == 1 and copies[0][:2] == "20" and found[copies[0]] == b"corrected"
    assert sorted(set(found) - set(copies)) == ["mask", "report", "result.json"] and found["mask"] == b"second"


@pytest.mark.parametrize("exists", [True, False])
def test_a_second_run_into_the_same_folder_is_refused(tmp_path, exists):
    out = tmp_path / "out"
    if exists:
        write_sealed(out, mask="first")
    with OutputFolder(out, ("mask",)):
        with pytest.raises(InputError, match="Another run is writing into"):
            OutputFolder(out, ("mask",))
    write_sealed(out, mask="afterwards")
    assert sorted(os.listdir(tmp_path)) == ["out"] and sorted(os.listdir(out)) == ["mask", "result.json"]


def run_killed(out, moment):
    """Commit into `out` in a process that ends itself without a word before its nth rename (as kill -9 would)."""
    code = textwrap.dedent(f"""
        import os, sys
        sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "Testing")!r}, {str(ROOT / "Testing" / "io")!r}]
        real, calls = os.replace, []
        def replace(source, target):
            if len(calls) == {moment}:
                os._exit(9)
            calls.append(source)
            real(source, target)
        from test_output_folder import write_case
        os.replace = replace
        write_case({str(out)!r}, "a.txt", "b.txt")
    """)
    return subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode


def test_a_kill_at_any_moment_leaves_the_old_files_or_after_the_next_look_the_new_ones(tmp_path):
    old = {name: f"old {name}".encode() for name in NAMES}
    new = {name: f"new {name}".encode() for name in ("a.txt", "b.txt")}
    seen = []
    for moment in range(20):
        out = tmp_path / str(moment)
        out.mkdir()
        for name in NAMES:
            (out / name).write_text(f"old {name}")
        code = run_killed(out, moment)
        finish_commit(out)
        found = {name: data for name, data in contents(out).items() if not name.startswith(".ichvolume")}
        assert found in (old, new)
        seen.append(found)
        if code == 0:
            break
    assert seen[0] == old and seen[-1] == new and len(seen) >= 5


def test_what_a_killed_run_was_writing_goes_with_the_next_run_and_no_other_runs_does(tmp_path):
    out = tmp_path / "out"
    for name in (".ichvolume-writing-out-abcdefgh", ".ichvolume-writing-out-2-abcdefgh"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "mask").write_text("half of it")
    write_case(out, "a.txt")
    assert {path.name for path in tmp_path.iterdir()} == {"out", ".ichvolume-writing-out-2-abcdefgh"}
    (out / ".ichvolume-writing-abcdefgh").mkdir()
    (out / ".ichvolume-writing-deeper-abcdefgh").mkdir()
    write_case(out, "b.txt")
    assert {path.name for path in out.iterdir()} == {"b.txt", ".ichvolume-writing-deeper-abcdefgh"}
