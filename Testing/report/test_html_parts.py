"""What stands on every printed page, as CSS inside HTML: nothing from outside can leave its quotes."""

from types import SimpleNamespace

import pytest

from ICHVolumeLib.report.html_parts import css_string
from ICHVolumeLib.report.page import _page_margins


@pytest.mark.parametrize("evil", ['"', "\\", "</style>", "a\nb", "'; } * { display: none"])
def test_a_css_string_stays_in_its_quotes_and_in_the_style_sheet(evil):
    inside = css_string(evil)[1:-1]
    assert not set(inside) & set("\"'<>\n;{}") and (inside.count("\\") == sum(not one.isalnum() and one not in " .-_,()"
                                                                              for one in evil))


def test_letters_of_every_language_stay():
    assert css_string("Müller 1.2-3") == '"Müller 1.2-3"'


@pytest.mark.parametrize("fields, words", [
    ({"series_uid": "1.2.3", "patient_key": "a1b2"}, '"Patient a1b2, Series 1.2.3"'),
    ({"series_uid": "1.2.3"}, '"Series 1.2.3"'),
    ({"series_uid": "", "patient_key": ""}, '"scan.nii"')])
def test_a_printed_page_names_patient_key_and_series_or_the_file(fields, words):
    result = SimpleNamespace(provenance=SimpleNamespace(source="scan.nii", **fields))
    margins = _page_margins(result)
    assert words in margins and 'counter(page) " of " counter(pages)' in margins
