"""Numbers as people read them."""

import pytest

from ICHVolumeLib.core.text import number_words


@pytest.mark.parametrize(("value", "words"), [
    (670.4, "670"), (6.74, "6.7"), (0.0666, "0.067"), (5, "5"), (0, "0"), (-1.26, "-1.3"), (230400, "230400"),
    (float("inf"), "inf"), (float("nan"), "nan"), (1e300, "1e+300"), (1e-300, "1e-300")])
def test_a_number_is_written_without_a_power_of_ten_where_it_makes_sense(value, words):
    assert number_words(value) == words
