"""What is odd about a mask is said beside the number, and a plain mask is left in peace; more in hard_inputs."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hard_inputs import cases_depth

import ICHVolumeLib.quality.mask_checks
from ICHVolumeLib.measure import measure_mask
from ICHVolumeLib.quality.mask_checks import check_mask
from ICHVolumeLib.report.summary import headline
from ICHVolumeLib.synthetic.sample import make_sample
from ICHVolumeLib.workflow.case import make_result


def found(ct, mask):
    return {finding.code: finding for finding in check_mask(ct, mask, measure_mask(ct, mask))}


@pytest.fixture(scope="module")
def deep():
    sample = make_sample(1, size=160)
    assert sample.location == "deep"
    return sample


def test_the_true_mask_of_a_deep_bleed_has_no_finding(deep):
    assert found(deep.ct, deep.mask) == {}


def test_what_is_left_unmarked_beside_a_mask_is_measured(deep):
    mask = deep.mask.copy()
    columns = np.flatnonzero(mask.any(axis=(0, 1)))
    mask[:, :, :columns[len(columns) // 2]] = 0
    left_ml = deep.true_volume_ml["ich"] - measure_mask(deep.ct, mask).volume_ml.total
    said = found(deep.ct, mask)["unmarked-bright"].message
    assert 0.3 * left_ml < float(re.search(r"([\d.]+) mL", said)[1]) < 1.2 * left_ml


def test_a_clot_elsewhere_is_no_rest_of_this_one():
    ct = cases_depth.sample(bleed=False).ct
    hu = ct.hu.astype(np.int32)
    mask = cases_depth.two_clots(hu, ct).astype(np.uint8)
    assert found(replace(ct, hu=hu.astype(np.int16)), mask) == {}


@pytest.mark.parametrize("noise_hu", [2, 18])
def test_a_true_large_clot_is_not_called_noise(noise_hu):
    ct = cases_depth.sample(bleed=False).ct
    hu = ct.hu.astype(np.int32)
    mask = cases_depth.clot((0, 0, 20), 32)(hu, ct).astype(np.uint8)
    hu += np.random.default_rng(0).normal(0, noise_hu, hu.shape).astype(int)
    assert "probably-noise" not in found(replace(ct, hu=hu.astype(np.int16)), mask)


def test_marked_noise_is_not_headlined_as_a_bleed():
    ct = cases_depth.sample(bleed=False).ct
    hu = ct.hu.astype(np.int32)
    mask = cases_depth.noise_marked(18, 9)(hu, ct).astype(np.uint8)
    result = make_result(replace(ct, hu=hu.astype(np.int16)), mask, noticed=[])
    assert result.is_probably_noise and result.volume_ml.total > 100
    assert headline(result).startswith("Probably not a hemorrhage: noise marked on slices 21 to 32 of 40")


def test_nothing_is_removed_by_a_finding(deep):
    before = deep.mask.copy()
    found(deep.ct, deep.mask)
    assert np.array_equal(deep.mask, before)


def test_every_code_is_explained_in_the_table():
    module = ICHVolumeLib.quality.mask_checks
    sources = (Path(module.__file__), Path(module.__file__).with_name("mask_outside.py"))
    source = "".join(path.read_text(encoding="utf-8") for path in sources)
    used = set(re.findall(r"(?:_warning|Finding)\(\s*\"([a-z0-9-]+)\"", source))
    table = set(re.findall(r"^    ([a-z0-9-]+) \((?:info|warning|error)", module.__doc__, re.M))
    assert used == table and len(used) > 10
