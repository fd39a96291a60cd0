"""The page as a browser lays it out: on a phone and on A4. Skipped where there is no Chromium."""

import re
import shutil
import subprocess

import pytest

from ICHVolumeLib.core.result import ClinicalInputs
from ICHVolumeLib.report import write_report
from ICHVolumeLib.workflow.make_result import make_result

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
PHONE_PX = 400
SMALLEST_PX = 8.5
MEASURE = """
<body style="margin:0"><iframe id="phone" src="report.html" style="width:%dpx;height:900px;border:0"></iframe><script>
addEventListener("load", () => {
  const page = document.getElementById("phone").contentDocument, cut = [], small = [];
  for (const one of page.querySelectorAll("body *")) {
    const box = one.getBoundingClientRect();
    if (one.tagName != "TITLE" && box.width && box.right > %d + 0.5)
      cut.push(one.tagName + "." + one.className);
    if (one.childNodes.length && [...one.childNodes].some(n => n.nodeType == 3 && n.data.trim()) && box.width) {
      const svg = one.ownerSVGElement;
      const scale = svg ? svg.getBoundingClientRect().width / svg.viewBox.baseVal.width : 1;
      const px = parseFloat(page.defaultView.getComputedStyle(one).fontSize) * scale;
      if (px < %g) small.push(one.tagName + " " + px.toFixed(1) + " " + one.textContent.slice(0, 20));
    }
  }
  document.body.innerHTML = "<pre>" + JSON.stringify(
    {width: page.documentElement.scrollWidth, cut, small}).replace(/</g, "&lt;") + "</pre>";
});
</script>
"""

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")]


@pytest.fixture(scope="module")
def report(tmp_path_factory, phantom):
    folder = tmp_path_factory.mktemp("layout")
    mask = phantom.mask.copy()
    mask[20:][mask[20:] == 1] = 2
    write_report(folder / "report.html", phantom.ct, mask,
                 make_result(phantom.ct, mask, ClinicalInputs(age_years=81, gcs=11)))
    return folder / "report.html"


def chromium(folder, *arguments):
    return subprocess.run([CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                           "--allow-file-access-from-files", f"--user-data-dir={folder / 'browser'}", *arguments],
                          capture_output=True, text=True, timeout=180)


def test_on_a_phone_nothing_is_cut_and_every_text_is_legible(report):
    page = report.with_name("phone.html")
    page.write_text(MEASURE % (PHONE_PX, PHONE_PX, SMALLEST_PX), encoding="utf-8")
    done = chromium(report.parent, "--virtual-time-budget=5000", "--dump-dom", page.as_uri())
    found = re.search(r"<pre>(.*)</pre>", done.stdout, re.DOTALL)
    assert found, done.stderr[-2000:]
    assert found.group(1) == f'{{"width":{PHONE_PX},"cut":[],"small":[]}}'


def test_every_printed_page_says_whose_it_is_and_its_number(report):
    if not shutil.which("pdftotext"):
        pytest.skip("no pdftotext here")
    pdf = report.with_name("report.pdf")
    chromium(report.parent, f"--print-to-pdf={pdf}", "--no-pdf-header-footer", report.as_uri())
    text = subprocess.run(["pdftotext", "-layout", str(pdf), "-"], capture_output=True, text=True).stdout
    pages = text.rstrip("\f").split("\f")
    assert len(pages) >= 2
    for number, page in enumerate(pages, 1):
        assert "Series 2.25.1" in page and f"Page {number} of {len(pages)}" in page
