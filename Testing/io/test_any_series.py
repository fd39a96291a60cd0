"""Whatever a valid series looks like, the same ball has the same volume (hypothesis)."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from random_series import BALL_ML, SYNTAXES, SeriesPlan, write_random_series

from ICHVolumeLib.io.read_ct import read_ct
from ICHVolumeLib.measure import measure_mask

hypothesis = pytest.importorskip("hypothesis")
given, settings, strategies = hypothesis.given, hypothesis.settings, hypothesis.strategies


@strategies.composite
def plans(draw):
    thin = draw(strategies.floats(1.5, 3.0).map(lambda value: round(value, 2)))
    thick = draw(strategies.floats(3.0, 5.0).map(lambda value: round(value, 2)))
    kind = draw(strategies.sampled_from(["thin", "thick", "thin base", "thin vertex", "any"]))
    base, vertex = {"thin": (thin, thin), "thick": (thick, thick), "thin base": (thin, thick),
                    "thin vertex": (thick, thin), "any": (thin, thick)}[kind]
    steps = [base] * round(50 / base) + [vertex] * round(50 / vertex)
    if kind == "any":
        steps = draw(strategies.permutations(steps))
    count = len(steps) + 1
    order = draw(strategies.one_of(strategies.just(range(count)), strategies.just(range(count)[::-1]),
                                   strategies.permutations(range(count))))
    signed = draw(strategies.booleans())
    slope, intercept = draw(strategies.sampled_from([(1, -1024), (1, -1000), (1, 0), (0.5, -1024), (2, -1024),
                                                     (1, -8192), (1.25, -1024.5)]))
    signed = signed or intercept == 0
    bits = draw(strategies.sampled_from([16] if signed or intercept < -2000 or slope < 1 else [12, 16]))
    paddings = [None, -2000, -32768] if signed else [None, 0, 65535 if bits == 16 else None]
    return SeriesPlan(tuple(steps), tuple(order), tilt_deg=draw(strategies.floats(-25, 25)),
                      turn_deg=draw(strategies.sampled_from([0, 0, 10, -30, 90, 180])),
                      upside_down=draw(strategies.booleans()),
                      pixel_mm=draw(strategies.sampled_from([(2.0, 2.0), (2.25, 2.0), (1.953125, 1.953125)])),
                      slope=slope, intercept=intercept, signed=signed, bits=bits,
                      padding=draw(strategies.sampled_from(paddings)),
                      syntax=draw(strategies.sampled_from(sorted(SYNTAXES))))


@settings(max_examples=25, deadline=None, derandomize=True,
          suppress_health_check=[hypothesis.HealthCheck.too_slow], database=None)
@given(plan=plans())
def test_a_ball_has_its_volume_in_every_valid_series(plan):
    with tempfile.TemporaryDirectory() as name:
        write_random_series(plan, Path(name))
        ct = read_ct(name)
    mask = ((ct.hu > 1500) & (ct.hu < 2600)).astype(np.uint8)
    assert len(ct.hu) == len(plan.order)
    assert ct.tilt_deg == pytest.approx(abs(plan.tilt_deg), abs=0.01)
    assert measure_mask(ct, mask).volume_ml.total == pytest.approx(BALL_ML, rel=0.01)
