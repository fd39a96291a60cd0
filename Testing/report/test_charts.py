"""The ruler: volume, interval and ABC/2 stand where their numbers are, on one scale with the 30 mL."""

import re
from dataclasses import replace

import numpy as np
import pytest

from ICHVolumeLib.core.result import ClinicalInputs
from ICHVolumeLib.report.charts import NARROW_PX, volume_ruler
from ICHVolumeLib.workflow.make_result import make_result


@pytest.fixture(scope="module")
def result(phantom):
    """ICH and IVH of about 25 mL each; the total's interval is 45 to 65 mL."""
    half = phantom.mask.copy()
    half[:, :, : half.shape[2] // 2][half[:, :, : half.shape[2] // 2] == 1] = 2
    made = make_result(phantom.ct, half, ClinicalInputs(), noticed=[])
    return replace(made, interval_ml=(45.0, 65.0), interval_coverage=0.9, interval_calibrated_on="synthetic patients")


def ml_of(x, svg):
    """The scale, read from its tick numbers as an eye would."""
    ticks = [(float(at), float(number)) for at, number in
             re.findall(r'<text x="([\d.]+)" y="55" text-anchor="middle" fill="#55636f">([\d.]+)(?: mL)?</text>', svg)]
    return np.polyval(np.polyfit(*zip(*ticks, strict=True), 1), x)


def test_the_band_is_the_interval_of_the_ich_and_lies_over_the_line_at_30_ml(result):
    svg = volume_ruler(result)
    left, width = map(float, re.search(r'class="band" x="([\d.]+)" y="25" width="([\d.]+)"', svg).groups())
    line = float(re.search(r'<path d="M([\d.]+) 13v32"', svg).group(1))
    ivh_ml = result.volume_ml.ivh
    assert ml_of(left, svg) == pytest.approx(45 - ivh_ml, abs=0.05)
    assert ml_of(left + width, svg) == pytest.approx(65 - ivh_ml, abs=0.05)
    assert ml_of(line, svg) == pytest.approx(30, abs=0.05)
    assert left < line < left + width and svg.index("class=\"band\"") > svg.index(f"M{line:.1f} 13v32")
    assert ml_of(float(re.search(r'<circle cx="([\d.]+)" cy="34"', svg).group(1)), svg) == \
        pytest.approx(result.volume_ml.ich, abs=0.05)


def test_the_legend_says_on_whom_the_interval_was_calibrated(result):
    assert "90 % interval" in volume_ruler(result) and "calibrated on synthetic patients" in volume_ruler(result)
    assert "interval" not in volume_ruler(replace(result, interval_ml=None)).lower()


def test_without_an_ich_there_is_no_ruler(result):
    assert volume_ruler(replace(result, abc2=None)) == ""


def test_on_a_phone_the_ruler_has_the_same_scale_and_no_text_beyond_its_width(result):
    svg = volume_ruler(result, NARROW_PX)
    assert ml_of(float(re.search(r'<path d="M([\d.]+) 13v32"', svg).group(1)), svg) == pytest.approx(30, abs=0.3)
    texts = re.findall(r"<text ([^>]*)>([^<]+)</text>", svg)
    starts = [(float(re.search(r'x="([\d.]+)"', where).group(1)), said) for where, said in texts
              if "anchor" not in where]
    assert len(starts) >= 2 and all(x + 6 * len(said) <= NARROW_PX for x, said in starts), starts
