"""`ichvolume bench` from end to end on a small scan, and what it says when something is missing."""

import builtins
import json

import pytest

pytest.importorskip("torch")
pytest.importorskip("ICHVolumeLib.engines.quiet_openvino")

from ICHVolumeLib.bench import machine, run, table, whole_case  # noqa: E402
from ICHVolumeLib.cli import BAD_INPUT, DONE, main  # noqa: E402
from ICHVolumeLib.core.errors import ICHVolumeError  # noqa: E402
from ICHVolumeLib.synthetic.sample import make_sample  # noqa: E402


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    """(exit code, printed text, JSON) of a quick run on a scan of 128 x 128 pixels with two engines."""
    out = tmp_path_factory.mktemp("bench") / "bench.json"
    printed = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "make_sample", lambda seed, ivh: make_sample(seed, ivh=ivh, size=128))
        patch.setattr("ICHVolumeLib.commands.bench.say", lambda text="": printed.append(text))
        code = main(["bench", "--quick", "--layers", "--threads", "1", "--engines", "torch-eager,openvino-f32,cuda",
                     "-o", str(out)])
    return code, "\n".join(printed), json.loads(out.read_text(encoding="utf-8"))


@pytest.mark.slow
def test_the_table_names_the_machine_the_engines_and_the_whole_case(outcome):
    code, text, figures = outcome
    assert code == DONE
    for words in ("threads used", "Versions", "OpenVINO f32", "torch fp32, eager (baseline)", "cold (new process)",
                  "warm (second scan in the process)", "Measuring again", "Layer by layer", "Quick version"):
        assert words in text
    assert figures["schema"] == "ichvolume-bench/1" and figures["machine"]["threads"] == 1


@pytest.mark.slow
def test_an_engine_that_cannot_run_here_is_left_out_with_its_reason(outcome):
    import torch

    if torch.cuda.is_available():
        pytest.skip("this computer has a CUDA GPU")
    _, text, figures = outcome
    assert "NVIDIA" in figures["engines"]["native"]["left_out"]["cuda"] and "cuda: not run (" in text


@pytest.mark.slow
def test_ratios_dice_and_share_of_the_peak_are_there_for_both_grids(outcome):
    for part in outcome[2]["engines"].values():
        rows = {row["engine"]: row for row in part["rows"]}
        assert rows["torch-eager"]["ratio"] == pytest.approx(1)
        assert rows["openvino-f32"]["ratio"] > 0 and 0 < rows["openvino-f32"]["share_of_peak"]
        assert rows["openvino-f32"]["dice"] is None or rows["openvino-f32"]["dice"] >= 0.998
        assert part["gflop_as_run"] < part["gflop_published"]


@pytest.mark.slow
def test_the_steps_of_a_case_add_up_to_it(outcome):
    case = outcome[2]["case"]
    for steps in (case["first_ever"], case["cold"], case["warm"]):
        parts = sum(seconds for name, seconds in steps.items() if name != "total")
        assert parts == pytest.approx(steps["total"], rel=0.1)
    assert {"import", "start"} <= set(case["cold"]) and {"import", "start"}.isdisjoint(case["warm"])


@pytest.mark.slow
def test_the_child_s_memory_is_its_own(outcome):
    """Linux counts a parent's memory in its child's getrusage: this process is far larger than the child."""
    assert 50 < outcome[2]["case"]["peak_memory_mb"] < 1000


@pytest.mark.slow
def test_a_high_load_makes_the_figures_void(outcome):
    said = "\n".join(table.lines({**outcome[2], "load_before": 5.0, "void": True}))
    assert "VOID" in said
    assert "VOID" not in "\n".join(table.lines({**outcome[2], "load_before": 0.1, "void": False}))


@pytest.mark.parametrize("arguments", [["--engines", "tensorflow"], ["--threads", "0"], ["--patients", "-1"],
                                       ["-o", "no/such/folder/bench.json"]])
def test_bad_options_are_refused_before_anything_is_measured(arguments, capsys):
    assert main(["bench", *arguments]) == BAD_INPUT
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_without_monai_the_peers_are_left_out_with_a_sentence(monkeypatch, phantom):
    real = builtins.__import__

    def no_monai(name, *args, **more):
        if name.startswith("monai"):
            raise ImportError("No module named 'monai'")
        return real(name, *args, **more)

    monkeypatch.setattr(builtins, "__import__", no_monai)
    case = {"warm": {"prepare": 0.1, "network": 1.0}}
    peers = run.peers_part(run.Options(), phantom.ct, case, lambda text: None)
    assert "monai" in peers["left_out"] and "bench" in peers["left_out"]
    assert "monai" in "\n".join(table._peers(peers))


def test_a_child_that_fails_is_an_error_in_words(tmp_path):
    with pytest.raises(ICHVolumeError, match="no file or folder"):
        whole_case.run_child(tmp_path / "missing", tmp_path, 1)


def test_the_machine_is_described():
    found = machine.describe_machine(2)
    assert found["processor"] and found["cores"] >= 1 and found["versions"]["openvino"]
    peak = machine.peak_memory_mb()
    assert peak is None or peak > 20
