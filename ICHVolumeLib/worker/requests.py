"""What the child process does for Slicer besides segmenting, so that the window never waits: plain files in and out.

Each takes a command's values (see worker.py) and returns what its "done" event says besides event and id.
"""

from pathlib import Path

from ..anatomy.head_frame import HeadFrame, fit_head_frame
from ..anatomy.mass_effect import measure_mass_effect
from ..core.plain import to_plain
from ..quality.checks import check_ct
from ..quality.head_pose import check_head_pose
from ..report import write_report
from ..report.follow_up_page import rule_rows, volume_rows
from ..synthetic.sample import SIZE, make_sample
from ..workflow.dicom_files import write_dicom_files
from ..workflow.follow_up import case_in_memory, compare_in_memory, read_case
from .npz_files import read_measured, read_outside, read_scan, write_scan


def check(command: dict) -> dict:
    """input: scan.npz. findings: check_ct's and check_head_pose's, as dicts; head_frame: fit_head_frame's, as a dict,
    or None; mass_effect: measure_mass_effect's without a mask, as dicts."""
    ct = read_scan(command["input"])
    frame = fit_head_frame(ct)
    return {"findings": to_plain([*check_ct(ct), *check_head_pose(ct, frame)]),
            "head_frame": frame and frame.to_plain(),
            "mass_effect": to_plain(measure_mass_effect(ct, None, frame))}


def mass_effect(command: dict) -> dict:
    """input: scan.npz; measured: the mask and its result; head_frame: of `check`, or None. mass_effect:
    measure_mass_effect's of this mask, as dicts."""
    mask, _ = read_measured(command["measured"])
    frame = command.get("head_frame")
    frame = HeadFrame.from_plain(frame) if frame else None
    return {"mass_effect": to_plain(measure_mass_effect(read_scan(command["input"]), mask, frame))}


def report(command: dict) -> dict:
    """input: scan.npz; measured: the mask and its result; output: the HTML page."""
    ct = read_scan(command["input"])
    mask, result = read_measured(command["measured"])
    write_report(command["output"], ct, mask, result, outside=read_outside(command["measured"]))
    return {"output": command["output"]}


def dicom(command: dict) -> dict:
    """input: scan.npz; measured: the mask and its result; source: folder of the DICOM images; output: a folder to make,
    with the Segmentation and the structured report."""
    mask, result = read_measured(command["measured"])
    into = Path(command["output"])
    into.mkdir()
    write_dicom_files(into, read_scan(command["input"]), mask, result, Path(command["source"]))
    return {"output": command["output"]}


def compare(command: dict) -> dict:
    """input, measured: the later scan with its mask and result; the earlier ones in earlier_input and earlier_measured,
    or in earlier_folder, an output folder of `segment` or `measure`; source, earlier_source: DICOM folders, or "".

    comparison: to_dict of it; volumes, rules: follow_up_page's rows.
    """
    later = case_in_memory(read_scan(command["input"]), *read_measured(command["measured"]), command.get("source", ""))
    if command.get("earlier_folder"):
        earlier = read_case(command["earlier_folder"])
    else:
        earlier = case_in_memory(read_scan(command["earlier_input"]), *read_measured(command["earlier_measured"]),
                                 command.get("earlier_source", ""))
    comparison = compare_in_memory(earlier, later)
    return {"comparison": comparison.to_dict(), "volumes": volume_rows(comparison), "rules": rule_rows(comparison)}


def sample(command: dict) -> dict:
    """output: scan.npz of the sample patient; pixels: of a row, optional."""
    write_scan(command["output"], make_sample(size=command.get("pixels") or SIZE).ct)
    return {"output": command["output"]}


REQUESTS = {"check": (check, ("input",)), "mass_effect": (mass_effect, ("input", "measured")),
           "compare": (compare, ("input", "measured")), "dicom": (dicom, ("input", "measured", "source", "output")),
           "report": (report, ("input", "measured", "output")),
           "sample": (sample, ("output",))}  # name -> (function, what the command has to give)
