"""The strings for the scripts: both forms of each plural, and every string that a script uses."""

import re

import pytest

from arauto.assets.minifier import modules, sources
from arauto.i18n.client_strings import later_strings, merge, page_strings, topic_strings
from arauto.i18n.topic_strings import topic_later_strings
from tests.unit.i18n.test_translations import FILES, catalog, forms

PLURALS = [("{n} day", "{n} days"), ("a b", "a x b"), ("a", "b"), ("the same", "the same"), ("a  b c", "c")]
PLURALS += [
    (text[0], text[1])
    for po in FILES
    for message in catalog(po, po.parents[1].name)
    for text in (forms(message.id), forms(message.string))
    if len(text) == 2
]


@pytest.mark.parametrize(("one", "many"), PLURALS)
def test_each_form_can_be_read_from_both(one: str, many: str) -> None:
    merged = merge(one, many)
    assert [re.sub(r"\{([^{}]*)\|([^{}]*)\}", form, merged) for form in (r"\1", r"\2")] == [one, many]


def test_what_both_have_in_common_is_written_once() -> None:
    assert merge("{n} day is left", "{n} days are left") == "{n} {day|days} {is|are} left"


def test_what_comes_later_is_not_said_at_once() -> None:
    at_once = "".join(sources()[f"page/{name}.js"] for name in ("boot", "main"))
    assert [key for key in later_strings() if f'"{key}"' in at_once] == []


SAID = re.compile(r'words\.say\((?:\w+ \? )?"(\w+)"(?: : "(\w+)")?')


def test_every_word_that_a_script_says_is_there() -> None:
    used = {key for text in modules().values() for keys in SAID.findall(text) for key in keys if key}
    assert len(used) > 50
    there = page_strings() | topic_strings() | later_strings() | topic_later_strings()
    assert used - there.keys() == set()
