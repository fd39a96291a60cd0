"""Which names the real Qt, ctk and qMRML classes have, from slicer_api.json (cut from the C++ headers)."""

import functools
import json
from pathlib import Path

API_FILE = Path(__file__).with_name("slicer_api.json")
MISSED = {  # what the reader of the headers did not find; Slicer's own module template uses it
    "qSlicerAbstractModuleWidget": {"properties": ["isEntered"]},
}


@functools.cache
def classes() -> dict:
    return json.loads(API_FILE.read_text(encoding="utf-8"))["classes"]


@functools.cache
def names_of(class_name: str) -> dict[str, frozenset]:
    """{"properties", "methods", "signals", "enums"} of a class and its bases; KeyError for an unknown class."""
    found = {"properties": set(), "methods": set(), "signals": set(), "enums": set()}
    for name in classes()[class_name]["mro"]:
        entry = classes().get(name)
        if entry is None:
            continue
        found["properties"].update(entry["properties"])
        for kind, missed in MISSED.get(name, {}).items():
            found[kind].update(missed)
        found["signals"].update(entry["signals"])
        for kind in ("slots", "invokables", "decorators", "static"):
            found["methods"].update(entry[kind])
        for enum, values in entry["enums"].items():
            found["enums"].update([enum, *values])
    return {kind: frozenset(names) for kind, names in found.items()}


def argument_counts(class_name: str, method: str) -> list | None:
    """[[fewest, most], ...] arguments of a method where the headers told, else None."""
    for name in classes()[class_name]["mro"]:
        entry = classes().get(name, {})
        for kind in ("slots", "invokables"):
            counts = entry.get(kind, {}).get(method)
            if counts:
                return counts
    return None
