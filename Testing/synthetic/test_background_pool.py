"""The pool's cache is used again for the same heads of the same files, and for no others."""

import shutil

import numpy as np
import pytest
from ct_ich_files import write_slice

from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.synthetic import background_pool
from ICHVolumeLib.synthetic.background_pool import EXTRA_AXIAL, NORMAL, load_pool


@pytest.fixture(scope="module")
def slices(tmp_path_factory):
    data = tmp_path_factory.mktemp("data")
    for folder, patient in ((NORMAL, "p001"), (EXTRA_AXIAL, "p002")):
        (data / folder).mkdir()
        for number in (0, 1):
            write_slice(data / folder / f"{patient}_s{number:02d}.jpg")
    return data


@pytest.fixture
def data(slices, tmp_path):
    return shutil.copytree(slices, tmp_path / "data")


@pytest.fixture(autouse=True)
def made(monkeypatch, make_head):
    """Which heads were made by code; a round one stands for each."""
    seeds = []
    monkeypatch.setattr(background_pool, "procedural",
                        lambda seed: seeds.append(seed) or make_head(f"made{seed}", slices=2))
    return seeds


def pool_of(data, tmp_path, made=1):
    return load_pool(data, tmp_path / "heads.npz", made=made, templates=0)


def test_the_same_heads_are_read_again_not_made_again(data, tmp_path, made, monkeypatch):
    first = pool_of(data, tmp_path)
    monkeypatch.setattr(background_pool, "load_ct_ich", None)
    again = pool_of(data, tmp_path)
    assert made == [0]
    assert [(one.patient, one.kind, one.step_mm) for one in again] == \
        [("p001", "ct_ich", 5.0), ("p002", "extra_axial", 5.0), ("made0", "procedural", 5.0)]
    for one, other in zip(first, again, strict=True):
        for name in ("hu", "tissue", "depth_mm"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_another_number_of_heads_is_not_answered_with_the_old_ones(data, tmp_path):
    assert len(pool_of(data, tmp_path, made=1)) == 3
    assert len(pool_of(data, tmp_path, made=2)) == 4
    assert len(pool_of(data, tmp_path, made=0)) == 2


def test_other_data_are_not_answered_with_the_old_heads(data, tmp_path):
    pool_of(data, tmp_path)
    for number in (0, 1):
        (data / NORMAL / f"p001_s{number:02d}.jpg").rename(data / NORMAL / f"p011_s{number:02d}.jpg")
    assert pool_of(data, tmp_path)[0].patient == "p011"


def test_changed_slices_of_the_same_names_are_other_data(data, tmp_path):
    before = pool_of(data, tmp_path)[0]
    write_slice(data / NORMAL / "p001_s01.jpg", scale=0.8)
    assert (pool_of(data, tmp_path)[0].hu[1] != before.hu[1]).any()


def test_another_slice_of_a_patient_elsewhere_changes_its_pixel_size(data, tmp_path):
    before = pool_of(data, tmp_path)[0]
    (data / "ct_ich_v1_bleeds").mkdir()
    for number in (7, 8):
        write_slice(data / "ct_ich_v1_bleeds" / f"p001_s{number:02d}.jpg", scale=1.2)
    assert (pool_of(data, tmp_path)[0].hu != before.hu).any()


def test_another_generator_makes_its_own_heads(data, tmp_path, made, monkeypatch):
    pool_of(data, tmp_path)
    monkeypatch.setattr(background_pool, "generator_mark", lambda: "later")
    pool_of(data, tmp_path)
    assert made == [0, 0]


def test_a_copy_of_the_data_is_the_same_data(data, tmp_path, made):
    pool_of(data, tmp_path)
    pool_of(shutil.copytree(data, tmp_path / "copy", copy_function=shutil.copyfile), tmp_path)
    assert made == [0]


@pytest.mark.parametrize("content", [b"", b"PK cut short", None])
def test_a_damaged_or_older_cache_is_written_anew(data, tmp_path, made, content):
    pool_of(data, tmp_path)
    cache = tmp_path / "heads.npz"
    if content is None:  # as caches were before they said what they hold
        with np.load(cache) as file:
            np.savez(tmp_path / "old.npz", **{name: file[name] for name in file.files if name != "key"})
        content = (tmp_path / "old.npz").read_bytes()
    cache.write_bytes(content)
    assert len(pool_of(data, tmp_path)) == 3
    assert made == [0, 0]
    pool_of(data, tmp_path)
    assert made == [0, 0]


def test_data_that_are_gone_are_missed_even_with_a_cache(data, tmp_path):
    pool_of(data, tmp_path)
    with pytest.raises(InputError, match="no pNNN_sNN.jpg"):
        pool_of(tmp_path / "elsewhere", tmp_path)
