"""Colours of what matters, readable on the light and on the dark theme."""

import qt

from ICHVolumeLib.core.findings import ERROR, WARNING

CORRECTED = "corrected"
_ON_LIGHT = {ERROR: "#c62828", WARNING: "#b35300", CORRECTED: "#b35300"}
_ON_DARK = {ERROR: "#ff8a80", WARNING: "#ffb74d", CORRECTED: "#ffb74d"}


def colors_for(widget) -> dict[str, str]:
    """{ERROR, WARNING, CORRECTED: "#rrggbb"} for text on this widget."""
    return _ON_DARK if widget.palette.color(qt.QPalette.Window).lightness() < 128 else _ON_LIGHT
