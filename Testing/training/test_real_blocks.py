"""Real bleeds as training sees them. On fakes made by code."""

import numpy as np
from real_fakes import write_data

from ICHVolumeLib.datasets.ct_ich_bleeds import load_bleeds
from ICHVolumeLib.training.real_blocks import RealBlocks


def test_training_sees_real_blood_where_its_mask_is(tmp_path):
    blocks = RealBlocks(load_bleeds(write_data(tmp_path), "train"))
    rng, seen = np.random.default_rng(0), set()
    for _ in range(12):
        block = blocks.draw(rng, size=96, pixel_mm=1.5, slices=3)
        assert block.hu.shape == block.labels.shape == (3, 96, 96)
        seen |= set(np.unique(block.labels))
        blood = block.labels == 1
        if blood.sum() > 50:
            assert np.median(block.hu[blood]) > np.median(block.hu[(block.hu > 15) & (block.labels == 0)]) + 15
    assert seen == {0, 1, 255}
