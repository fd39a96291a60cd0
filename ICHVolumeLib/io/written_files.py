"""Which files of an output folder are still as this program wrote them: result.json keeps their SHA-256.

A corrected mask looks like any other mask; only its hash tells that a person has worked on it.
"""

import hashlib
import json
from pathlib import Path

from ..core.errors import InputError

RESULT_JSON = "result.json"
UNCHANGED, CHANGED, MISSING, FOREIGN = "unchanged", "changed", "missing", "not written by ICHVolume"


def sha256_of(path: Path) -> str:
    """Of a file's bytes, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sealed(values: dict, folder: Path, record: str = RESULT_JSON) -> dict:
    """The values of a result.json (or another `record`) with `files`: name -> SHA-256 of every file of the folder, and
    of the values themselves under the record's name."""
    files = {path.name: sha256_of(path) for path in sorted(Path(folder).iterdir())
             if path.is_file() and path.name != record}
    whole = {**values, "files": files}
    files[record] = _content_sha256(whole, record)
    return whole


def file_states(out: Path, names=(), record: str = RESULT_JSON) -> dict[str, str]:
    """Name -> UNCHANGED, CHANGED, MISSING or FOREIGN, of every file that the record lists and of `names` that are
    there. Without a record that lists files (an earlier version wrote none) all is FOREIGN."""
    out = Path(out)
    listed, own_sha256 = _listed(out, record)
    states = {}
    for name, sha256 in listed.items():
        path = out / name
        if not path.is_file():
            states[name] = MISSING
        else:
            found = own_sha256 if name == record else sha256_of(path)
            states[name] = UNCHANGED if found == sha256 else CHANGED
    return states | {name: FOREIGN for name in names if name not in listed and (out / name).exists()}


def read_result(out: Path, record: str = RESULT_JSON) -> dict:
    """The values of a folder's result.json. Raises InputError when there is none that can be read."""
    path = Path(out) / record
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"{out} has no {record}; give an output folder of `segment` or `measure`.") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({error}); measure the case again into another folder.") from error
    if not isinstance(values, dict):
        raise InputError(f"{path} is not a result of ICHVolume; measure the case again into another folder.")
    return values


def _listed(out: Path, record: str) -> tuple[dict[str, str], str]:
    """(the files that the record lists, its own content's SHA-256)."""
    try:
        values = read_result(out, record)
    except InputError:
        return {}, ""
    files = values.get("files")
    if not isinstance(files, dict) or not all(isinstance(sha256, str) for sha256 in files.values()):
        return {}, ""
    return {name: sha256 for name, sha256 in files.items() if Path(name).name == name}, _content_sha256(values, record)


def _content_sha256(values: dict, record: str) -> str:
    """Of the values as canonical JSON, without the entry that holds this hash."""
    files = {name: sha256 for name, sha256 in values["files"].items() if name != record}
    text = json.dumps({**values, "files": files}, sort_keys=True, ensure_ascii=True, allow_nan=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()
