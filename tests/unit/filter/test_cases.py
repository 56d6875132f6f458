"""The server filters as docs/filter.md specifies: the cases are those of the page."""

import json
import re

import pytest

from arauto.filter.problem import Problem
from arauto.filter.query import read_filter
from tests.support.servers import ROOT


def is_regex(text: str) -> bool:
    """Whether the filter has a regular expression, which only the page supports."""
    return re.search(r"(?<!\w)/[^/]+/[dgimsuvy]*( |$)", text) is not None


CASES = json.loads((ROOT / "tests" / "data" / "filter_cases.json").read_text())
MESSAGES = CASES["messages"]


def found(text: str) -> list[int]:
    wanted = read_filter(text)
    return [n for n, (channel, data) in enumerate(MESSAGES) if wanted.passes(channel, data.encode())]


@pytest.mark.parametrize(("text", "places"), [case for case in CASES["finds"] if not is_regex(case[0])])
def test_what_is_found(text: str, places: list[int]) -> None:
    assert found(text) == places


@pytest.mark.parametrize(
    ("text", "word"),
    [
        *[(text, word) for text, word in CASES["problems"] if word not in ("regex_bad", "filter_deep")],
        *[(text, "regex") for text, _ in CASES["finds"] if is_regex(text)],
        ("(" * 101 + "a", "filter_deep"),
        ("a" * 501, "filter_long"),
        ("a|" * 21, "filter_long"),
        ("a=" + "b|" * 21, "filter_long"),
        ("NOT has:" + "a|" * 21, "filter_long"),
    ],
)
def test_what_cannot_be_searched_for(text: str, word: str) -> None:
    with pytest.raises(Problem) as raised:
        read_filter(text)
    assert raised.value.word == word
    assert re.fullmatch(r"(?s).*\w.*\.", str(raised.value))
