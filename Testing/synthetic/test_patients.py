"""Held-out patients: the same ones however they are made."""

import numpy as np
import pytest

from ICHVolumeLib.synthetic.background_pool import is_validation
from ICHVolumeLib.synthetic.patients import (
    CALIBRATION,
    TEST,
    TRAINED,
    Order,
    held_out,
    make_patient,
    make_patients,
    orders,
    synthetic_patients,
)


@pytest.fixture(scope="module")
def real(make_head):
    """Patients of the real kind, some of them held out."""
    names = [f"q{number}" for number in range(30)]
    held = [name for name in names if is_validation(name)][:4]
    return [make_head(name, "ct_ich", slices=3) for name in (*held, "q1", "q2")]


def test_calibration_and_test_share_no_real_patient_and_none_was_trained_on(real):
    calibration, test = ({one.patient for one in held_out(real, part)} for part in (CALIBRATION, TEST))
    assert calibration and test and not calibration & test
    assert all(is_validation(name) for name in calibration | test)


def test_every_third_patient_has_a_made_head_and_no_seed_comes_twice(real):
    both = orders(real, TEST, range(9)) + orders(real, CALIBRATION, range(9))
    assert [one.background is None for one in both] == [False, False, True] * 6
    assert len({one.seed for one in both}) == 18


def test_bleeds_in_heads_that_were_trained_on_are_new_ones_in_no_held_out_head(real, make_head):
    pool = [*real, make_head("q3", "procedural", slices=3), make_head("q4", "template", slices=3)]
    assert not is_validation("q3")
    trained, tested = (orders(pool, part, range(6)) for part in (TRAINED, TEST))
    assert [one.background.patient for one in trained] == ["q1", "q2", "q3", "q2", "q1", "q3"]
    assert not {one.seed for one in trained} & {one.seed for one in tested}
    assert [one.made_head for one in make_patients(trained[1:3])] == [False, True]


def test_a_patient_is_the_same_alone_and_after_others(real):
    one = next(synthetic_patients(real, TEST, 4, known={order.name for order in orders(real, TEST, range(3))}))
    alone = make_patient(orders(real, TEST, [3])[0])
    assert one.name == alone.name and one.index == 3
    np.testing.assert_array_equal(one.ct.hu, alone.ct.hu)
    np.testing.assert_array_equal(one.truth, alone.truth)


def test_every_patient_bleeds(real):
    wanted = [one for one in orders(real, TEST, range(6)) if one.background is not None]
    assert all((patient.truth > 0).any() for patient in make_patients(wanted))


def test_patients_made_in_another_process_come_in_order_and_are_the_same_until_one_fails(real):
    wanted = [one for one in orders(real, TEST, range(2)) if one.background is not None]
    broken = Order("broken", 0, -1, real[0])  # no seed is negative
    here, there = list(make_patients(wanted)), make_patients([*wanted, broken], jobs=1)
    for first in here:
        second = next(there)
        assert first.name == second.name
        np.testing.assert_array_equal(first.ct.hu, second.ct.hu)
        np.testing.assert_array_equal(first.truth, second.truth)
    with pytest.raises(ValueError):
        next(there)
