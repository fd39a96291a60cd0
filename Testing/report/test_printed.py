"""The bleed's picture is as large as the first printed page has room for; test_browser prints the page itself."""

import pytest

from ICHVolumeLib.report.printed import LARGEST_MM, SMALLEST_MM, picture_mm

HEADER = '<header><div><h1>Title</h1><p>Bleed</p></div><div class="origin">file<br>series<br>date</div></header>'
CARD = '<div class="card"><h3>ICH</h3><p>90 % interval 12.7 to 22.2 mL, calibrated on synthetic patients</p></div>'


def findings(count, length=100):
    return "<ul>" + f'<li class="warning">{"x" * length}</li>' * count + "</ul>"


def test_the_picture_shrinks_with_every_finding_and_is_never_larger_than_its_largest():
    sizes = [picture_mm(HEADER, findings(count), [CARD], True) for count in range(12)]
    assert sizes[0] == LARGEST_MM and all(size <= LARGEST_MM for size in sizes)
    shrunk = [size for size in sizes if size < LARGEST_MM]
    assert len(shrunk) >= 3 and shrunk == sorted(shrunk, reverse=True) and shrunk[-1] >= SMALLEST_MM


def test_where_next_to_nothing_is_left_it_goes_to_the_next_page_in_full_size():
    assert picture_mm(HEADER, findings(25), [CARD], True) == LARGEST_MM


def test_lines_are_counted_as_chromium_breaks_them():
    two = ("The interval of the ICH volume (16.5 to 37.8 mL) crosses 30 mL, where the ICH score gains a point: check "
           "the mask before using the score.")
    one = ("A made finding that is long enough to take two lines on the printed page when it is set in the size of the "
           "others, which it is, is it not?")
    sizes = [picture_mm(HEADER, "<ul>" + f'<li><span class="tag">Check</span>{said}</li>' * 9 + "</ul>", [CARD], True)
             for said in (one, two)]
    assert len(one) >= len(two) and sizes[0] - sizes[1] == pytest.approx(9 * 4.3, abs=0.2)
