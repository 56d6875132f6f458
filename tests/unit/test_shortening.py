"""What is said in fewer letters is the same all the same."""

import re

from arauto.minifier import minify
from arauto.shortening import resolve_properties, shorten_members, tighten

OFTEN = "".join(f"a{n}.textContent=b?.textContent;" for n in range(5))


def test_a_long_name_is_said_once() -> None:
    script = f'import{{a}}from"./a.js";const b=[...textContent];{OFTEN}a.hidden=1'
    short = shorten_members(script)
    assert short.startswith(
        'import{a}from"./a.js";let $0="textContent";let b=[...textContent];a0[$0]=b?.[$0];'
    )
    assert short.endswith("a.hidden=1")  # once: not worth it
    assert shorten_members(f'{OFTEN}a=".textContent"').endswith('=".textContent"')  # text is no member
    assert ".textContent" not in short.replace("...textContent", "")


def test_no_name_is_taken_that_the_script_has() -> None:
    short = shorten_members(f"let $0=1,$1=2,c={{$3:1}};{OFTEN}")
    assert short.startswith('let $2="textContent";let $0=1,$1=2')
    assert "a4[$2]=b?.[$2];" in short


def test_each_script_of_the_page_says_a_name_for_itself() -> None:
    for path, script in minify().items():
        names = re.findall(r'[ ,](\$\w+)="\w+"(?=[,;])', script.partition("=>")[0])
        assert len(names) == len(set(names))
        for name in names:
            said = re.findall(rf"(?<![\w$]){re.escape(name)}(?![\w$])", script)
            assert len(said) == script.count(f"[{name}]") + 1, path


def test_what_the_root_says_is_put_where_it_is_used_once_or_by_another_name() -> None:
    sheets = {
        "page.css": ":root{--a:1px;--b:var(--a);--c:2px;--d:3px;--e:4px}"
        "p{margin:var(--b) var(--b) var(--a) var(--c)}q{--d:5px;margin:var(--d) var(--e,0)}",
        "door.css": "b{margin:var(--b)}",
    }
    assert resolve_properties(sheets) == {
        "page.css": ":root{--a:1px;--d:3px;--e:4px}p{margin:var(--a) var(--a) var(--a) 2px}"
        "q{--d:5px;margin:var(--d) var(--e,0)}",
        "door.css": "b{margin:var(--a)}",
    }


def test_nested_rules_are_tight_and_text_is_as_it_was() -> None:
    sheet = (
        '.a{--b:0.5rem; & b, & .c:hover { content: "0.5 ; , {"; } '
        "& + & { margin: 0.5em } [x] &::before { x: y; } }"
    )
    assert tighten(sheet) == (
        '.a{--b:.5rem;b,.c:hover{content:"0.5 ; , {"}& + &{margin:.5em}[x] &::before{x:y}}'
    )
