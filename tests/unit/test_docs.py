"""The documents say what the program does."""

import re

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
