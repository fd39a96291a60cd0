"""The weights of the package on fixed cases: every engine gives fp32 torch's mask, on tiny bleeds alone too.

"auto bf16" and "auto int8" are the engine as it runs where they are faster. Alone they are not asked to agree on tiny
bleeds: they do not.
"""

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("ICHVolumeLib.engines.quiet_openvino")

from ICHVolumeLib.bench.scans import place_in_brain, with_ball  # noqa: E402
from ICHVolumeLib.engines import openvino_engine  # noqa: E402
from ICHVolumeLib.engines.int8 import int8_runs_here  # noqa: E402
from ICHVolumeLib.engines.openvino_engine import OpenVinoEngine  # noqa: E402
from ICHVolumeLib.engines.quiet_openvino import ov  # noqa: E402
from ICHVolumeLib.engines.torch_engine import TorchEngine  # noqa: E402
from ICHVolumeLib.segmentation.segmenter import Segmenter  # noqa: E402
from ICHVolumeLib.synthetic.sample import make_sample  # noqa: E402

TINY_ML = (0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5)
ROUNDING_OF_P = 0.05  # how far bf16 and int8 may move p(bleed)


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ICHVOLUME_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def weights():
    return Segmenter().weights


@pytest.fixture(scope="module")
def cases():
    """Name -> (slices as the network gets them, p(bleed) by fp32 torch): one large bleed, and tiny ones each alone."""
    segmenter = Segmenter()
    torch_fp32 = TorchEngine(segmenter.weights)
    large, empty = make_sample(0, ivh=True, size=256), make_sample(3, bleed=False, size=256).ct
    bleeding = np.flatnonzero(large.mask.any(axis=(1, 2)))
    inputs = {"large": segmenter.network_input(large.ct, bleeding[::2])}
    for seed, volume_ml in enumerate(TINY_ML):
        ct, truth = with_ball(empty, place_in_brain(empty, seed), volume_ml)
        inputs[f"{volume_ml} mL"] = segmenter.network_input(ct, np.flatnonzero(truth.any(axis=(1, 2))))
    return {name: (slices, torch_fp32.predict(slices).sum(axis=1)) for name, slices in inputs.items()}


@pytest.fixture(scope="module", params=["f32", "auto bf16", "auto int8"])
def answers(request, cases, weights):
    """Name -> (p(bleed) by OpenVINO in this precision, by fp32 torch)."""
    if "bf16" in request.param and "BF16" not in ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        pytest.skip("this processor has no bf16")
    if "int8" in request.param and not (weights.int8_ranges and int8_runs_here(ov.Core())):
        pytest.skip("no int8 on this processor, or no ranges for it in these weights")
    measured = request.param.split()[-1].replace("int8", "f32")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(openvino_engine, "best_precision", lambda core, cache: measured)
        engine = OpenVinoEngine(weights, "f32" if request.param == "f32" else None)
    assert engine.precision == request.param.split()[-1]
    found = {}
    for name, (slices, exact) in cases.items():
        engine.prepare(*slices.shape[2:])
        found[name] = engine.predict(slices).sum(axis=1), exact
    return found


def dice(pairs):
    both = sum(int((one & other).sum()) for one, other in pairs)
    return 2 * both / sum(int(one.sum()) + int(other.sum()) for one, other in pairs)


def masks(answers, threshold, names):
    return [(answers[name][0] >= threshold, answers[name][1] >= threshold) for name in names]


def test_a_large_bleed_with_ventricular_blood_gets_the_same_mask(answers, weights):
    (found, expected), = masks(answers, weights.threshold, ["large"])
    assert expected.sum() > 1000
    assert dice([(found, expected)]) >= 0.998


def test_tiny_bleeds_alone_get_the_same_mask(answers, weights):
    tiny = masks(answers, weights.threshold, [name for name in answers if name != "large"])
    assert sum(int(expected.sum()) for _, expected in tiny) > 100
    assert dice(tiny) >= 0.998


def test_no_tiny_bleed_is_lost_or_made_up(answers, weights):
    for found, expected in masks(answers, weights.threshold, answers):
        assert (found.any(axis=(1, 2)) == expected.any(axis=(1, 2))).all()


def test_masks_differ_only_where_fp32_itself_sits_on_the_threshold(answers, weights):
    for found, exact in answers.values():
        differ = (found >= weights.threshold) != (exact >= weights.threshold)
        assert (np.abs(exact[differ] - weights.threshold) < ROUNDING_OF_P).all()


def test_bf16_alone_finds_the_same_large_bleed(cases, weights):
    if "BF16" not in ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        pytest.skip("this processor has no bf16")
    engine, (slices, exact) = OpenVinoEngine(weights, "bf16"), cases["large"]
    found = engine.predict(slices).sum(axis=1) >= weights.threshold
    assert dice([(found, exact >= weights.threshold)]) >= 0.998
