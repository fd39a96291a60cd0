"""The command line: names, exit codes, what it prints, and the same numbers as the library."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from command_line import child_environment, contents, ichvolume
from network_weights import thresholding_weights

from ICHVolumeLib import __version__, cli
from ICHVolumeLib.commands import COMMANDS
from ICHVolumeLib.commands.console import Progress, say_json
from ICHVolumeLib.core.errors import Cancelled, ICHVolumeError, InputError
from ICHVolumeLib.core.result import ClinicalInputs
from ICHVolumeLib.io.masks import read_mask
from ICHVolumeLib.io.read_ct import read_ct
from ICHVolumeLib.io.result_files import rounded
from ICHVolumeLib.io.segmentation_nrrd import write_mask_seg_nrrd
from ICHVolumeLib.synthetic.dicom_series import write_dicom_series
from ICHVolumeLib.workflow import case


@pytest.fixture(scope="module")
def files(tmp_path_factory, phantom):
    folder = tmp_path_factory.mktemp("case")
    write_dicom_series(phantom.ct, folder / "ct")
    write_mask_seg_nrrd(folder / "mask.seg.nrrd", phantom.mask, phantom.ct)
    thresholding_weights(folder / "weights")
    return folder


@pytest.fixture
def no_3d_picture(monkeypatch):
    monkeypatch.setattr("ICHVolumeLib.report.pictures.picture_of_bleed", lambda ct, mask: (None, "Not drawn here."))


def test_the_commands_are_there_and_explain_themselves(capsys):
    done = ichvolume("--help")
    assert done.returncode == 0
    assert {"segment", "measure", "check", "sample", "demo"} <= set(COMMANDS)
    for command in COMMANDS:
        assert command in done.stdout
        with pytest.raises(SystemExit) as ending:  # a process for one of them is enough
            cli.main([command, "--help"])
        assert ending.value.code == 0
        assert f"usage: ichvolume {command}" in capsys.readouterr().out
    assert "usage: ichvolume segment" in ichvolume("segment", "--help").stdout


def test_other_processes_are_refused_before_the_heads_are_read(tmp_path, capsys):
    pytest.importorskip("torch")
    assert cli.main(["train", str(tmp_path / "no data"), "-o", str(tmp_path / "run"), "--jobs", "2"]) != 0
    assert "--preset many" in capsys.readouterr().err


def test_version_is_the_packages():
    assert ichvolume("--version").stdout.strip() == f"ICHVolume {__version__}"


@pytest.mark.parametrize("arguments", [[], ["fly"], ["segment"], ["segment", "ct"], ["measure", "ct", "-o", "out"],
                                       ["sample", "out", "--tilt", "steep"], ["train", "d", "-o", "o", "--jobs", "-1"],
                                       ["evaluate", "d", "-o", "o", "--patients", "few"],
                                       ["segment", "ct", "-o", "o", "--gcs", "x"]])
def test_bad_usage_is_one_line_and_exit_code_2(arguments, capsys):
    with pytest.raises(SystemExit) as ending:
        cli.main(arguments)
    assert ending.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize("failure, code", [
    (InputError("ct: no image; give a folder with one."), 2), (Cancelled("stopped"), 3), (KeyboardInterrupt(), 3),
    (ICHVolumeError("the engine failed"), 1), (RuntimeError("boom"), 1), (MemoryError(), 1), (None, 0)])
def test_every_ending_has_its_exit_code_and_one_sentence(monkeypatch, capsys, tmp_path, failure, code):
    def run(*_, **__):
        if failure is not None:
            raise failure

    monkeypatch.setattr("ICHVolumeLib.commands.check.run", run)
    assert cli.main(["check", str(tmp_path)]) == code
    complaint = capsys.readouterr().err
    assert len(complaint.splitlines()) == (0 if failure is None else 1)
    assert "Traceback" not in complaint


def test_an_internal_error_shows_where_it_came_from_when_asked(monkeypatch, capsys, tmp_path):
    def run(args):
        raise RuntimeError("boom")

    monkeypatch.setattr("ICHVolumeLib.commands.check.run", run)
    monkeypatch.setenv("ICHVOLUME_TRACEBACK", "1")
    cli.main(["check", str(tmp_path)])
    assert "Traceback" in capsys.readouterr().err


def test_segment_gives_the_numbers_of_the_library(files, tmp_path, no_3d_picture, capsys):
    options = ["--weights", str(files / "weights"), "--device", "cpu", "--age", "81", "--gcs", "7", "--ivh", "no",
               "--infratentorial", "no"]
    assert cli.main(["segment", str(files / "ct"), "-o", str(tmp_path / "out"), *options]) == 0
    printed = capsys.readouterr().out
    by_command = json.loads((tmp_path / "out" / "result.json").read_text(encoding="utf-8"))

    ct = read_ct(files / "ct")
    mask = read_mask(tmp_path / "out" / "mask.seg.nrrd", ct)
    clinical = ClinicalInputs(age_years=81, gcs=7, ivh=False, infratentorial=False)
    by_library = json.loads(json.dumps(rounded(case.make_result(ct, mask, clinical).to_dict())))
    for name in ("volume_ml", "abc2", "components", "ich_score", "max_ich", "func", "geometry"):
        assert by_command[name] == by_library[name], name
    assert f"{by_command['volume_ml']['total']:.1f} mL" in printed
    assert "Research use only" in printed and "ICH score" in printed and "Seconds" in printed


def test_progress_as_json_is_all_there_is_on_standard_output(files, tmp_path, no_3d_picture, capsys):
    code = cli.main(["measure", str(files / "ct"), str(files / "mask.seg.nrrd"), "-o", str(tmp_path / "out"),
                     "--progress", "json"])
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert code == 0
    assert {event["event"] for event in events[:-1]} == {"progress"}
    assert {"stage", "done", "total", "seconds"} <= set(events[0])
    assert (events[-1]["event"], events[-1]["found"]) == ("done", True)


def test_no_bleed_is_done_not_an_error(files, phantom, tmp_path, no_3d_picture, capsys):
    write_mask_seg_nrrd(tmp_path / "empty.seg.nrrd", phantom.mask * 0, phantom.ct)
    assert cli.main(["measure", str(files / "ct"), str(tmp_path / "empty.seg.nrrd"), "-o", str(tmp_path / "out")]) == 0
    assert "The mask is empty" in capsys.readouterr().out


def test_the_bar_is_drawn_on_standard_error_and_taken_away(capsys):
    with Progress("bar") as progress:
        progress("network", 3, 12)
        assert "3/12" in capsys.readouterr().err
    assert capsys.readouterr().err.endswith("\r")


def test_without_a_terminal_there_is_no_bar(capsys):
    with Progress() as progress:
        progress("network", 3, 12)
    assert capsys.readouterr().err == ""


def test_check_says_what_it_sees_and_writes_nothing(files):
    before = contents(files)
    done = ichvolume("check", files / "ct")
    assert done.returncode == 0
    assert "37 slices of 208 x 192 pixels" in done.stdout
    as_json = json.loads(ichvolume("check", files / "ct", "--json").stdout)
    assert as_json["geometry"]["slices"] == 37
    for finding in as_json["findings"]:
        assert finding["message"] in done.stdout
    assert contents(files) == before


def test_a_reader_that_has_seen_enough_is_no_error(files):
    command = [sys.executable, "-m", "ICHVolumeLib", "check", str(files / "ct")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=child_environment())
    process.stdout.close()
    complaint = process.stderr.read()
    process.stderr.close()
    assert (process.wait(timeout=120), complaint) == (0, b"")


def test_json_lines_are_ascii_whatever_the_consoles_encoding(capsys):
    say_json({"out": "Gr\u00fc\u00dfe"})
    line = capsys.readouterr().out
    assert line.isascii() and json.loads(line) == {"out": "Gr\u00fc\u00dfe"}


def test_check_names_tilt_and_spacing_of_a_real_scan(tilted_uneven_folder):
    said = ichvolume("check", tilted_uneven_folder).stdout
    for fact in ("18.5", "4.0", "1.08", "7.0"):
        assert fact in said, fact


def test_ctrl_c_ends_with_3_and_leaves_nothing(files, tmp_path):
    out = tmp_path / "out"
    on_windows = os.name == "nt"
    # a job in the background starts deaf to Ctrl-C
    listens = ("import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
               "from ICHVolumeLib.cli import main; sys.exit(main())")
    process = subprocess.Popen(
        [sys.executable, "-c", listens, "segment", str(files / "ct"), "-o", str(out), "--weights",
         str(files / "weights"), "--device", "cpu", "--progress", "json"], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, encoding="utf-8", env=child_environment(),
        creationflags=subprocess.CREATE_NEW_PROCESS_GROUP if on_windows else 0)
    assert "progress" in process.stdout.readline()
    process.send_signal(signal.CTRL_BREAK_EVENT if on_windows else signal.SIGINT)
    _, complaint = process.communicate(timeout=60)
    assert process.returncode == 3
    assert complaint.strip() == "ichvolume: Cancelled; nothing was written."
    time.sleep(0.1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["segment", "measure"])
def test_no_report_leaves_only_the_report_out(files, tmp_path, command):
    given = [str(files / "mask.seg.nrrd")] if command == "measure" else ["--weights", str(files / "weights")]
    assert cli.main([command, str(files / "ct"), *given, "-o", str(tmp_path / "out"), "--no-report"]) == 0
    written = {path.name for path in (tmp_path / "out").iterdir() if path.is_file()}
    assert written - {".ichvolume-lock"} == {"result.json", "result.csv", "mask.seg.nrrd", "ich.stl"}
