"""Every figure against another program: pingouin (GPL, a test oracle only), scikit-learn, scipy, statsmodels and MONAI.

Their imports alone take seconds; the same figures are tested against published examples in the other files here.
"""

import warnings

import numpy as np
import pytest
from mask_pairs import GRIDS, TOLERANCE_MM, ragged_pair, scan

from ICHVolumeLib.evaluation.agreement import confusion, regression, volume_agreement
from ICHVolumeLib.evaluation.distributions import f_quantile, t_quantile
from ICHVolumeLib.evaluation.model_comparison import holm, wilcoxon
from ICHVolumeLib.evaluation.overlap import Overlap
from ICHVolumeLib.evaluation.surfaces import surface_scores

pytestmark = pytest.mark.slow


def volumes(seed, n=30):
    rng = np.random.default_rng(seed)
    true = rng.gamma(2, 15, n)
    return 1.05 * true + rng.normal(0, 3, n), true


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_icc_and_its_interval_are_pingouins(seed, monkeypatch):
    pingouin, pandas = pytest.importorskip("pingouin"), pytest.importorskip("pandas")
    for option in ("round", "round.column.CI95"):
        monkeypatch.setitem(pingouin.options, option, None)
    measured, true = volumes(seed)
    table = pandas.DataFrame({"case": [*range(30)] * 2, "rater": ["a"] * 30 + ["b"] * 30,
                              "ml": np.concatenate([measured, true])})
    theirs = pingouin.intraclass_corr(table, "case", "rater", "ml").set_index("Type").loc["ICC(A,1)"]
    ours = volume_agreement(measured, true)["icc_a1"]
    assert ours["value"] == pytest.approx(theirs["ICC"], abs=1e-6)
    assert [ours["low"], ours["high"]] == pytest.approx(list(theirs["CI95"]), abs=1e-6)


@pytest.mark.parametrize("n", [5, 12, 49, 80])
def test_wilcoxon_is_scipys(n):
    stats = pytest.importorskip("scipy.stats")
    difference = np.random.default_rng(n).normal(0.3, 1, n)
    assert wilcoxon(difference) == pytest.approx(tuple(stats.wilcoxon(difference)), abs=1e-6)
    rounded = np.round(2 * difference)
    assert wilcoxon(rounded) == pytest.approx(tuple(stats.wilcoxon(rounded, method="asymptotic")), abs=1e-6)


def test_holm_is_statsmodels():
    multitest = pytest.importorskip("statsmodels.stats.multitest")
    p = np.random.default_rng(0).random(12) / 5
    assert holm(p.tolist()) == pytest.approx(multitest.multipletests(p, method="holm")[1], abs=1e-6)


def test_regression_is_scipys():
    stats = pytest.importorskip("scipy.stats")
    y, x = volumes(3)
    ours, theirs = regression(x, y), stats.linregress(x, y)
    assert (ours["slope"], ours["intercept"]) == pytest.approx((theirs.slope, theirs.intercept), abs=1e-6)
    assert ours["r_squared"] == pytest.approx(theirs.rvalue**2, abs=1e-6)
    t = stats.t.ppf(0.975, len(x) - 2)
    assert ours["slope_ci95"][1] == pytest.approx(theirs.slope + t * theirs.stderr, abs=1e-6)
    assert ours["intercept_ci95"][0] == pytest.approx(theirs.intercept - t * theirs.intercept_stderr, abs=1e-6)


def test_quantiles_are_scipys():
    stats = pytest.importorskip("scipy.stats")
    for share in (0.025, 0.3, 0.5, 0.9, 0.975, 0.999):
        for first in (1, 2.3, 5, 40.7, 1000):
            assert t_quantile(share, first) == pytest.approx(stats.t.ppf(share, first), rel=1e-6, abs=1e-12)
            for second in (1, 3.3, 28, 500.5):
                assert f_quantile(share, first, second) == pytest.approx(stats.f.ppf(share, first, second), rel=1e-6)


def test_the_confusion_at_30_ml_is_scikit_learns():
    metrics = pytest.importorskip("sklearn.metrics")
    measured, true = volumes(4)
    ours = confusion(measured, true)
    below, alarm, miss, above = metrics.confusion_matrix(true >= 30, measured >= 30).ravel()
    assert (ours["below_both"], ours["above_measured_only"], ours["above_true_only"], ours["above_both"]) == \
        (below, alarm, miss, above)
    assert ours["kappa"] == pytest.approx(metrics.cohen_kappa_score(true >= 30, measured >= 30), abs=1e-6)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_overlap_is_scikit_learns(seed):
    metrics = pytest.importorskip("sklearn.metrics")
    mask, truth = (one.ravel() for one in ragged_pair(seed))
    found = Overlap.of(mask, truth)
    assert found.dice == pytest.approx(metrics.f1_score(truth, mask), abs=1e-6)
    assert found.iou == pytest.approx(metrics.jaccard_score(truth, mask), abs=1e-6)
    assert found.sensitivity == pytest.approx(metrics.recall_score(truth, mask), abs=1e-6)
    assert found.ppv == pytest.approx(metrics.precision_score(truth, mask), abs=1e-6)


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
