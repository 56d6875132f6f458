"""The bundler: a module comes after its imports, once, and none is left out."""

import re

import pytest

from arauto.assets.bundler import CannotJoin, Module, join
from arauto.assets.minifier import ENTRIES, HOSTS, modules
from tests.support.servers import ROOT

FIRST, SECOND, LAST = PAGE = ("look/first", "net/second", "last")
PURE = {
    FIRST: 'import { get } from "../lib/kept.js";\nexport const look = get();\n',
    "lib/kept": "const KEPT = 4;\nexport function get() {}\n",
    SECOND: "// One line says why.\nexport class Link {}\nconst LIMIT = 1;\n",
    LAST: 'import { Link } from "./net/second.js";\nimport { get } from "./lib/kept.js";\n'
    'import { far } from "./lib/a.js";\nconst LIMIT = 2;\n',
    "lib/a": 'import { near } from "./b.js";\nexport async function far() {}\nexport function* each() {}\n'
    "const LIMIT = 3;\n",
    "lib/b": "export const near = 3;\n",
    "net/later": 'import { near } from "../lib/b.js";\nimport { own } from "./own.js";\n'
    'export { own } from "./own.js";\n',
    "net/own": "export const own = 4;\n",
}
OTHER = {"other": 'import { kept } from "./look/first.js";\nkept();\n'}
LISTED = re.compile(r"^const \[?([\w, ]+?)\]? = \(\(", re.MULTILINE)


def imports(text: str) -> list[str]:
    return re.findall(r"^import .*", text, re.MULTILINE)


def test_an_entry_holds_what_it_needs_after_what_that_needs() -> None:
    joined = join(PURE, PAGE)
    assert LISTED.findall(joined["first"]) == ["get"]
    assert LISTED.findall(joined["last"]) == ["far, each"]
    assert joined["last"].index("const near") < joined["last"].index("async function far")
    assert joined["last"].index("LIMIT = 3") < joined["last"].index("LIMIT = 2")


def test_what_has_no_name_for_itself_needs_no_scope() -> None:
    joined = join(PURE, PAGE)
    assert joined["first"].count("(() => {") == 2  # the file, and a module with its own constant
    assert "\nconst look = get();\n" in joined["first"]


def test_what_an_earlier_entry_holds_is_taken_from_its_list() -> None:
    joined = join(PURE | {FIRST: PURE[FIRST] + "export const kept = look;\n"} | OTHER, PAGE)
    assert imports(joined["last"]) == [
        'import { $1 } from "./second.js";',
        'import { $0 } from "./first.js";',
    ]
    assert joined["first"].startswith("export const $0 = ")
    assert "return [get, kept];" in joined["first"]
    assert "const [get, ] = $0;" in joined["last"]
    assert "const [, kept] = $0;" in joined["other"]
    assert "export" not in joined["last"].replace("export const $2 = ", "")


def test_what_most_files_want_is_first_in_the_list() -> None:
    two = {
        "other": 'import { kept } from "./look/first.js";\n',
        "third": 'import { kept } from "./look/first.js";\n',
    }
    joined = join(PURE | {FIRST: PURE[FIRST] + "export const kept = look;\n"} | two, PAGE)
    assert "return [kept, get];" in joined["first"]
    assert "const [kept, ] = $0;" in joined["third"]


def test_what_is_loaded_later_gets_the_same_objects() -> None:
    later = join(PURE, PAGE)["later"]
    assert 'import { $2 } from "./last.js";\n' in later
    assert "const [near] = $2;" in later
    assert 'import { own } from "./own.js";' in later  # no other entry has it
    assert 'export { own } from "./own.js";' in later.partition("(() => {")[0]


def test_what_is_loaded_later_gives_its_names_as_it_is_asked_for_them() -> None:
    joined = join(PURE | OTHER, PAGE)
    assert joined["own"].startswith("export const own = (() => {")
    assert "return own;" in joined["own"]
    assert joined["other"].partition("(() => {")[0] == 'import { $0 } from "./first.js";\n'


DEEP = {
    "net/page": 'import { list } from "./list.js";\nimport { shared } from "../lib/shared.js";\n'
    "const LIMIT = 5;\nexport function page() {}\n",
    "net/list": 'import { item } from "./item.js";\nimport { near } from "../lib/b.js";\n'
    "export const list = item;\n",
    "net/item": "const LIMIT = 6;\nexport const item = LIMIT;\n",
    "lib/shared": "export const shared = 7;\n",
    "net/another": 'import { shared } from "../lib/shared.js";\nexport const another = shared;\n',
}


def test_what_only_one_file_needs_is_in_it() -> None:
    joined = join(PURE | DEEP, PAGE)
    assert not {"list", "item"} & joined.keys()
    page = joined["page"]
    assert imports(page) == ['import { $2 } from "./last.js";', 'import { shared } from "./shared.js";']
    assert page.index("const item = (() => {") < page.index("const list = (() => {")
    assert page.index("const list = (() => {") < page.index("function page")
    assert re.findall(r"^export const (.+) = ", page, re.MULTILINE) == ["page"]


def test_what_several_files_need_is_in_the_chosen_one() -> None:
    joined = join(PURE | DEEP, PAGE, {"lib/shared": "net/another"})
    assert "shared" not in joined
    assert joined["another"].index("const shared = ") < joined["another"].index("const another = ")
    assert "export const [another, shared] = " in joined["another"]
    assert 'import { shared } from "./another.js";' in imports(joined["page"])


@pytest.mark.parametrize(
    ("name", "host"),
    [
        ("lib/shared", "net/own"),  # does not need it
        ("lib/shared", "net/anothr"),  # mistyped
        ("lib/shred", "net/another"),
        ("lib/a", "net/another"),  # the entries need it
    ],
)
def test_a_file_cannot_have_just_any_module(name: str, host: str) -> None:
    with pytest.raises(CannotJoin, match=re.escape(f"{name}.js cannot be in the file of {host}.js")):
        join(PURE | DEEP, PAGE, {name: host})


def test_a_module_with_an_address_cannot_be_in_the_file_of_another() -> None:
    asked = PURE["net/own"] + 'import("../lib/shared.js");\n'
    with pytest.raises(CannotJoin, match=re.escape("lib/shared.js cannot be in the file of net/another.js")):
        join(PURE | DEEP | {"net/own": asked}, PAGE, {"lib/shared": "net/another"})


def test_what_is_asked_for_by_its_address_has_a_file() -> None:
    text = PURE["net/own"] + 'import("./item.js");\n'
    joined = join(PURE | DEEP | {"net/own": text}, PAGE)
    assert 'import { item } from "./item.js";' in joined["page"]
    assert "list" not in joined


@pytest.mark.parametrize(
    ("name", "text", "who"),
    [
        ("net/page", DEEP["net/page"] + "const item = 1;\n", "net/page.js and net/item.js have item"),
        ("net/page", DEEP["net/page"] + "const near = 1;\n", "net/page.js and lib/b.js have near"),
        ("net/list", DEEP["net/list"] + "export const item = 1;\n", "net/item.js and net/list.js have item"),
        (
            "net/item",
            DEEP["net/item"] + "export const shared = 1;\n",
            "lib/shared.js and net/item.js have shared",
        ),
    ],
)
def test_in_a_file_one_name_is_one_thing(name: str, text: str, who: str) -> None:
    with pytest.raises(CannotJoin, match=re.escape(who)):
        join(PURE | DEEP | {name: text}, PAGE)


def test_a_list_of_imports_may_take_several_lines() -> None:
    several = 'import {\n  near,\n  other,\n} from "./b.js";\nexport const far = near + other;\n'
    texts = PURE | {"lib/a": several, "lib/b": "export const near = 3;\nexport const other = 4;\n"}
    assert LISTED.findall(join(texts, PAGE)["last"]) == []
    assert "const far = near + other;" in join(texts, PAGE)["last"]


@pytest.mark.parametrize("how", ["import({})", "new URL({}, import.meta.url)", "lazy({}, import.meta.url)"])
def test_an_address_is_that_of_the_file(how: str) -> None:
    text = PURE["lib/a"] + how.format('"../net/own.js"') + ";\n" + how.format('"./worker.js"')
    joined = join(PURE | {"lib/a": text, "lib/worker": ""}, PAGE)
    assert how.format('"./own.js"') in joined["last"]
    assert how.format('"./worker.js"') in joined["last"]
    joined = join(PURE | {"net/own": how.format('"../lib/worker.js"'), "lib/worker": ""}, PAGE)
    assert how.format('"./worker.js"') in joined["own"]


def test_what_only_a_checker_reads_is_left_out() -> None:
    typed = '/**\n * @typedef {import("../lib/b.js").Near} Near\n */\nexport const own = 4;\n'
    assert (
        join(PURE | {"net/own": typed}, PAGE)["own"]
        == "export const own = (() => {\n\nconst own = 4;\n\nreturn own;\n})();\n"
    )


def test_one_file_is_one_module() -> None:
    with pytest.raises(CannotJoin, match=re.escape("two modules are own.js")):
        join(PURE | {"lib/own": ""}, PAGE)


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


def test_every_module_of_the_page_is_in_one_place() -> None:
    joined = "".join(join(modules(), ENTRIES, HOSTS).values())
    for name, text in modules().items():
        body = re.sub(r'"\.\.?/(?:\w+/)?(\w+\.js)"', r'"./\1"', Module.of(name, text).body)
        assert joined.count(body) == 1, name


def test_what_is_loaded_later_is_found_from_where_its_address_is_made() -> None:
    """Also without bundling: there the address is made in lib/, not in the module that names it."""
    lib = ROOT / "static/js/lib"
    named = re.compile(r'(?:Deferred|deferScript)\("([^"]+)"')
    paths = [path for one in lib.parent.rglob("*.js") for path in named.findall(one.read_text())]
    assert len(paths) > 10
    assert [path for path in paths if not (lib / path).exists()] == []
