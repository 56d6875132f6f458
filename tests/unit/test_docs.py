"""The documents match the program."""

import re

from arauto import __version__
from arauto.settings import SETTINGS
from tests.support.servers import ROOT

LINK = re.compile(r"\]\((?!http)([^)#]+)")


def test_the_settings_table_is_the_settings() -> None:
    rows = [
        f"| `{setting.name}` | {f'`{setting.default}`' if setting.default else ''} | {setting.help} |"
        for setting in SETTINGS
    ]
    table = [
        line for line in (ROOT / "README.md").read_text().splitlines() if re.match(r"\| `[A-Z_]+`", line)
    ]
    assert table == rows


def test_every_file_that_a_document_links_to_is_there() -> None:
    documents = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
    assert len(documents) >= 3
    for document in documents:
        for target in LINK.findall(document.read_text()):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_every_target_of_make_is_explained() -> None:
    (phony,) = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    explained = re.findall(r"^\| `make (\w+)`", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE)
    assert sorted(explained) == sorted(phony.split())


def test_the_version_has_its_entry_in_the_changelog() -> None:
    headings = re.findall(r"^## (\S+)(?: - (\S+))?$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    (unreleased, _), (newest, date), *_ = headings
    assert (unreleased, newest) == ("Unreleased", __version__)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", date)
