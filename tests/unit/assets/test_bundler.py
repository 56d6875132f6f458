"""Scripts that are joined: what each needs comes before it, once, and nothing is left out."""

import re

import pytest

from arauto.assets.bundler import CannotJoin, join
from arauto.assets.minifier import ENTRIES, STATIC

FIRST, SECOND, LAST = PAGE = ("look/first", "net/second", "last")
PURE = {
    FIRST: 'import { get } from "../lib/kept.js";\nexport const look = get();\n',
    "lib/kept": "export function get() {}\n",
    SECOND: "// One line says why.\nexport class Link {}\nconst LIMIT = 1;\n",
    LAST: 'import { Link } from "./net/second.js";\nimport { get } from "./lib/kept.js";\n'
    'import { far } from "./lib/a.js";\nconst LIMIT = 2;\n',
    "lib/a": 'import { near } from "./b.js";\nexport async function far() {}\nexport function* each() {}\n',
    "lib/b": "export const near = 3;\n",
    "net/later": 'import { near } from "../lib/b.js";\nimport { own } from "./own.js";\n'
    'export { own } from "./own.js";\n',
    "net/own": "export const own = 4;\n",
}
OTHER = {"other": 'import { kept } from "./look/first.js";\nkept();\n'}
LISTED = re.compile(r"^const \[?(.+?)\]? = \(", re.MULTILINE)


def imports(text: str) -> list[str]:
    return re.findall(r"^import .*", text, re.MULTILINE)


def test_an_entry_holds_what_it_needs_after_what_that_needs() -> None:
    joined = join(PURE, PAGE)
    assert LISTED.findall(joined[LAST]) == ["near", "far, each"]
    assert LISTED.findall(joined[FIRST]) == ["get", "look"]
    assert joined[LAST].index("LIMIT = 2") > joined[LAST].index("async function far")


def test_what_an_earlier_entry_holds_is_taken_from_its_list() -> None:
    joined = join(PURE | {FIRST: PURE[FIRST] + "export const kept = look;\n"} | OTHER, PAGE)
    assert imports(joined[LAST]) == [
        'import { $second } from "./net/second.js";',
        'import { $first } from "./look/first.js";',
    ]
    assert joined[FIRST].startswith("export const $first = ")
    assert "return [get, kept];" in joined[FIRST]
    assert "const [get, ] = $first;" in joined[LAST]
    assert "const [, kept] = $first;" in joined["other"]
    assert "export" not in joined[LAST].replace("export const $last = ", "")


def test_what_is_loaded_later_gets_the_same_objects() -> None:
    later = join(PURE, PAGE)["net/later"]
    assert 'import { $last } from "../last.js";\n' in later
    assert "const [near] = $last;" in later
    assert 'import { own } from "./own.js";' in later  # nobody else has it
    assert 'export { own } from "./own.js";' in later.partition("(() => {")[0]


def test_what_is_loaded_later_gives_its_names_as_it_is_asked_for_them() -> None:
    joined = join(PURE | OTHER, PAGE)
    assert joined["net/own"].startswith("export const own = (() => {")
    assert "return own;" in joined["net/own"]
    assert joined["other"].partition("(() => {")[0] == 'import { $first } from "./look/first.js";\n'


def test_a_list_of_imports_may_take_several_lines() -> None:
    several = 'import {\n  near,\n  other,\n} from "./b.js";\nexport const far = near + other;\n'
    texts = PURE | {"lib/a": several, "lib/b": "export const near = 3;\nexport const other = 4;\n"}
    assert LISTED.findall(join(texts, PAGE)[LAST]) == ["near, other", "far"]


@pytest.mark.parametrize("how", ["import({})", "new URL({}, import.meta.url)", "lazy({}, import.meta.url)"])
def test_an_address_is_right_from_the_file_that_it_is_in(how: str) -> None:
    asked = PURE["lib/a"] + how.format('"../net/own.js"') + ";\n" + how.format('"./worker.js"')
    joined = join(PURE | {"lib/a": asked, "lib/worker": ""}, PAGE)
    assert how.format('"./net/own.js"') in joined[LAST]
    assert how.format('"./lib/worker.js"') in joined[LAST]
    again = join(PURE | {"net/own": how.format('"../lib/worker.js"'), "lib/worker": ""}, PAGE)
    assert how.format('"../lib/worker.js"') in again["net/own"]


def test_one_name_has_one_owner() -> None:
    with pytest.raises(CannotJoin, match=re.escape("lib/kept.js and lib/b.js export get")):
        join(PURE | {"lib/b": "export const get = 3;\n"}, PAGE)


@pytest.mark.parametrize(
    "line",
    [
        'import * as a from "./lib/a.js";',
        'import { far as near } from "./lib/a.js";',
        'import { far } from "lib/a.js";',
        'import { far } from "/lib/a.js";',
        'import "./lib/a.js";',
        "export { near };",
        "export default near;",
        "export let near;",
        'export { near } from "./lib/b.js";',
    ],
)
@pytest.mark.parametrize("name", [LAST, "lib/b"])
def test_what_cannot_be_joined_is_refused(name: str, line: str) -> None:
    with pytest.raises(CannotJoin, match=re.escape(f"{name}.js: {line}")):
        join(PURE | {name: f"{line}\n"}, PAGE)


@pytest.mark.parametrize("name", [LAST, "lib/b", "net/own"])
@pytest.mark.parametrize("line", ['import { no } from "../no.js";\n', 'import("../no.js");\n'])
def test_what_is_not_there_is_refused(name: str, line: str) -> None:
    with pytest.raises(CannotJoin, match=re.escape(f"{name}.js: there is no ")):
        join(PURE | {name: line}, PAGE)


def test_a_circle_is_refused() -> None:
    circle = "lib/a.js imports lib/b.js imports lib/a.js"
    with pytest.raises(CannotJoin, match=re.escape(circle)):
        join(PURE | {"lib/b": 'import { far } from "./a.js";\n'}, PAGE)


@pytest.mark.parametrize("line", ['import("../lib/b.js");\n', 'export { near } from "../lib/b.js";\n'])
def test_what_an_entry_holds_has_no_address(line: str) -> None:
    with pytest.raises(CannotJoin, match=re.escape("lib/b.js is no file of its own, but in last.js")):
        join(PURE | {"net/own": line}, PAGE)


def test_every_export_of_the_page_has_one_place() -> None:
    texts = {path.stem: path.read_text() for path in STATIC.glob("js/*.js")}
    joined = join(texts, ENTRIES)
    held = [
        name for entry in ENTRIES for names in LISTED.findall(joined[entry]) for name in names.split(", ")
    ]
    assert len(held) == len(set(held)) > 80
