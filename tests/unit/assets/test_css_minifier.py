"""The CSS minifier: shorter styles with the same meaning."""

import re
import sys

import pytest

from arauto.assets.css_minifier import join_layers, resolve_properties, tighten
from arauto.assets.minifier import minify_in_subprocess, pack, sources


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
        '.a{--b:0.5rem; & b, & #c:hover { content: "0.5 ; , {" / ""; } '
        '& + & { margin: 0.5em } [x="y"] > &::before { x: y; } }'
    )
    assert tighten(sheet) == (
        '.a{--b:.5rem;b,#c:hover{content:"0.5 ; , {"/""}& + &{margin:.5em}[x=y]>&::before{x:y}}'
    )


def test_sizes_and_sides_have_their_short_names_and_containers_keep_theirs() -> None:
    assert (
        tighten(
            ".a{max-inline-size:1px;block-size:2px;margin-block-start:3px;border-block-end:0;"
            "container:feed/inline-size;margin-block:4px;padding-inline-start:5px;inset-inline-end:0;"
            "border-inline-start-color:red;position-area:inline-end;border-end-end-radius:0}"
        )
        == ".a{max-width:1px;height:2px;margin-top:3px;border-bottom:0;"
        "container:feed/inline-size;margin-block:4px;padding-left:5px;right:0;"
        "border-left-color:red;position-area:inline-end;border-end-end-radius:0}"
    )
    assert not any(re.search("writing-mode|[^-]direction:", text) for text in sources().values())


def test_layers_that_follow_each_other_are_one() -> None:
    sheet = "@layer a,b;@layer a{p{x:y}}@layer a{q{x:y;r{x:y}}}@layer b{p{x:y}}@layer a{p{x:y}}"
    assert join_layers(sheet) == "@layer a,b;@layer a{p{x:y}q{x:y;r{x:y}}}@layer b{p{x:y}}@layer a{p{x:y}}"


def test_a_minifier_that_ends_without_a_word_is_reported_by_its_status(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys, "executable", "false")
    monkeypatch.setattr(sys, "pycache_prefix", None)  # the directory of the cache
    assert minify_in_subprocess() == pack(sources())
    assert "cannot be made small here (status 1): " in caplog.text
