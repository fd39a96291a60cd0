"""What the documents name exists: links, files of the library, commands and their options, the version."""

import re
import shlex
from pathlib import Path

import pytest

from ICHVolumeLib import __version__
from ICHVolumeLib.commands import COMMANDS

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "Resources").glob("*.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)")
MODULE = re.compile(r"`(?:python )?([\w/]+\.py)\b")
SLICERS_OWN = {"ScriptedLoadableModule.py", "i18n.py"}  # named where CONTRIBUTING speaks of a Slicer checkout


def _ids(page):
    return page.name


def _anchors(text):
    """Of every heading, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=_ids)
def test_every_link_leads_somewhere(page):
    text = page.read_text(encoding="utf-8")
    for link in LINK.findall(text):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        if anchor:
            assert anchor in _anchors(target.read_text(encoding="utf-8")), link


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "CHANGELOG.md"], ids=_ids)
def test_every_file_of_code_that_is_named_exists(page):
    names = {path.name for folder in ("ICHVolume", "ICHVolumeLib", "Resources", "Testing")
             for path in (ROOT / folder).rglob("*.py")}
    named = {Path(name).name for name in MODULE.findall(page.read_text(encoding="utf-8"))}
    assert named - SLICERS_OWN <= names


def _commands(text):
    """(words) of every `ichvolume ...` line of the indented blocks; what follows three spaces is its explanation."""
    for line in re.findall(r"^    .*?\bichvolume (.+?)(?:;.*|   .*)?$", text, re.M):
        yield shlex.split(line)


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "CHANGELOG.md"], ids=_ids)
def test_every_command_and_option_that_is_shown_is_known(page):
    for words in _commands(page.read_text(encoding="utf-8")):
        if words[0] == "COMMAND":
            continue
        assert words[0] in COMMANDS, words
        folder = ROOT / "ICHVolumeLib" / "commands"
        files = [*folder.glob(f"{words[0]}*.py"), folder / "clinical.py", folder / "console.py"]
        source = "".join(file.read_text(encoding="utf-8") for file in files)
        for option in (word for word in words if word.startswith("--") and word != "--help"):
            assert f'"{option}"' in source, words


def test_changelog_and_citation_tell_of_this_version():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    version, date = re.search(r"^## (\S+), (.+)$", changelog, re.M).groups()
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert version == __version__ and f"\nversion: {__version__}\n" in citation
    assert f'\ndate-released: "{date}"\n' in citation or date == "not yet released"


def test_the_readme_sends_the_surgeon_on_first():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert LINK.search(readme).group(1) == "Resources/ForNeurosurgeons.md"


def test_the_module_is_called_what_the_list_of_modules_shows():
    module = (ROOT / "ICHVolume" / "ICHVolume.py").read_text(encoding="utf-8")
    title = re.search(r'parent\.title = _\("(.+?)"\)', module).group(1)
    for page in ("README.md", "Resources/ForNeurosurgeons.md"):
        assert f"**{title}**" in (ROOT / page).read_text(encoding="utf-8"), page
