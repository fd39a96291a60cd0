"""What the extension catalogue reads: .s4ext, JSON, icon, pictures; all say what CMakeLists.txt says."""

import json
import struct
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHECKOUT_LIMIT_MB = 100  # rule of the extension index
RAW = "https://raw.githubusercontent.com/"


@pytest.fixture(scope="module")
def s4ext():
    lines = (ROOT / "ICHVolume.s4ext").read_text(encoding="utf-8").splitlines()
    return dict(line.split(" ", 1) for line in lines if line.strip() and not line.startswith("#"))


@pytest.fixture(scope="module")
def entry():
    return json.loads((ROOT / "ICHVolume.json").read_text(encoding="utf-8"))


def test_the_description_file_says_what_cmake_says(package, s4ext):
    for key in ("homepage", "category", "contributors", "description", "iconurl", "screenshoturls", "depends"):
        assert s4ext[key] == package.meta[key.upper()], key
    assert package.meta["NAME"] == "ICHVolume" == next(ROOT.glob("*.s4ext")).stem


def test_the_catalogue_entry_says_what_cmake_says(package, s4ext, entry):
    assert entry["category"] == package.meta["CATEGORY"]
    assert entry["build_dependencies"] == package.meta["DEPENDS"].split()
    assert entry["scm_url"] == s4ext["scmurl"] == package.meta["HOMEPAGE"] + ".git"
    assert (entry["scm_revision"], entry["scm_type"]) == (s4ext["scmrevision"], s4ext["scm"])
    assert entry["build_subdirectory"] == s4ext["build_subdirectory"] == "."
    assert entry["enabled"] == (s4ext["enabled"] == "1")


def test_the_repository_is_named_as_the_extension_index_asks(package, entry):
    """The checkout's name begins with Slicer; the extension's own name does not."""
    assert entry["scm_url"].rsplit("/", 1)[1] == "SlicerICHVolume.git"
    owner_and_name = "/".join(package.meta["HOMEPAGE"].split("/")[-2:])
    for key in ("ICONURL", "SCREENSHOTURLS"):
        assert package.meta[key].startswith(f"{RAW}{owner_and_name}/main/"), key
    for name in ("README.md", "CITATION.cff"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert package.meta["HOMEPAGE"] in text and f"/{package.meta['NAME']}.git" not in text


def test_the_clone_with_its_history_is_small_enough():
    """The index counts .git too: weights that are committed again and again stay in it for ever."""
    listed = subprocess.run(["git", "rev-list", "--objects", "--disk-usage", "HEAD"], cwd=ROOT, capture_output=True,
                            text=True, encoding="utf-8", check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout, or git is older than 2.31")
    history_mb = int(listed.stdout) / 1e6
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, encoding="utf-8",
                           check=True).stdout.split("\0")
    checkout_mb = sum((ROOT / name).stat().st_size for name in files if name and (ROOT / name).is_file()) / 1e6
    assert history_mb + checkout_mb < CHECKOUT_LIMIT_MB, f"history {history_mb:.0f} MB, files {checkout_mb:.0f} MB"


def test_the_catalogue_entry_has_the_keys_of_its_schema(entry):
    required = {"$schema", "category", "scm_url"}
    optional = {"scm_revision", "scm_type", "build_dependencies", "build_subdirectory", "enabled", "tier",
                "dicom_support_rule"}
    assert required <= set(entry) <= required | optional
    assert entry["$schema"].endswith("slicer-extension-catalog-entry-schema-v1.0.1.json#")
    assert entry["tier"] in (1, 3, 5)


def test_the_description_says_research_use_only(package):
    assert "Research use only; not a medical device." in package.meta["DESCRIPTION"]


def test_icon_and_picture_are_in_the_repository_at_the_addresses_given(package):
    base = package.meta["HOMEPAGE"].replace("https://github.com/", RAW) + "/main/"
    for url in (package.meta["ICONURL"], *package.meta["SCREENSHOTURLS"].split()):
        assert url.startswith(base)
        assert (ROOT / url.removeprefix(base)).is_file(), url


def png_size(path):
    head = path.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", head[16:24])


def test_icons_have_the_size_the_catalogue_asks_for():
    assert png_size(ROOT / "Resources" / "ICHVolume.png") == (128, 128)
    assert png_size(ROOT / "ICHVolume" / "Resources" / "Icons" / "ICHVolume.png") == (64, 64)


def test_the_checkout_is_small_enough_and_has_a_licence():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, encoding="utf-8",
                            check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    files = [ROOT / name for name in listed.stdout.split("\0") if name]
    assert sum(path.stat().st_size for path in files if path.is_file()) < CHECKOUT_LIMIT_MB * 1e6
    assert ROOT / "LICENSE.txt" in files
