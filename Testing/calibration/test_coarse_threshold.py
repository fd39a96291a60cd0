from dataclasses import replace

import numpy as np
import pytest
from phantoms import ellipsoid_ct

pytest.importorskip("torch")
pytest.importorskip("ICHVolumeLib.engines.quiet_openvino")

from network_weights import thresholding_weights  # noqa: E402

from ICHVolumeLib.calibration.coarse_threshold import HIGHEST, SAFETY, FoundBleed, choose, found_bleeds  # noqa: E402
from ICHVolumeLib.network.weights import load_weights  # noqa: E402
from ICHVolumeLib.segmentation.coarse_pass import REACH  # noqa: E402
from ICHVolumeLib.segmentation.network_runner import NetworkRunner  # noqa: E402
from ICHVolumeLib.synthetic.patients import Patient  # noqa: E402

PIXELS = {"pixel_spacing_mm": {"native_range": [0.3, 2.0], "target": 0.47}}


@pytest.fixture(scope="module")
def runner(tmp_path_factory):
    return NetworkRunner(load_weights(thresholding_weights(tmp_path_factory.mktemp("weights"), PIXELS)), "cpu", "auto")


def patient(hu=None, **changes):
    phantom = ellipsoid_ct("flipped", **{"half_height_mm": 48, "pixel_mm": 1.5, "columns": 128, "rows": 144,
                                         "step_mm": 6.0, "noise_hu": 1.0, "semi_axes_mm": (12, 9, 14), **changes})
    ct = phantom.ct if hu is None else replace(phantom.ct, hu=np.where(phantom.mask > 0, hu, phantom.ct.hu))
    return Patient("phantom", ct, phantom.mask)


class HardlySees:
    """A runner whose probabilities are a fifth in some of its calls, which follow the slices from the feet."""

    def __init__(self, runner, calls):
        self._runner, self._calls, self._done = runner, calls, 0
        self.weights = runner.weights

    def predict(self, slices):
        self._done += 1
        return self._runner.predict(slices) * (0.2 if self._done - 1 in self._calls else 1.0)


def test_a_bleed_that_both_networks_see_has_its_volume_and_a_high_probability(runner):
    (bleed,) = found_bleeds(patient(), runner, runner)
    true_ml = patient().truth.astype(bool).sum() * 1.5**2 * 6 / 1000
    assert bleed.volume_ml == pytest.approx(true_ml, rel=1e-6) and bleed.least > 0.9


def test_the_slice_where_the_coarse_network_sees_least_decides(runner):
    """A neighbour is looked at too: three slices that it hardly sees make the end of the bleed faint."""
    (bleed,) = found_bleeds(patient(), runner, HardlySees(runner, range(REACH + 3)))
    assert bleed.least == pytest.approx(0.2, abs=0.01)


def test_a_slice_that_the_fine_network_does_not_mark_either_does_not_count(runner):
    seen = patient()
    hu = seen.ct.hu.copy()
    slices = np.flatnonzero((seen.truth > 0).any(axis=(1, 2)))
    hu[slices[:3]] = np.where(seen.truth[slices[:3]] > 0, 52, hu[slices[:3]])
    (bleed,) = found_bleeds(replace(seen, ct=replace(seen.ct, hu=hu)), runner, runner)
    assert bleed.least > 0.9


def test_a_bleed_that_the_fine_network_does_not_find_says_nothing(runner):
    assert found_bleeds(patient(hu=40), runner, runner) == []


def test_a_bleed_of_less_than_a_tenth_of_a_millilitre_says_nothing(runner):
    assert found_bleeds(patient(semi_axes_mm=(1.6, 1.6, 1.6), center_mm=(0, 0, 0)), runner, runner) == []


def test_the_threshold_is_half_of_the_lowest_and_never_high():
    found = [FoundBleed("a", 1.0, 0.3), FoundBleed("b", 0.2, 0.02)]
    assert choose(found) / (1 - choose(found)) == pytest.approx(SAFETY * 0.02 / 0.98)
    assert choose(found[:1]) / (1 - choose(found[:1])) == pytest.approx(SAFETY * 0.3 / 0.7)
    assert choose([FoundBleed("a", 1.0, 1.0)]) == choose([]) == HIGHEST
