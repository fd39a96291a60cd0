"""Text that every file and screen can hold, whatever bytes a path or a header brought along.

Python keeps a byte of a file name that is no UTF-8 as a lone surrogate, which no encoder accepts.
"""

import re

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # escape sequences could repaint a terminal; not \t and \n
UNKNOWN_CHARACTER = "\ufffd"


def shown(value) -> str:
    """str(value) with every lone surrogate and control character as the replacement character (U+FFFD)."""
    return _CONTROL.sub(UNKNOWN_CHARACTER, _LONE_SURROGATE.sub(UNKNOWN_CHARACTER, str(value)))


def shown_values(values):
    """Dicts, lists and tuples of plain values with `shown` applied to every text and key."""
    if isinstance(values, str):
        return shown(values)
    if isinstance(values, dict):
        return {shown_values(key): shown_values(value) for key, value in values.items()}
    if isinstance(values, (list, tuple)):
        return [shown_values(value) for value in values]
    return values
