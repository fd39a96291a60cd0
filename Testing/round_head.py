"""A small background made by code, for tests of the generator and of training."""

import numpy as np

from ICHVolumeLib.synthetic.backgrounds import make_background


def round_head(patient="round", kind="procedural", slices=8, brain_hu=32):
    """Concentric skin, bone and brain with two ventricles, 512 x 512 pixels of 0.45 mm, 5 mm slices."""
    y, x = np.mgrid[:512, :512] * 0.45 - 115.0
    radius = np.hypot(x, y)
    one = np.select([radius < 65, radius < 72, radius < 80], [brain_hu, 900, 40], -1000).astype(np.int16)
    one[(np.abs(np.abs(x) - 9) < 5) & (np.abs(y) < 20)] = 6
    hu = np.repeat(one[None], slices, axis=0)
    return make_background(patient, kind, hu, 5.0)
