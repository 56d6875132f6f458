"""Collect the program's sentences, merge them into each language, compile. Run by ``make translations``."""

import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parents[2]
LANGUAGES = ROOT / "arauto" / "translations"
MAPPING = "[python: app.py]\n[python: arauto/**.py]\n[jinja2: templates/**.html]\n"
NO_DATE = datetime(2000, 1, 1, tzinfo=UTC)
PYBABEL = [sys.executable, "-m", "babel.messages.frontend", "-q"]


def collect(template: Path) -> None:
    """Write all sentences of the program to a template."""
    with tempfile.NamedTemporaryFile("w", suffix=".cfg") as mapping:
        mapping.write(MAPPING)
        mapping.flush()
        command = ["extract", "-F", mapping.name, "-k", "plural:1,2", "--no-location", "--sort-output"]
        subprocess.run([*PYBABEL, *command, "-o", str(template), "."], cwd=ROOT, check=True)


def compiled(po: Path) -> bytes:
    """The compiled catalogue of one language: equal sentences give equal bytes, at any time."""
    with po.open("rb") as source, tempfile.TemporaryFile() as target:
        catalog = read_po(source, locale=po.parents[1].name)
        catalog.creation_date = NO_DATE
        write_mo(target, catalog)
        target.seek(0)
        return target.read()


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        template = Path(directory) / "messages.pot"
        collect(template)
        command = ["update", "-i", str(template), "-d", str(LANGUAGES), "--no-fuzzy-matching"]
        subprocess.run([*PYBABEL, *command, "--ignore-obsolete", "--omit-header"], cwd=ROOT, check=True)
    for po in LANGUAGES.glob("*/LC_MESSAGES/messages.po"):
        po.with_suffix(".mo").write_bytes(compiled(po))


if __name__ == "__main__":
    main()
