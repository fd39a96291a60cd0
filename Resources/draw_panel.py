"""Draw the panel on the test bridge, for the README: python Resources/draw_panel.py [folder [dark]]

The module's own code and .ui on PySide6 (see Testing/bridge), with a made patient; never a screenshot of 3D Slicer:
widgets, fonts and the segment editor look different there. The README shows two of the states; look at all of them,
light and dark, whenever the panel changes.
"""

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
for folder in (ROOT, ROOT / "Testing"):
    sys.path.insert(0, str(folder))

import bridge as test_bridge  # noqa: E402
from phantoms import ellipsoid_ct, with_info  # noqa: E402

from ICHVolumeLib.core.labels import OUTSIDE_BRAIN  # noqa: E402

PICTURES = ROOT / "Resources" / "Pictures"
WIDTH = 420
DARK = {"Window": "#353535", "WindowText": "#f0f0f0", "Base": "#232323", "AlternateBase": "#2d2d2d", "Text": "#f0f0f0",
        "Button": "#353535", "ButtonText": "#f0f0f0", "Highlight": "#2a82da", "HighlightedText": "#ffffff",
        "PlaceholderText": "#909090"}
SECTIONS = ("reviewSection", "exportSection", "otherScoresSection", "scoreSection")


def main(folder=PICTURES, theme="light"):
    bridge = test_bridge.install()
    bridge.module = test_bridge.load_module(bridge)
    _set_theme(bridge.app, theme)
    spec = importlib.util.spec_from_file_location("panel_in_use", ROOT / "Testing" / "panel" / "conftest.py")
    in_use = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(in_use)
    panel = in_use.PanelInUse(bridge)
    panel.widget.panel._client.check = in_use._check_here
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    wanted = ("result", "corrected") if folder == PICTURES else None
    for name in states(panel):
        if wanted is None or name in wanted:
            _grab(panel).save(str(folder / f"panel-{name}.png"))
    panel.leave()


def states(panel):
    """Bring the panel into one state after the other; yields their names."""
    patient = ellipsoid_ct("tilted", pixel_mm=0.9, columns=224, rows=240, step_mm=5.0, semi_axes_mm=(22, 14, 17),
                           center_mm=(22, 5, 8))
    ct, mask = with_info(patient.ct, patient_age_years=None), patient.mask.copy()
    mask[:, :, np.flatnonzero(mask.any(axis=(0, 1)))[-1] - 8:] *= 2
    doubt = np.zeros(len(mask), np.float32)
    doubt[[12, 15, 18]] = 0.3, 0.5, 0.2
    patient = replace(patient, ct=ct)
    yield from _one_case(panel, replace(patient, mask=mask), doubt)
    yield from _other_cases(panel, patient)


def _one_case(panel, patient, doubt):
    """From nothing over the model's result to the corrected one."""
    from segment_editor import Editor

    ct, mask = patient.ct, patient.mask
    yield "nothing"
    panel.choose_ct(ct, "4: Head 5.0 H31s")
    yield "picked"
    run = panel.widget.panel._run
    run.started()
    run.progress("network", 12, len(mask), 1.0)
    panel.spin(0.3)
    yield "running"
    run.idle()
    panel.take(patient, slice_uncertainty=doubt, interval_ml=(18.2, 29.9), interval_coverage=0.9,
               label_intervals_ml={"ICH": (16.4, 27.1), "IVH": (1.1, 3.0)})
    yield "result"
    panel.ui.growButton.click()
    yield "tool"
    panel.ui.growButton.click()
    for key, text in (("c_mm", "30,5"), ("gcs", "9"), ("age_years", "74")):
        panel.type_into(key, text)
    panel.choose_in("site", "infratentorial")
    panel.choose_in("ivh", "yes")
    Editor(panel.slicer, panel.segmentation, panel.case.volume_node).erase("ICH", np.indices(mask.shape)[0] > 20)
    panel.spin(0.5)
    for name in SECTIONS:
        getattr(panel.ui, name).collapsed = False
    yield "corrected"
    for name in SECTIONS:
        getattr(panel.ui, name).collapsed = True
    yield from _follow_up(panel, patient, mask)


def _follow_up(panel, patient, mask):
    """The next day's scan, with the bleed larger and the day before to compare with."""
    earlier = panel.segmentation
    panel.choose_ct(patient.ct, "9: Head 5.0 H31s")
    panel.take(replace(patient, mask=mask))
    panel.ui.followUpSection.collapsed = False
    yield "follow-up-empty"
    panel.ui.earlierSelector.setCurrentNode(earlier)
    panel.ui.compareButton.click()
    panel.wait_until(lambda: "mL" in panel.ui.followUpLabel.text)
    yield "follow-up"
    panel.ui.followUpSection.collapsed = True


def _other_cases(panel, patient):
    """No bleed, blood in the ventricles alone, blood outside the brain, a run that failed, an image that is no CT."""
    from segment_editor import Editor

    ct = patient.ct
    panel.choose_ct(ct, "5: Follow-up")
    panel.take(replace(patient, mask=patient.mask * 0))
    yield "no-bleed"
    panel.choose_ct(ct, "6: Ventricles")
    panel.take(replace(patient, mask=patient.mask * 2))
    yield "ivh-only"
    panel.choose_ct(ct, "8: Outside the brain")
    outside = (np.roll(patient.mask, 38, axis=2) * (patient.mask == 0)).astype(np.uint8)
    panel.take(patient, outside=outside, outside_ml=float(outside.sum((1, 2)) @ ct.voxel_volumes_mm3) / 1000)
    Editor(panel.slicer, panel.segmentation, panel.case.volume_node).erase(
        OUTSIDE_BRAIN.name, np.indices(outside.shape)[0] < 18)
    panel.settle()
    yield "outside-corrected"
    panel.choose_ct(ct, "7: Failed")
    panel.widget.panel._failed("The segmentation process ended before it was done (exit code 9). Nothing was changed; "
                               "press Segment ICH to try again.", "process")
    yield "failed"
    panel.choose(panel.slicer.util.addVolumeFromArray((np.abs(ct.hu) % 255).astype(np.uint8), name="MR T1"))
    yield "no-ct"


def _grab(panel):
    window = panel.widget.parent._object
    window.setFixedWidth(WIDTH)
    panel.spin(0.15)
    layout = window.layout()
    window.resize(WIDTH, max(200, layout.totalHeightForWidth(WIDTH) if layout.hasHeightForWidth() else 0))
    panel.spin(0.15)
    return window.grab()


def _set_theme(app, theme):
    from PySide6.QtGui import QColor, QPalette

    app.setStyle("Fusion")
    palette = app.style().standardPalette()
    for role, color in DARK.items() if theme == "dark" else ():
        palette.setColor(getattr(QPalette, role), QColor(color))
    for role in ("WindowText", "Text", "ButtonText") if theme == "dark" else ():
        palette.setColor(QPalette.Disabled, getattr(QPalette, role), QColor("#808080"))
    app.setPalette(palette)


if __name__ == "__main__":
    main(*sys.argv[1:])
