"""What matters is readable on Slicer's light and on its dark theme."""

from types import SimpleNamespace

import pytest

THEMES = {"light": "#efefef", "dark": "#353535"}
TEXT, SIGN = 4.5, 1.5  # contrast (WCAG 2) of words; of a swatch, whose label stands beside it in words


def luminance(color: str) -> float:
    parts = [int(color[at:at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted(luminance(color) for color in (one, other))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", THEMES)
def test_warnings_and_swatches_stand_out_on_both_themes(bridge, theme):
    from ICHVolumePanel.colors import SWATCHES, colors_for
    from PySide6.QtGui import QColor

    widget = SimpleNamespace(palette=SimpleNamespace(color=lambda _role: QColor(THEMES[theme])))
    for meaning, color in colors_for(widget).items():
        assert contrast(color, THEMES[theme]) >= TEXT, meaning
    for name, color in SWATCHES.items():
        assert contrast(color, THEMES[theme]) >= SIGN, name
