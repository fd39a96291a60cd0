"""Names that are not UTF-8, and names that are nobody's business: every text written or printed survives both."""

import json
import os
import sys

import pydicom
import pytest
from command_line import ROOT, child_environment, ichvolume
from dicom_files import change_all
from phantoms import ellipsoid_ct

from ICHVolumeLib.core.text import shown, shown_values
from ICHVolumeLib.io.nrrd import write_nrrd
from ICHVolumeLib.io.segmentation_nrrd import write_mask_seg_nrrd
from ICHVolumeLib.synthetic.dicom_series import write_dicom_series

LATIN_1 = os.fsdecode("M\u00fcller".encode("latin-1"))  # a name that is no UTF-8
SECRET = "Zwiebelturm"

pytestmark = pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="file names are Unicode there")


@pytest.fixture(scope="module")
def phantom_ct():
    return ellipsoid_ct("regular", pixel_mm=3.0, columns=64, rows=72, step_mm=10.0)


@pytest.fixture
def home(tmp_path, phantom_ct):
    """A folder with a Latin-1 name that holds ct/, ct.nrrd and mask.seg.nrrd, each of such a name."""
    home = tmp_path / LATIN_1
    write_dicom_series(phantom_ct.ct, home / f"ct{LATIN_1}", patient_name=f"{SECRET}^{SECRET}", patient_id=SECRET)
    (home / f"ct{LATIN_1}" / f"notes{LATIN_1}.txt").write_text("words", encoding="utf-8")
    write_nrrd(home / f"ct{LATIN_1}.nrrd", phantom_ct.ct.hu, phantom_ct.ct.ijk_to_ras)
    write_mask_seg_nrrd(home / f"m{LATIN_1}.seg.nrrd", phantom_ct.mask, phantom_ct.ct)
    return home


def texts(done, out):
    assert "Traceback" not in done.stderr and "Internal error" not in done.stderr, done.stderr
    texts = [done.stdout, done.stderr]
    for path in out.rglob("*") if out else []:
        texts.append(os.fsencode(path).decode("latin-1"))
        if path.suffix != ".stl":
            texts.append(path.read_bytes().partition(b"\n\n")[0].decode("utf-8") if path.suffix == ".nrrd"
                         else path.read_text(encoding="utf-8"))
    return texts


@pytest.mark.parametrize("source", ["ct{}", "ct{}.nrrd"])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_measuring_under_a_latin_1_name_writes_everything(home, source, encoding):
    done = ichvolume("measure", home / source.format(LATIN_1), home / f"m{LATIN_1}.seg.nrrd",
                     "-o", home / f"o{LATIN_1}", PYTHONIOENCODING=encoding)
    assert done.returncode == 0, done.stderr
    for text in texts(done, home / f"o{LATIN_1}"):
        assert SECRET not in text
    result = json.loads((home / f"o{LATIN_1}" / "result.json").read_text(encoding="utf-8"))
    assert "ct" in result["provenance"]["source"]
    json.dumps(result, ensure_ascii=False).encode("utf-8")


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_checking_under_a_latin_1_name(home, options):
    done = ichvolume("check", home / f"ct{LATIN_1}", *options)
    assert done.returncode == 0, done.stderr
    for text in texts(done, None):
        assert SECRET not in text and SECRET.upper() not in text
    if options:
        json.dumps(json.loads(done.stdout), ensure_ascii=False).encode("utf-8")


def test_a_refusal_under_a_latin_1_name_is_one_sentence(home, phantom_ct):
    done = ichvolume("check", home / f"none{LATIN_1}")
    assert done.returncode == 2 and "There is no file or folder" in done.stderr
    change_all(home / f"ct{LATIN_1}", Modality="MR")
    done = ichvolume("check", home / f"ct{LATIN_1}")
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
    assert SECRET not in done.stderr


def test_two_patients_are_listed_without_their_names(home, phantom_ct):
    write_dicom_series(phantom_ct.ct, home / f"ct{LATIN_1}" / "second", patient_name="Kirchenglocke^A", patient_id="K1",
                       series_number=2)
    done = ichvolume("check", home / f"ct{LATIN_1}")
    assert done.returncode == 2 and "2 patients" in done.stderr and "--series" in done.stderr
    assert SECRET not in done.stderr and "Kirchenglocke" not in done.stderr
    done = ichvolume("check", home / f"ct{LATIN_1}", "--series", "2")
    assert done.returncode == 0, done.stderr
    assert "(scanner's series 2, " in done.stdout and "Kirchenglocke" not in done.stdout


@pytest.mark.parametrize("name", ["O'Brien^\u00d6zg\u00fcr", "\u5c71\u7530^\u592a\u90ce", "A" * 200,
                                  "=cmd|' /C calc'!A0", "a\\b=c^d"])
@pytest.mark.filterwarnings("ignore")
def test_any_patient_name_reads_and_stays_private(tmp_path, phantom_ct, name):
    from ICHVolumeLib.io.read_ct import read_ct

    write_dicom_series(phantom_ct.ct, tmp_path)
    for path in tmp_path.glob("*.dcm"):
        dataset = pydicom.dcmread(path)
        dataset.PatientName = name
        dataset.save_as(path)
    ct = read_ct(tmp_path)
    assert name not in repr(ct.info) + repr(ct.findings)


def test_a_name_in_another_charset_than_the_file_says_does_no_harm(tmp_path, phantom_ct):
    write_dicom_series(phantom_ct.ct, tmp_path / "ct", patient_name="Mueller^Anna", series_description="Schaedel nativ")
    for path in (tmp_path / "ct").glob("*.dcm"):
        path.write_bytes(path.read_bytes().replace(b"Mueller^Anna", b"M\xfc\xe4\xf6ler^Anna").replace(
            b"Schaedel", b"Sch\xe4del "))
    done = ichvolume("check", tmp_path / "ct")
    assert done.returncode == 0, done.stderr
    assert "er^Anna" not in done.stdout + done.stderr


def test_shown_text_can_be_written_anywhere():
    odd = "a\udcfc\ud800b\x1b[31m\u00e4\n\tz"
    assert shown(odd) == "a\ufffd\ufffdb\ufffd[31m\u00e4\n\tz"
    assert shown_values({odd: [odd, 1, None, (odd,)]}) == {shown(odd): [shown(odd), 1, None, [shown(odd)]]}
    shown(odd).encode("utf-8")


def test_the_command_line_takes_such_names_as_bytes(home):
    """As a shell passes them; nothing in between may decode and fail."""
    import subprocess

    done = subprocess.run([sys.executable, "-m", "ICHVolumeLib", "check", os.fsencode(home / f"ct{LATIN_1}")],
                          capture_output=True, timeout=120, check=False, cwd=ROOT,
                          env=child_environment(PYTHONUTF8="1"))
    assert done.returncode == 0, done.stderr
    done.stdout.decode("utf-8")
