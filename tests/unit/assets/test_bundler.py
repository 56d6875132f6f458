"""Scripts that are joined: what each needs comes before it, once, and nothing is left out."""

import re

import pytest

from arauto.assets.bundler import ENTRIES, CannotJoin, join
from arauto.assets.minifier import STATIC

PURE = {
    "appearance": 'import { get } from "./kept.js";\nexport const look = get();\n',
    "kept": "export function get() {}\n",
    "link": "// One line says why.\nexport class Link {}\nconst LIMIT = 1;\n",
    "main": 'import { Link } from "./link.js";\nimport { get } from "./kept.js";\n'
    'import { far } from "./a.js";\nconst LIMIT = 2;\n',
    "a": 'import { near } from "./b.js";\nexport async function far() {}\nexport function* each() {}\n',
    "b": "export const near = 3;\n",
    "later": 'import { near } from "./b.js";\nimport { own } from "./own.js";\n'
    'export { own } from "./own.js";\n',
    "own": "export const own = 4;\n",
}
OTHER = {"other": 'import { kept } from "./appearance.js";\nkept();\n'}
LISTED = re.compile(r"^const \[(.+)\] = \(", re.MULTILINE)


def test_an_entry_holds_what_it_needs_after_what_that_needs() -> None:
    joined = join(PURE)
    assert LISTED.findall(joined["main"]) == ["near", "far, each"]
    assert LISTED.findall(joined["appearance"]) == ["get", "look"]
    assert joined["main"].index("LIMIT = 2") > joined["main"].index("async function far")


def test_what_an_earlier_entry_holds_is_taken_from_its_list() -> None:
    joined = join(PURE | {"appearance": PURE["appearance"] + "export const kept = look;\n"} | OTHER)
    assert re.findall(r"^import .*", joined["main"], re.MULTILINE) == [
        'import { $link } from "./link.js";',
        'import { $appearance } from "./appearance.js";',
    ]
    assert joined["appearance"].startswith("export const $appearance = ")
    assert "return [get, kept];" in joined["appearance"]
    assert "const [get, ] = $appearance;" in joined["main"]
    assert "const [, kept] = $appearance;" in joined["other"]
    assert "export" not in joined["main"].replace("export const $main = ", "")


def test_what_is_loaded_later_gets_the_same_objects() -> None:
    later = join(PURE)["later"]
    assert 'import { $main } from "./main.js";\n' in later
    assert "const [near] = $main;" in later
    assert 'import { own } from "./own.js";' in later  # nobody else has it
    assert 'export { own } from "./own.js";' in later.partition("(() => {")[0]


def test_what_is_loaded_later_gives_its_names_as_it_is_asked_for_them() -> None:
    joined = join(PURE | OTHER)
    assert joined["own"].startswith("export const [own] = (() => {")
    assert "return [own];" in joined["own"]
    assert joined["other"].partition("(() => {")[0] == 'import { $appearance } from "./appearance.js";\n'


def test_one_name_has_one_owner() -> None:
    with pytest.raises(CannotJoin, match=re.escape("kept.js and b.js export get")):
        join(PURE | {"b": "export const get = 3;\n"})


@pytest.mark.parametrize(
    "line",
    [
        'import * as a from "./a.js";',
        'import { far as near } from "./a.js";',
        'import "./a.js";',
        "export { near };",
        "export default near;",
        "export let near;",
    ],
)
def test_what_cannot_be_joined_is_refused(line: str) -> None:
    with pytest.raises(CannotJoin, match=re.escape(f"main.js: {line}")):
        join(PURE | {"main": f"{line}\n"})


def test_every_export_of_the_page_has_one_place() -> None:
    texts = {path.stem: path.read_text() for path in STATIC.glob("js/*.js")}
    joined = join(texts)
    held = [
        name for entry in ENTRIES for names in LISTED.findall(joined[entry]) for name in names.split(", ")
    ]
    assert len(held) == len(set(held)) > 80
