"""Large kernels in 8 bits: half as large a file, hardly another network, and nothing unreadable is taken for one."""

import numpy as np
import pytest

from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.network.stored_tensors import LARGE, SCALE, STEPS, read, stored


def kernel(channels=32, seed=0):
    """Channels of very different sizes, as folded batch norms leave them."""
    rng = np.random.default_rng(seed)
    sizes = 10.0 ** rng.uniform(-4, 1, (channels, 1, 1, 1))
    return (rng.normal(0, 1, (channels, 128, 3, 3)) * sizes).astype(np.float32)


def test_a_large_kernel_is_rounded_to_127_steps_of_its_channels_largest_weight():
    large = kernel()
    found = read(stored({"one.conv.weight": large}, eight_bits=True))
    assert found.keys() == {"one.conv.weight"} and found["one.conv.weight"].dtype == np.float32
    step = np.abs(large).max(axis=(1, 2, 3), keepdims=True) / STEPS
    np.testing.assert_allclose(found["one.conv.weight"], np.round(large / step) * step, rtol=1e-5, atol=1e-9)


def test_it_is_half_as_large_as_in_fp16():
    tensors = {"one.conv.weight": kernel(64)}
    assert len(stored(tensors, True)) < 0.51 * len(stored(tensors, False))


def test_rounding_again_changes_nothing():
    once = read(stored({"weight": kernel()}, True))
    np.testing.assert_array_equal(read(stored(once, True))["weight"], once["weight"])


@pytest.mark.parametrize("values", [np.ones((2, 3, 3, 3), np.float32) / 3, np.ones(LARGE, np.float32) / 3,
                                    np.ones((20, 20, 5, 5, 5), np.float32) / 3])
def test_small_kernels_biases_and_those_of_stacks_stay_fp16(values):
    found = read(stored({"weight": values}, True))["weight"]
    np.testing.assert_array_equal(found, values.astype(np.float16).astype(np.float32))


def test_whole_numbers_stay_as_they_are():
    counts = np.array([3, 70_000])
    found = read(stored({"counts": counts}, True))["counts"]
    assert found.dtype == counts.dtype and (found == counts).all()


def test_a_channel_of_zeros_stays_zero():
    values = kernel()
    values[3] = 0
    assert not read(stored({"weight": values}, True))["weight"][3].any()


@pytest.mark.parametrize("wrong", [np.inf, np.nan, 70_000])
@pytest.mark.parametrize("eight_bits", [True, False])
def test_what_fp16_cannot_hold_is_refused_by_name(wrong, eight_bits):
    values = kernel()
    values[1, 2, 0, 0] = wrong
    with pytest.raises(InputError, match="deep.weight: a weight is not finite in fp16"):
        stored({"deep.weight": values}, eight_bits)


def test_a_scale_of_another_kernel_is_refused():
    from safetensors.numpy import load, save

    parts = load(stored({"weight": kernel()}, True))
    parts["weight" + SCALE] = parts["weight" + SCALE][:-1]
    with pytest.raises(ValueError, match="scales"):
        read(save(parts))
