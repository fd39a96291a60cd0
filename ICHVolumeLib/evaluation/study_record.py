"""What a figure can be made from again: software and versions, command, settings with the seed, SHA-256 of inputs."""

from datetime import datetime

from ..workflow.make_result import SOFTWARE, installed_versions

SCHEMA = "ichvolume-study-record/1"
PACKAGES = ("numpy", "nibabel", "pynrrd", "pydicom", "SimpleITK", "vtk", "matplotlib", "torch", "openvino")


def record(rows: list[dict], settings: dict, command: str) -> dict:
    """Of an evaluation's rows. inputs: a line a case and model; models: what the result.json of `segment` says."""
    made_by: dict[str, list[dict]] = {}
    for row in rows:
        found = made_by.setdefault(row["model"], [])
        if row.get("made_by") and row["made_by"] not in found:
            found.append(row["made_by"])
    return {"schema": SCHEMA, "software": SOFTWARE, "versions": installed_versions(PACKAGES), "made_at": now(),
            "command": command, "settings": settings, "models": made_by,
            "inputs": [{"model": row["model"], "case": row["case"], "files": row["files"], "sha256": row["sha256"]}
                       for row in rows]}


def now() -> str:
    """ISO 8601 with the time zone, to the second."""
    return datetime.now().astimezone().isoformat(timespec="seconds")
