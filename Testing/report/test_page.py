"""The report as a file: complete, self-contained, escaped, and honest about what it does not know."""

import re
from dataclasses import replace
from datetime import datetime
from html.parser import HTMLParser

import numpy as np
import pytest

from ICHVolumeLib.core.findings import Finding
from ICHVolumeLib.core.result import ClinicalInputs, VolumeMl
from ICHVolumeLib.report import write_report
from ICHVolumeLib.workflow.make_result import make_result

NO_PICTURE = (None, "The 3D picture is not available on this computer.")
VOID = {"meta", "br", "img"}


class Page(HTMLParser):
    """Text, tags that load something, and whether every tag is closed."""

    def __init__(self, source):
        super().__init__()
        self.words, self.loads, self.tags, self.open = [], [], set(), []
        self.feed(source)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.loads += [value for name, value in attributes if name in ("src", "href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.loads += [value for name, value in attributes if name in ("src", "href")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> closes another tag"

    def handle_data(self, data):
        if not self.open or self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self):
        return re.sub(r"\s+", " ", " ".join(self.words))


@pytest.fixture
def page(tmp_path, phantom):
    def written(mask=phantom.mask, clinical=None, picture=NO_PICTURE, noticed=(), **changes):
        result = make_result(phantom.ct, mask, clinical or ClinicalInputs(), noticed=list(noticed))
        path = write_report(tmp_path / "report.html", phantom.ct, mask, replace(result, **changes), picture,
                            datetime(2022, 10, 6, 9, 30))
        source = path.read_text(encoding="utf-8")
        parsed = Page(source)
        assert parsed.open == []
        return parsed, source, result

    return written


def test_the_page_loads_nothing_from_outside_and_runs_no_script(page):
    parsed, source, _ = page(picture=(["<svg></svg>", "<svg></svg>"], "seen from the front"))
    assert parsed.loads and all(load.startswith("data:image/png;base64,") for load in parsed.loads)
    assert "script" not in parsed.tags
    assert not re.search(r"url\(|@import|https?://", source)


def test_the_numbers_of_the_result_are_on_the_page(page):
    parsed, _, result = page(clinical=ClinicalInputs(age_years=81, gcs=11, infratentorial=False, ivh=False))
    abc2 = result.abc2
    for number in (f"{result.volume_ml.total:.1f}", f"{abc2.coniglobus_ml:.1f}", f"{abc2.a_mm:.1f}",
                   f"{abc2.b_mm:.1f}", f"{abc2.c_mm:.1f}", f"{abc2.expected_error_percent:.1f} %",
                   "30-day mortality 72 % (95 % CI 55 to 84 %)", "2022-10-06 09:30", result.provenance.software):
        assert number in parsed.text, number


def test_every_page_says_research_use_at_top_and_bottom_and_not_for_limiting_care(page, phantom):
    for mask in (phantom.mask, phantom.mask * 0):
        parsed, _, _ = page(mask=mask)
        assert parsed.text.count("Research use only. Not a medical device.") == 2
        assert "Not for limiting care" in parsed.text


def test_unknown_items_are_named_and_the_score_is_a_range(page):
    parsed, _, _ = page()
    assert "1 to 6" in parsed.text and "30-day mortality 13 to 100 %" in parsed.text
    assert "Unknown: GCS, age" in parsed.text


def test_text_from_the_file_cannot_become_markup(page, phantom):
    evil = "<script>alert(1)</script>&\"'"
    parsed, source, _ = page(noticed=[Finding("x", "warning", evil), Finding("y", "info", evil)])
    assert "<script>" not in source
    assert parsed.text.count("<script>alert(1)</script>") == 2


def test_warnings_stand_before_the_numbers_and_notes_after(page):
    parsed, _, _ = page(noticed=[Finding("n", "info", "A quiet note."), Finding("w", "warning", "A loud warning.")])
    volume = parsed.text.index("ABC/2 of the ICH")
    assert parsed.text.index("A loud warning.") < volume < parsed.text.index("A quiet note.")


def test_no_bleed_found_by_the_model_is_not_called_normal(page, phantom):
    _, _, result = page(mask=phantom.mask * 0)
    parsed, _, _ = page(mask=phantom.mask * 0, provenance=replace(result.provenance, engine="openvino", device="cpu"))
    assert "No bleed found by the model" in parsed.text
    assert "This does not mean that the scan is normal" in parsed.text
    assert "Intracerebral hemorrhage on" not in parsed.text and "ABC/2" not in parsed.text
    assert parsed.text.count("Slice ") >= 8


def test_the_large_number_is_the_ich_with_its_interval_and_abc2_has_its_real_difference(page, phantom):
    half = phantom.mask.copy()
    half[:, :, : half.shape[2] // 2][half[:, :, : half.shape[2] // 2] == 1] = 2
    parsed, source, result = page(mask=half, interval_ml=(40.0, 60.0), interval_coverage=0.9,
                                  interval_calibrated_on="synthetic patients")
    ich_ml, ivh_ml = (np.count_nonzero(half == label) * 5.0 / 1000 for label in (1, 2))  # voxels of 1 x 1 x 5 mm
    assert f'<h3>ICH volume</h3><div class="big ">{ich_ml:.1f} <small>mL' in source
    assert f"90 % interval {40 - ivh_ml:.1f} to {60 - ivh_ml:.1f} mL, calibrated on synthetic patients" in parsed.text
    difference_ml = result.abc2.coniglobus_ml - ich_ml
    assert f"<b>{difference_ml:+.1f} mL ({100 * difference_ml / ich_ml:+.0f} %)</b> against the measured ICH" in source


def test_the_volumes_before_editing_stand_beside(page):
    parsed, _, result = page(automatic_volume_ml=VolumeMl(40.0, 40.0, 0.0, 40.0))
    assert "the model had marked 40.0 mL" in parsed.text
    assert f"({result.volume_ml.total - 40:+.1f} mL by editing)" in parsed.text


def test_the_papers_formula_is_shown_when_it_differs(page):
    parsed, _, result = page()
    assert "Paper's formula" not in parsed.text
    other = replace(result.volume_ml, paper_formula=result.volume_ml.total * 1.02)
    assert "Paper's formula" in page(volume_ml=other)[0].text


def test_where_the_3d_picture_cannot_be_drawn_the_page_says_so(page):
    assert "not available on this computer" in page()[0].text


def test_a_bleed_in_the_ventricles_alone_has_no_abc2(page, phantom):
    parsed, _, result = page(mask=phantom.mask * 2)
    assert result.abc2 is None
    assert "No intracerebral part is marked" in parsed.text


def test_a_single_voxel_makes_a_page(page, phantom):
    mask = np.zeros_like(phantom.mask)
    mask[18, 100, 100] = 1
    assert f"{page(mask=mask)[2].volume_ml.total:.2f}" in page(mask=mask)[0].text


def test_blood_in_the_ventricles_alone_is_named_and_not_scored(page, phantom):
    parsed, source, _ = page(mask=phantom.mask * 2, clinical=ClinicalInputs(age_years=81, gcs=11))
    assert "Intraventricular hemorrhage on head CT" in parsed.text
    assert "Only blood in the ventricles (IVH) is marked" in parsed.text and "ABC/2 does not apply" in parsed.text
    assert "of 6" not in parsed.text and "ICH score, item by item" not in parsed.text and "pips" not in source.split(
        "</style>")[1]
    assert "Pieces" in parsed.text


def test_every_clean_up_step_says_what_it_took_or_added(page):
    _, _, result = page()
    steps = [{"name": "specks", "threshold_mm3": 30.0, "removed_ml": 0.25},
             {"name": "doubtful pieces", "threshold_mm3": None, "removed_ml": 0.5, "slices": [3]},
             {"name": "slice ends", "threshold_mm3": None, "removed_ml": -1.25, "slices": [7, 12]},  # of before
             {"name": "outlines", "threshold_mm3": None, "removed_ml": 0.75, "added_ml": 2.0, "slices": [7]},
             {"name": "holes", "threshold_mm3": 30.0, "removed_ml": 0.0, "added_ml": 0.0}]
    parsed, _, _ = page(provenance=replace(result.provenance, clean_up=steps))
    for words in ("specks (threshold 30 mm³, removed 0.25 mL)", "doubtful pieces (removed 0.50 mL)",
                  "slice ends (added 1.25 mL)", "outlines (removed 0.75 mL, added 2.00 mL)",
                  "holes (threshold 30 mm³, removed 0.00 mL)"):
        assert words in parsed.text


@pytest.mark.parametrize("marked", [True, False])
def test_blood_outside_the_brain_is_outlined_and_said_not_to_count(page, phantom, tmp_path, marked):
    mask = phantom.mask if marked else 0 * phantom.mask
    outside = (np.roll(phantom.mask, 62, axis=2) * (phantom.mask == 0)).astype(np.uint8)
    result = replace(make_result(phantom.ct, mask, noticed=[]), outside_brain_ml=48.26)
    result = replace(result, provenance=replace(result.provenance, engine="openvino"))
    path = write_report(tmp_path / "outside.html", phantom.ct, mask, result, NO_PICTURE, outside=outside)
    source = path.read_text(encoding="utf-8")
    parsed = Page(source)
    assert source.count('<path class="outside"') >= 5 and "48.3 mL" in parsed.text
    assert ("not counted" in parsed.text) if marked else \
        ("No bleed found in the brain, but blood outside it" in parsed.text)
    assert 'class="outside"' not in page()[1]
