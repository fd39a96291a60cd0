"""The sample patient: deterministic, right in space, honest about its volume."""

import hashlib
from functools import cache

import numpy as np
import pytest

from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.synthetic.sample import make_sample


@cache
def sample(**options):
    return make_sample(1, size=160, **options)


def mask_ml(patient, value):
    return float((patient.mask == value).sum(axis=(1, 2)) @ patient.ct.voxel_volumes_mm3) / 1000


def test_the_same_seed_gives_the_same_patient_to_the_last_bit():
    digests = {hashlib.sha256(make_sample(3, size=96).ct.hu.tobytes()).hexdigest() for _ in range(2)}
    assert len(digests) == 1


def test_another_seed_is_another_patient():
    assert (make_sample(3, size=96).ct.hu != make_sample(4, size=96).ct.hu).any()


@pytest.mark.parametrize("options", [{}, {"tilt_deg": 20.0}, {"uneven": True}, {"overlapping": True},
                                     {"tilt_deg": -18.5, "uneven": True}])
def test_the_mask_has_the_true_volume_on_every_grid(options):
    patient = sample(ivh=True, **options)
    assert mask_ml(patient, 1) == pytest.approx(patient.true_volume_ml["ich"], rel=0.02)
    assert patient.true_volume_ml["total"] == pytest.approx(
        patient.true_volume_ml["ich"] + patient.true_volume_ml["ivh"])


@pytest.mark.parametrize("options", [{"tilt_deg": 20.0}, {"uneven": True}, {"overlapping": True}])
def test_the_same_patient_has_the_same_hematoma_however_it_is_scanned(options):
    assert sample(**options).true_volume_ml["ich"] == pytest.approx(sample().true_volume_ml["ich"], rel=0.02)


@pytest.mark.parametrize("tilt_deg", [-20.0, 18.5])
def test_the_tilt_asked_for_is_in_the_geometry(tilt_deg):
    assert sample(tilt_deg=tilt_deg).ct.tilt_deg == pytest.approx(abs(tilt_deg), abs=1e-6)


def test_a_tilted_stack_moves_along_the_table_only():
    steps = np.diff(sample(tilt_deg=20.0).ct.slice_origins_ras, axis=0)
    np.testing.assert_allclose(steps[:, :2], 0, atol=1e-9)
    assert (steps[:, 2] > 0).all()


def test_uneven_slices_are_uneven_and_even_ones_are_not():
    assert sample(uneven=True).ct.is_uneven
    assert not sample().ct.is_uneven


def test_the_parts_of_the_head_have_their_attenuation():
    patient = sample(ivh=True)
    hu = patient.ct.hu
    assert np.median(hu[:, :8, :8]) < -900
    assert 50 < np.median(hu[patient.mask == 1]) < 80
    assert (hu > 600).mean() > 0.01
    brain = hu[(hu > 15) & (hu < 45)]
    assert 25 < np.median(brain) < 40


def test_blood_in_the_ventricles_is_there_only_when_asked_for():
    assert sample(ivh=True).true_volume_ml["ivh"] > 0
    assert sample().true_volume_ml["ivh"] == 0
    assert not (sample().mask == 2).any()


def test_the_location_named_is_where_the_bleed_is():
    heights_mm = {"lobar": (15, 60), "deep": (-10, 15), "infratentorial": (-60, -20)}  # above the foramina of Monro
    seen = set()
    for seed in range(12):
        patient = make_sample(seed, size=96)
        ml = (patient.mask == 1).sum(axis=(1, 2))
        low, high = heights_mm[patient.location]
        assert low < (ml @ patient.ct.slice_origins_ras[:, 2]) / ml.sum() < high
        seen.add(patient.location)
    assert seen == set(heights_mm)
    assert sample(bleed=False).location is None


def test_without_a_bleed_the_head_is_the_same_and_the_mask_is_empty():
    clean = sample(bleed=False)
    assert not clean.mask.any()
    assert clean.true_volume_ml["total"] == 0
    far = np.ones(clean.mask.shape, bool)
    far[np.flatnonzero(sample().mask.any(axis=(1, 2)))] = False
    assert np.abs(clean.ct.hu[far].astype(int) - sample().ct.hu[far]).mean() < 8  # noise alone


@pytest.mark.parametrize("options", [{"tilt_deg": 45.0}, {"tilt_deg": float("nan")}, {"size": 10}])
def test_impossible_wishes_are_refused(options):
    with pytest.raises(InputError):
        make_sample(0, **options)
