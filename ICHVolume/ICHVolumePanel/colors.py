"""Colours of what matters, readable on the light and on the dark theme."""

import qt

from ICHVolumeLib.core.findings import ERROR, WARNING
from ICHVolumeLib.core.labels import LABELS, OUTSIDE_BRAIN

CORRECTED = "corrected"
_ON_LIGHT = {ERROR: "#c62828", WARNING: "#ad5000", CORRECTED: "#ad5000"}
_ON_DARK = {ERROR: "#ff8a80", WARNING: "#ffb74d", CORRECTED: "#ffb74d"}
SWATCHES = {label.name: "#{:02x}{:02x}{:02x}".format(*(round(255 * part) for part in label.color))
            for label in (*LABELS, OUTSIDE_BRAIN)}
SWATCH_PIXELS = 10


def colors_for(widget) -> dict[str, str]:
    """{ERROR, WARNING, CORRECTED: "#rrggbb"} for text on this widget."""
    return _ON_DARK if widget.palette.color(qt.QPalette.Window).lightness() < 128 else _ON_LIGHT


def swatch_icon(name: str):
    """The label's colour as a QIcon, the same on both themes, as in the views."""
    square = qt.QPixmap(SWATCH_PIXELS, SWATCH_PIXELS)
    square.fill(qt.QColor(SWATCHES[name]))
    return qt.QIcon(square)
