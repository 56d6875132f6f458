"""The JS minifier: a script with short names has the same effects."""

import re

import pytest

from arauto.assets.js_minifier import inline_constants, keep_order, name_members
from arauto.assets.minifier import modules

_TEXT = re.compile(r'"(?:[^"\\\n]|\\.)*"')


def test_a_constant_is_written_where_it_is_used_once() -> None:
    assert (
        inline_constants(
            "const LIMIT = 1_000; // characters\n"
            'const KEY = "a key";\n'
            "const TWICE = 2;\n"
            "const NAME = 3;\n"
            "const PLACE = 4;\n"
            "const SUM = 1 << 20;\n"
            "export const GIVEN = 5;\n"
            "f(LIMIT, `${KEY}`, TWICE, TWICE, { NAME }, a.PLACE, SUM, GIVEN);\n"
        )
        == "const TWICE = 2;\n"
        "const NAME = 3;\n"
        "const PLACE = 4;\n"
        "const SUM = 1 << 20;\n"
        "export const GIVEN = 5;\n"
        'f(1_000, `${"a key"}`, TWICE, TWICE, { NAME }, a.PLACE, SUM, GIVEN);\n'
    )


def test_members_that_are_used_often_have_short_names() -> None:
    head = 'import { $0 } from "./a.js";\nexport const $1 = (() => {\n'
    often = "a.textContent = b?.textContent;\n" * 8
    rest = (
        "[...textContent, /\\.textContent/, a.textContents, a.nodeName, a.#textContent];\nreturn [];\n})();\n"
    )
    assert name_members(head + often + rest) == (
        head
        + 'const member_textContent = "textContent";\n'
        + "a[member_textContent] = b?.[member_textContent];\n" * 8
        + rest
    )
    assert name_members(often + rest) == often + rest


def test_no_text_of_a_script_has_the_name_of_a_member_after_a_point() -> None:
    for name, script in modules().items():
        texts = [text for text in _TEXT.findall(script) if re.search(r"\.[a-z]+[A-Z]", text)]
        assert texts == [], name


def test_what_is_taken_apart_is_read_after_what_comes_before_it() -> None:
    library = pytest.importorskip("minify")
    script = "export const f = (a) => {\n  const n = ++a.n;\n  const { m } = a;\n  return [n, m, n];\n};\n"
    small = library.string("text/javascript", keep_order(script))
    assert small.index("++") < small.index("m:")
    for name, text in modules().items():
        assert not re.search(r"^ *let \w+ = [^;\n]*\(.*;\n *(?:const|let) [\[{]", text, re.MULTILINE), name
