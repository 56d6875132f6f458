"""The folders of scripts: each imports only from those above it in docs/scripts.md, never in a circle."""

import re
from graphlib import TopologicalSorter
from posixpath import basename, dirname, join, normpath

import pytest

from arauto.assets.minifier import LATER_SHEETS, SHEETS, STATIC, TOPIC_LATER_SHEETS, TOPIC_SHEETS, modules
from tests.support.servers import ROOT

FOLDERS = re.findall(r"^\| `(\w+)` \|", (ROOT / "docs/scripts.md").read_text(), re.MULTILINE)
MODULES = modules()
ADDRESS = re.compile(r'["\'](\.\.?/[\w/]+)\.js["\']')  # of an import, a dynamic import or a type


def imported(name: str) -> set[str]:
    return {normpath(join(dirname(name), path)) for path in ADDRESS.findall(MODULES[name])}


def test_the_document_names_every_folder() -> None:
    assert set(FOLDERS) == {dirname(name) for name in MODULES}


@pytest.mark.parametrize("name", MODULES)
def test_imports_point_one_way(name: str) -> None:
    allowed = FOLDERS[: FOLDERS.index(dirname(name)) + 1]
    assert {dirname(other) for other in imported(name)} <= set(allowed)


def test_no_module_takes_part_in_a_cycle() -> None:
    TopologicalSorter({name: imported(name) for name in MODULES}).prepare()


def test_no_two_modules_have_one_name() -> None:
    assert len({basename(name) for name in MODULES}) == len(MODULES)


@pytest.mark.parametrize("name", MODULES)
def test_a_module_begins_with_what_it_is_for(name: str) -> None:
    assert MODULES[name].startswith("// ")


def test_every_sheet_is_sent() -> None:
    sheets = {path.relative_to(STATIC / "css").with_suffix("").as_posix() for path in STATIC.rglob("*.css")}
    assert sheets == {*SHEETS, *LATER_SHEETS, *TOPIC_SHEETS, *TOPIC_LATER_SHEETS, "app/login"}
    assert {dirname(sheet) for sheet in sheets} <= {"base", *FOLDERS}
