"""The table of many cases: every column against what is known, and what a spreadsheet makes of it."""

import csv
import gzip
import io
import os
import re
import shutil
import subprocess
from collections import defaultdict
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from command_line import ROOT
from old_results import as_first_version

from ICHVolumeLib.core.ct_volume import CTVolume, ScanInfo
from ICHVolumeLib.core.result import ClinicalInputs, MaskVersion, Result, VolumeMl
from ICHVolumeLib.io.result_columns import COLUMNS, columns_markdown
from ICHVolumeLib.io.result_files import csv_row, csv_text, rounded
from ICHVolumeLib.workflow.make_result import make_result

ENTERED = ClinicalInputs(age_years=67.0, gcs=11, infratentorial=False, nihss=14, oral_anticoagulation=True,
                         location="deep", cognitive_impairment=False)
CLEAN_UP = [{"name": "specks", "threshold_mm3": 30.0, "removed_ml": 0.04, "added_ml": 0.0},
            {"name": "outlines", "threshold_mm3": None, "removed_ml": 0.5, "added_ml": 1.25, "slices": [3]}]


def box_case(clinical=ENTERED, rows=40, **info):
    """10 slices of 4 mm with pixels of 1 mm; ICH: 40 x 20 mm on slices 4 and 5 (from 1), IVH: 10 x 10 on slice 6."""
    mask = np.zeros((10, 64, 64), np.uint8)
    mask[3:5, 5:5 + rows, 5:25] = 1
    mask[5, 40:50, 40:50] = 2
    ct = CTVolume.regular(np.full(mask.shape, 60, np.int16), np.diag([1.0, 1.0, 4.0, 1.0]),
                          ScanInfo(source="scan", slice_thickness_mm=5.0, **info))
    return make_result(ct, mask, clinical, noticed=[])


def test_the_volumes_inputs_and_slices_of_a_box_are_those_one_counts_by_hand():
    made = box_case(scanned_at="2022-10-06T09:30:00")
    result = replace(made, interval_ml=(4.0, 9.06), interval_coverage=0.9, interval_calibrated_on="synthetic patients",
                     provenance=replace(made.provenance, clean_up=CLEAN_UP),
                     history=[MaskVersion("foreign", "2022-10-07T08:00:00+02:00", "", 6.8, 6.4, 0.4)])
    row = csv_row(result)
    assert row["volume_ich_ml"] == 2 * 40 * 20 * 4 / 1000 == 6.4
    assert (row["volume_ivh_ml"], row["volume_total_ml"]) == (0.4, 6.8)
    assert (row["volume_ich_low_ml"], row["volume_ich_high_ml"]) == (3.6, 8.66)  # 0.4 mL IVH less
    assert (row["volume_total_low_ml"], row["volume_total_high_ml"]) == (4.0, 9.06)
    assert row["interval_calibrated_on"] == "synthetic patients"
    assert (row["first_marked_slice_from_1"], row["last_marked_slice_from_1"], row["abc2_slice_from_1"]) == (4, 6, 4)
    assert (row["slice_thickness_mm"], row["slice_height_min_mm"], row["slice_height_max_mm"]) == (5.0, 4.0, 4.0)
    assert row["abc2_c_mm"] == row["abc2_c_kothari_mm"] == 8.0  # two slices of 4 mm, both full
    assert row["abc2_minus_ich_ml"] == round(result.abc2.coniglobus_ml - 6.4, 2)
    assert row["abc2_minus_ich_percent"] == round(100 * (result.abc2.coniglobus_ml / 6.4 - 1), 1)
    assert [row[f"input_{name}"] for name in vars(ENTERED)] == [67.0, 11, "no", None, 14, "yes", "deep", "no"]
    assert (row["clean_up_removed_ml"], row["clean_up_added_ml"]) == (0.54, 1.25)
    assert (row["scanned_at"], row["measured_at"]) == ("2022-10-06T09:30:00", "2022-10-07T08:00:00+02:00")
    assert row["mask_origin"] == "foreign" and row["patient_key"] is None


def test_mortality_is_a_range_while_the_score_is_open():
    row = csv_row(box_case(ClinicalInputs(gcs=14, age_years=50.0)))  # IVH suggested, site unknown: 0 to 2
    assert (row["ich_score_lowest"], row["ich_score_highest"]) == (0, 2)
    assert (row["mortality_30d_lowest_percent"], row["mortality_30d_highest_percent"]) == (0, 26)  # Hemphill 2001
    sure = csv_row(box_case(replace(ENTERED, ivh=True)))
    assert (sure["ich_score"], sure["mortality_30d_percent"]) == (2, 26)
    assert (sure["mortality_30d_ci95_low_percent"], sure["mortality_30d_ci95_high_percent"]) == (13, 45)


@pytest.mark.parametrize("changes, origin", [
    ({}, "foreign"), ({"engine": "openvino"}, "model"), ({"edited": True}, "edited")])
def test_where_the_mask_came_from_is_a_column(changes, origin):
    made = box_case()
    before = VolumeMl(5.0, 5.0, 0.0, 5.0) if changes.get("edited") else None
    engine = changes.get("engine", "none")
    row = csv_row(replace(made, automatic_volume_ml=before, provenance=replace(made.provenance, engine=engine)))
    assert row["mask_origin"] == origin
    assert row["automatic_volume_ich_ml"] == (5.0 if before else None)


@pytest.mark.parametrize("ml, cell", [(45.83142000000001, 45.8), (9.876, 9.88), (9.996, 10.0), (0.0449, 0.04), (0, 0)])
def test_a_volume_has_one_decimal_from_10_ml_on_and_two_below(ml, cell):
    assert csv_row(replace(box_case(), volume_ml=VolumeMl(ml, ml, 0.0, ml)))["volume_total_ml"] == cell


def test_no_text_becomes_a_formula_or_a_second_line():
    made = box_case()
    for text in ("=1+1", "+1", "-1", "@x", "  =1", "a\nb", "a,b", 'a"b'):
        said = csv_text(replace(made, provenance=replace(made.provenance, source=text)))
        row = next(csv.DictReader(io.StringIO(said)))
        assert not row["source"].startswith(("=", "+", "-", "@")) and "\n" not in row["source"]
        assert row["source"].lstrip("'") == " ".join(text.split())


def test_a_file_of_the_first_version_makes_the_same_row():
    made = box_case()
    result = replace(made, interval_ml=(4.0, 9.0), interval_coverage=0.9,
                     provenance=replace(made.provenance, clean_up=CLEAN_UP))
    again = Result.from_dict(as_first_version(result))
    now, then = csv_row(result), csv_row(again)
    differs = {name for name in now if now[name] != then[name]}
    assert differs == {"slice_thickness_mm", "clean_up_removed_ml", "clean_up_added_ml"}
    assert then["slice_thickness_mm"] is None
    assert (then["clean_up_removed_ml"], then["clean_up_added_ml"]) == (0.04, 0.75)  # its outlines: 0.5 less 1.25


def table_of_200() -> tuple[str, list[Result]]:
    """As the README's awk line makes it: one header, one row a case."""
    results = [box_case(ENTERED if number % 2 else ClinicalInputs(), rows=2 + number % 50) for number in range(200)]
    texts = [csv_text(result) for result in results]
    assert len({text.splitlines()[0] for text in texts}) == 1
    return "\n".join([texts[0].splitlines()[0], *(text.splitlines()[1] for text in texts)]) + "\n", results


def test_a_table_of_200_cases_opens_in_pandas_with_numbers_as_numbers():
    pandas = pytest.importorskip("pandas")
    text, results = table_of_200()
    table = pandas.read_csv(io.StringIO(text))
    assert len(table) == 200 and list(table.columns) == [column.name for column in COLUMNS]
    truth_ml = np.array([2 * (2 + number % 50) * 20 * 4 / 1000 for number in range(200)])
    assert np.abs(table["volume_ich_ml"] - truth_ml).max() <= 0.05 + 1e-9
    numbers = [column.name for column in COLUMNS if column.name.endswith(("_ml", "_mm", "_percent", "_deg", "_from_1"))]
    assert all(pandas.api.types.is_numeric_dtype(table[name]) for name in numbers)
    assert (table["clean_up_removed_ml"].fillna(0) >= 0).all()
    assert table["input_gcs"].count() == 100 and set(table["input_gcs"].dropna()) == {11}
    assert set(table["found"]) == {"yes"} and table["input_ivh"].isna().all()


def test_a_table_of_200_cases_has_nothing_that_a_spreadsheet_would_misread():
    text, _ = table_of_200()
    rows = list(csv.reader(io.StringIO(text)))
    assert len(rows) == 201 and {len(row) for row in rows} == {len(COLUMNS)}
    for name, cells in zip(rows[0], zip(*rows[1:], strict=True), strict=True):
        for cell in cells:
            assert not re.search(r"^[=+@]|^-(?!\d)|\d,\d|\.\d{7}|nan|inf|None", cell), (name, cell)


@pytest.mark.skipif(not shutil.which("ssconvert"), reason="no Gnumeric here (Debian: apt install gnumeric)")
def test_a_spreadsheet_takes_the_numbers_of_200_cases_for_numbers_and_the_texts_for_texts(tmp_path):
    """Gnumeric's own import, as on opening the file; its XML says of each cell what it was taken for."""
    text, results = table_of_200()
    (tmp_path / "results.csv").write_text(text, encoding="utf-8", newline="")
    subprocess.run(["ssconvert", "results.csv", "out.gnumeric"], cwd=tmp_path, check=True, capture_output=True,
                   env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"})
    xml = ElementTree.fromstring(gzip.decompress((tmp_path / "out.gnumeric").read_bytes()))
    kinds, values = defaultdict(set), defaultdict(dict)
    for cell in xml.iter("{http://www.gnumeric.org/v10.dtd}Cell"):
        column, row = int(cell.get("Col")), int(cell.get("Row"))
        if row:
            kinds[COLUMNS[column].name].add({"40": "number", "60": "text"}.get(cell.get("ValueType"), "other"))
        values[column][row] = cell.text
    assert [values[n][0] for n in range(len(values))] == [column.name for column in COLUMNS]
    is_number = {column.name: isinstance(cell_value, (int, float)) for column in COLUMNS
                 for row in map(csv_row, results) if (cell_value := row[column.name]) is not None}
    dates = {"measured_at", "scanned_at"}  # which a spreadsheet may take for dates
    for name, found in kinds.items():
        assert name in dates or found == {"number" if is_number[name] else "text"}, name
    ich = [column.name for column in COLUMNS].index("volume_ich_ml")
    assert [float(values[ich][row]) for row in range(1, 201)] == [row["volume_ich_ml"] for row in map(csv_row, results)]


def test_the_dictionary_of_columns_in_the_documentation_is_the_one_of_the_code():
    """`python Resources/write_results.py` writes it."""
    assert columns_markdown() in (ROOT / "Resources" / "Results.md").read_text(encoding="utf-8")
    assert len({column.name for column in COLUMNS}) == len(COLUMNS)


def test_the_row_can_be_told_from_the_json_to_its_rounding():
    result = box_case()
    again = Result.from_dict(rounded(result.to_dict()))
    for name, value in csv_row(result).items():
        other = csv_row(again)[name]
        assert other == (pytest.approx(value, abs=0.1) if isinstance(value, float) else value), name
