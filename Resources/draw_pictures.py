"""Draw the catalogue's picture of the sample patient: python Resources/draw_pictures.py (needs slicer-core and EGL)

Slice and 3D view as the module sets them up, drawn offscreen by Slicer's displayable managers; it is no screenshot of
the application, and the mask is the sample's own true one: it shows the display, not how well the model does.
"""

import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
for folder in (ROOT, ROOT / "ICHVolume", ROOT / "Testing"):
    sys.path.insert(0, str(folder))

from bare_slicer import require_slicer  # noqa: E402
from mrml_phantoms import add_ct  # noqa: E402
from offscreen import SliceView, ThreeDView, save_png  # noqa: E402

from ICHVolumeLib.core.labels import LABELS  # noqa: E402
from ICHVolumeLib.measure import measure_mask  # noqa: E402
from ICHVolumeLib.synthetic.sample import make_sample  # noqa: E402

PICTURE = ROOT / "Resources" / "Pictures" / "mask-and-surface.png"
SIZE = 640
ZOOM_MM = 230.0


def main():
    slicer = require_slicer()
    from ICHVolumePanel import scene, scene_lines

    sample = make_sample(seed=0, tilt_deg=15.0, ivh=True)
    volume = add_ct(slicer, sample.ct, "Sample head CT")
    segmentation = scene.new_segmentation(volume, sample.mask, LABELS)
    abc2 = measure_mask(sample.ct, sample.mask).abc2
    scene_lines.set_ab_lines(segmentation, volume, abc2.a_line_ras, abc2.b_line_ras)
    with SliceView(slicer, volume, size=(SIZE, SIZE)) as red:
        scene_lines.show_slice(volume, abc2.slice_index)
        red.node.SetFieldOfView(ZOOM_MM, ZOOM_MM, 1)
        left = red.picture()
    with ThreeDView(slicer, (SIZE, SIZE)) as view:
        right = view.picture()
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    save_png(np.hstack([left, right]), PICTURE)


if __name__ == "__main__":
    main()
