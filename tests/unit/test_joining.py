"""Scripts that are joined: what each needs comes before it, once, and nothing is left out."""

import re

import pytest

from arauto.joining import ENTRIES, CannotJoin, join
from arauto.minifier import STATIC

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


def test_an_entry_holds_what_it_needs_after_what_that_needs() -> None:
    joined = join(PURE)
    assert re.findall(r"^const \$(\w+)", joined["main"], re.MULTILINE) == ["b", "a", "main"]
    assert re.findall(r"^const \$(\w+)", joined["appearance"], re.MULTILINE) == ["kept", "appearance"]
    assert joined["main"].endswith("export { $b, $a, $main };\n")
    assert "return { far, each };" in joined["main"]


def test_what_an_earlier_entry_holds_is_imported_from_there() -> None:
    main = join(PURE)["main"]
    assert re.findall(r"^import .*", main, re.MULTILINE) == [
        'import { $kept } from "./appearance.js";',
        'import { $link } from "./link.js";',
    ]
    assert "const { Link } = $link;" in main


def test_what_is_loaded_later_gets_the_same_objects() -> None:
    later = join(PURE)["later"]
    assert 'import { $b } from "./main.js";\nconst { near } = $b;\n' in later
    assert 'import { own } from "./own.js";' in later  # nobody else has it


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


def test_every_module_of_the_page_has_one_home() -> None:
    texts = {path.stem: path.read_text() for path in STATIC.glob("js/*.js")}
    joined = join(texts)
    held = [
        name
        for entry in ENTRIES
        for name in re.findall(r"^const \$(\w+) = \(\(\)", joined[entry], re.MULTILINE)
    ]
    assert len(held) == len(set(held)) > 40
    assert set(ENTRIES) <= set(held)
