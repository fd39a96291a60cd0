"""How often each kind of head is drawn is the plan's word."""

from dataclasses import replace

import numpy as np
import pytest

from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.training.batches import BatchStream
from ICHVolumeLib.training.plans import PLANS

KINDS = ["ct_ich"] * 3 + ["extra_axial"] * 2 + ["template"] + ["procedural"] * 7


@pytest.mark.parametrize("name", sorted(set(PLANS) - {"real"}))
def test_the_shipped_plans_draw_as_often_as_they_did_in_the_stream_to_the_last_bit(name):
    weight = {"ct_ich": 0.68, "extra_axial": 0.1, "template": 0.12, "procedural": 0.1}
    before = np.array([weight[kind] / KINDS.count(kind) for kind in KINDS])
    np.testing.assert_array_equal(PLANS[name].shares(KINDS), before / before.sum())


def test_the_plan_for_real_bleeds_shows_twice_as_many_made_heads_as_the_others():
    shares = dict(zip(KINDS, PLANS["real"].shares(KINDS), strict=True))
    assert 7 * shares["procedural"] == pytest.approx(0.22) and 3 * shares["ct_ich"] == pytest.approx(0.56)


def test_a_kind_that_the_plan_does_not_know_is_named(pool):
    strange = [replace(one, kind="cq500") for one in pool]
    with pytest.raises(InputError, match="heads of cq500 .*ct_ich.*kind_shares"):
        BatchStream(strange, PLANS["small"], seed=1)


def test_shares_are_divided_among_the_heads_of_a_kind():
    plan = replace(PLANS["small"], kind_shares={"a": 3.0, "b": 1.0, "absent": 5.0})
    assert plan.shares(["a", "a", "b"]).tolist() == [0.375, 0.375, 0.25]


@pytest.mark.parametrize(("kinds", "shares"), [([], {}), (["a"], {"a": 0.0}), (["a", "b"], {"a": 1, "b": -0.5}),
                                               (["a"], {"a": float("nan")})])
def test_a_plan_that_draws_nothing_is_refused(kinds, shares):
    with pytest.raises(InputError, match="no head to train on"):
        replace(PLANS["small"], kind_shares=shares).shares(kinds)


def test_plans_do_not_share_their_shares():
    plan = replace(PLANS["small"])
    assert PLANS["small"].kind_shares is not PLANS["many"].kind_shares
    assert plan.to_dict()["kind_shares"] == PLANS["small"].kind_shares
