"""Numbers as people read them."""

import pytest

from ICHVolumeLib.core.text import number_words


@pytest.mark.parametrize(("value", "words"), [
    (670.4, "670"), (6.74, "6.7"), (0.0666, "0.067"), (5, "5"), (0, "0"), (-1.26, "-1.3"), (230400, "230400"),
    (float("inf"), "inf"), (float("nan"), "nan"),
    (1e300, "over 1000000000"), (-1e300, "under -1000000000"), (1e-300, "under 0.000001"), (-1e-300, "over -0.000001")])
def test_a_number_is_never_written_as_a_power_of_ten(value, words):
    assert number_words(value) == words
