"""Text that every file and screen can hold, whatever bytes a path or a header brought along.

Python keeps a byte of a file name that is no UTF-8 as a lone surrogate, which no encoder accepts.
"""

import math
import re

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # escape sequences could repaint a terminal; not \t and \n
UNKNOWN_CHARACTER = "\ufffd"
_LEAST_SENSIBLE, _MOST_SENSIBLE = 1e-6, 1e9


def shown(value) -> str:
    """str(value) with every lone surrogate and control character as the replacement character (U+FFFD)."""
    return _CONTROL.sub(UNKNOWN_CHARACTER, _LONE_SURROGATE.sub(UNKNOWN_CHARACTER, str(value)))


def number_words(value: float, digits: int = 2) -> str:
    """A number rounded to `digits` places that count, never as a power of ten: 670, 6.7, 0.067, 5. Of a damaged
    header's numbers beyond all sense it says "over 1000000000" and "under 0.000001"."""
    if not math.isfinite(value):
        return f"{value}"
    if abs(value) > _MOST_SENSIBLE:
        return f"over {_MOST_SENSIBLE:.0f}" if value > 0 else f"under -{_MOST_SENSIBLE:.0f}"
    if 0 < abs(value) < _LEAST_SENSIBLE:
        return f"under {_LEAST_SENSIBLE:f}" if value > 0 else f"over -{_LEAST_SENSIBLE:f}"
    before_point = math.floor(math.log10(abs(value))) + 1 if value else 1
    text = f"{value:.{max(digits - before_point, 0)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def shown_values(values):
    """Dicts, lists and tuples of plain values with `shown` applied to every text and key."""
    if isinstance(values, str):
        return shown(values)
    if isinstance(values, dict):
        return {shown_values(key): shown_values(value) for key, value in values.items()}
    if isinstance(values, (list, tuple)):
        return [shown_values(value) for value in values]
    return values
