"""The list of a cohort: what stands in it, and that a thousand rows are sorted and searched in the browser at once."""

import json
import re
import shutil
import subprocess
from datetime import datetime
from html.parser import HTMLParser

import numpy as np
import pytest
from phantoms import ellipsoid_ct

from ICHVolumeLib.core.findings import INFO, WARNING, Finding
from ICHVolumeLib.io.cohort_files import CaseRow
from ICHVolumeLib.io.result_columns import COLUMNS
from ICHVolumeLib.report.charts import volume_histogram
from ICHVolumeLib.report.cohort_page import cohort_page
from ICHVolumeLib.report.thumbnail import HEIGHT_PX, thumbnail

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
PATIENTS = 1027
# a click sorts and a word searches, all before the page has loaded: the answer stands in the page that is dumped
MEASURE = """
<script>
const body = document.querySelector("#cases tbody"), names = () =>
  [...body.rows].filter(row => !row.hidden).map(row => row.querySelector(".who").firstChild.textContent);
const head = key => document.querySelector(`#cases [data-key=${key}]`), answer = {seconds: []};
const timed = act => { const start = performance.now(); act(); document.body.offsetHeight;
  answer.seconds.push((performance.now() - start) / 1000); return names(); };
answer.ich = timed(() => head("ich").click()).slice(0, 3);
answer.ichUp = timed(() => head("ich").click()).slice(0, 3);
answer.findings = timed(() => head("findings").click()).slice(0, 2);
answer.patient = timed(() => head("patient").click()).slice(0, 2);
const find = document.getElementById("find"), finding = document.getElementById("finding");
answer.found = timed(() => { find.value = "P000"; find.dispatchEvent(new Event("input")); }).length;
answer.shown = document.getElementById("shown").textContent;
answer.tilted = timed(() => { find.value = ""; finding.value = "tilt"; finding.dispatchEvent(new Event("change")); });
document.body.innerHTML = "<pre>" + JSON.stringify(answer).replace(/</g, "&lt;") + "</pre>";
</script>
"""


def row(number, ich_ml=None, findings=(), **values):
    cells = {column.name: "" for column in COLUMNS} | {"found": "no", "slices": "40"}
    if ich_ml is not None:
        cells |= {"found": "yes", "volume_ich_ml": f"{ich_ml:.1f}", "volume_ivh_ml": "0.0",
                  "volume_total_ml": f"{ich_ml:.1f}", "abc2_coniglobus_ml": f"{ich_ml:.1f}", "ich_score_lowest": "0",
                  "ich_score_highest": "3"}
    return CaseRow(f"P{number:04d}", f"P{number:04d}", cells | values, tuple(findings))


def page_of(rows, problems=(), remarks=(), **more):
    return cohort_page(list(rows), list(problems), list(remarks), **({
        "still_open": 0, "cases": "cases", "thumbnail": "thumbnail.png", "report": True,
        "made_at": datetime(2026, 1, 2, 3, 4), "software": "ICHVolume 1"} | more))


class Tags(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.found = []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))


def test_what_comes_from_outside_is_escaped():
    evil = '"><script>alert(1)</script>'
    page = page_of([CaseRow(evil, "a b#c", row(0, 5.0).values, (Finding("odd", WARNING, evil),))],
                   [(evil, evil, evil)], [evil])
    tags = Tags(page).found
    assert sum(tag == "script" for tag, _ in tags) == 1 and "alert(1)</script>" not in page
    assert {"src": "cases/a%20b%23c/thumbnail.png"}.items() <= next(more for tag, more in tags if tag == "img").items()


def test_the_page_needs_no_network_and_loads_pictures_when_they_are_seen():
    page = page_of([row(0, 5.0)])
    links = [value for _, more in Tags(page).found for name, value in more.items() if name in ("src", "href")]
    assert links and not any("//" in link or link.startswith("/") for link in links)
    assert 'loading="lazy"' in page


def test_patients_that_were_not_measured_and_those_still_open_are_told():
    page = page_of([row(0, 5.0)], [("X1", "/scans/X1", "X1 is no CT.")], still_open=3)
    assert "5 patients" in page and "1 scan measured" in page and "X1 is no CT." in page
    assert "3 patients open; run the same command again" in page


def test_no_bleed_is_never_called_normal():
    page = page_of([row(0)])
    assert "no bleed" in page and "never means that a scan is normal" in page


def test_without_reports_no_link_leads_nowhere():
    assert "report.html" not in page_of([row(0, 5.0)], report=False)


def test_the_histogram_counts_each_patient_once():
    drawn = volume_histogram([0, 0, 1.9, 2, 29.9, 30, 90, 500])
    counts = [int(text) for text in re.findall(r'class="count"[^>]*>([\d,]+)<', drawn)]
    assert counts == [2, 1, 1, 0, 0, 1, 1, 0, 0, 2] and sum(counts) == 8


def test_the_thumbnail_has_square_pixels_and_the_bleed_where_it_is():
    phantom = ellipsoid_ct("regular", pixel_mm=2.0, columns=96, rows=104, step_mm=10.0)
    picture = thumbnail(phantom.ct, phantom.mask, len(phantom.mask) // 2)
    assert picture.dtype == np.uint8 and len(picture) == HEIGHT_PX
    red = (picture == (255, 90, 82)).all(axis=2)
    down, across = np.nonzero(red)
    pixel_mm = np.ptp(down) / 40  # the ellipsoid is 40 mm from front to back and 60 mm wide
    assert np.ptp(across) / pixel_mm == pytest.approx(60, rel=0.06)
    middle = (down.min() + down.max()) / 2, (across.min() + across.max()) / 2
    assert middle == pytest.approx((HEIGHT_PX / 2, picture.shape[1] / 2), abs=4)


def test_a_bleed_smaller_than_a_pixel_of_the_thumbnail_is_seen():
    phantom = ellipsoid_ct("regular", pixel_mm=0.5, columns=384, rows=416, step_mm=30.0, half_height_mm=30)
    mask = np.zeros_like(phantom.mask)
    mask[1, 200, 190] = 1
    assert (thumbnail(phantom.ct, mask, 1) == (255, 90, 82)).all(axis=2).any()


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
@pytest.mark.slow
def test_a_thousand_rows_are_sorted_and_searched_in_the_browser(tmp_path):
    serious, note = Finding("tilt", WARNING, "The gantry was tilted."), Finding("note", INFO, "A note.")
    rows = [row(number, None if number == 500 else 1 + (number * 7919) % 1000 / 10,
                [serious, note] if number in (600, 700) else [serious, serious] if number == 800 else [note])
            for number in range(PATIENTS)]
    (tmp_path / "index.html").write_text(page_of(rows).replace("</body>", MEASURE + "</body>"), encoding="utf-8")
    done = subprocess.run([CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu",
                           f"--user-data-dir={tmp_path}/browser", "--dump-dom", (tmp_path / "index.html").as_uri()],
                          capture_output=True, text=True, timeout=180)
    found = re.search(r"<pre>(.*)</pre>", done.stdout, re.DOTALL)
    assert found, done.stderr[-2000:]
    answer = json.loads(found.group(1))
    by_ich = sorted(rows, key=lambda one: -(one.number("volume_ich_ml") or -1))
    assert answer["ich"] == [one.patient for one in by_ich[:3]]
    assert answer["ichUp"][0] == "P0500" and answer["ichUp"][1] == min(
        (one for one in rows if one.number("volume_ich_ml")), key=lambda one: one.number("volume_ich_ml")).patient
    assert answer["findings"] == ["P0800", "P0600"] and answer["patient"] == ["P0000", "P0001"]
    assert (answer["found"], answer["shown"]) == (10, "10 shown")
    assert answer["tilted"] == ["P0600", "P0700", "P0800"]
    assert sorted(answer["seconds"])[len(answer["seconds"]) // 2] < 2, answer["seconds"]  # 0.1 on a quiet computer
