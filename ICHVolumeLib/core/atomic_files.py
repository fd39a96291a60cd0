"""Writing a file so that a reader never meets half of it, and an interrupted program leaves the earlier one."""

import os
from contextlib import contextmanager
from pathlib import Path

from .errors import InputError


@contextmanager
def replacing(path):
    """An open binary file beside `path` that takes its place when the block ends, and is removed when it fails.

    Raises InputError when the place cannot be written, or `path` is open in another program (Windows).
    """
    path = Path(path)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(beside, "wb") as file:
            yield file
        os.replace(beside, path)
    except OSError as error:
        raise InputError(f"Cannot write {path} ({error.strerror or error}); "
                         "choose a place that you may write to.") from error
    finally:
        if beside.is_file():
            beside.unlink()


def replace_file(path, data: bytes) -> None:
    """Write `data` as the whole of `path`; errors as in `replacing`."""
    with replacing(path) as file:
        file.write(data)
