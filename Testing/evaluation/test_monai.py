"""Overlap and distances against MONAI, whose import alone takes seconds."""

import warnings

import numpy as np
import pytest
from mask_pairs import GRIDS, TOLERANCE_MM, ragged_pair, scan

from ICHVolumeLib.evaluation.overlap import Overlap
from ICHVolumeLib.evaluation.surfaces import surface_scores

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("spacing_mm", GRIDS)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_hd95_is_monais(spacing_mm, seed):
    """MONAI's distances are float64; its own percentile of them is float32 and taken by numpy here."""
    pytest.importorskip("torch")
    monai = pytest.importorskip("monai.metrics.utils")
    mask, truth = ragged_pair(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        edges = monai.get_mask_edges(mask, truth, crop=False)[:2]
    there, back = (np.asarray(monai.get_surface_distance(*pair, spacing=list(spacing_mm)), float)
                   for pair in (edges, edges[::-1]))
    found = surface_scores(scan(mask.shape, spacing_mm), mask, truth, TOLERANCE_MM).hd95_mm
    assert found == pytest.approx(max(np.percentile(there, 95), np.percentile(back, 95)), abs=1e-6)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_dice_iou_sensitivity_and_ppv_are_monais(seed):
    torch = pytest.importorskip("torch")
    metrics = pytest.importorskip("monai.metrics")
    mask, truth = ragged_pair(seed)
    first, second = (torch.tensor(one[None, None].astype(np.float64)) for one in (mask, truth))
    counts = metrics.get_confusion_matrix(first, second, include_background=True)
    found = Overlap.of(mask, truth)
    assert found.dice == pytest.approx(float(metrics.compute_dice(first, second)), abs=1e-6)
    assert found.iou == pytest.approx(float(metrics.compute_iou(first, second)), abs=1e-6)
    for name, theirs in (("sensitivity", "sensitivity"), ("ppv", "precision")):
        assert getattr(found, name) == pytest.approx(
            float(metrics.compute_confusion_matrix_metric(theirs, counts)), abs=1e-6)
