"""The filter: its text -> which messages pass. In the page it is ``static/js/feed/filter_query.js``."""

import re
from collections.abc import Callable
from functools import lru_cache
from operator import eq, ge, gt, le, lt
from typing import Any

from arauto.filter.fields import Path, as_text, exactly_in, is_exact, number_in
from arauto.filter.filtered_message import NOTHING, FilteredMessage, plain
from arauto.filter.grammar import Compare, Either, Every, Has, Node, Not, Regex, Text, Value, parse_filter
from arauto.filter.letters import folded, normal
from arauto.filter.likeness import LONGEST_PART, Like, asks_for_any, likeness
from arauto.filter.problem import Problem
from arauto.filter.severity import RANKS, level_of, rank_of
from arauto.filter.spaces import SPACES
from arauto.i18n.gettext import gettext

LONGEST = 500  # characters of a filter
MOST_TERMS = 20  # texts and values: each costs time for each message

Test = Callable[[FilteredMessage], bool]

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    ":": eq, "=": eq, ">": gt, "<": lt, ">=": ge, "<=": le,
}  # fmt: skip


class Filter:
    """Decides which messages pass."""

    def __init__(self, test: Test) -> None:
        self._test = test

    def passes(self, channel: str, data: bytes) -> bool:
        """Never raises, and its time grows only with the size of the message."""
        try:
            text = data.decode()
        except UnicodeDecodeError:
            text = ""  # binary data
        return self._test(FilteredMessage(_name(channel), text))


def read_filter(text: str) -> Filter:
    """:raise Problem: it cannot be parsed, or a server cannot search for it; the text names the remedy."""
    tree = parse_filter(normal(text)) if len(text) <= LONGEST else None
    if len(text) > LONGEST or _terms_in(tree) > MOST_TERMS:
        sentence = gettext(
            "A filter may have %(most)s terms and %(n)s characters: write a shorter one.",
            most=MOST_TERMS,
            n=LONGEST,
        )
        raise Problem("filter_long", sentence)
    return Filter(_test(tree) if tree is not None else lambda message: True)


def _terms_in(node: Node | None) -> int:
    match node:
        case Every(of) | Either(of):
            return sum(map(_terms_in, of))
        case Not(inner):
            return _terms_in(inner)
        case Compare(values=values):
            return len(values)
    return 1


@lru_cache(maxsize=64)
def _name(channel: str) -> str:
    return folded(channel)


def _test(node: Node) -> Test:
    match node:
        case Every(of):
            return _every([_test(part) for part in of])
        case Either(of):
            return _either([_test(part) for part in of])
        case Not(inner):
            test = _test(inner)
            return lambda message: not test(message)
        case Text(text):
            return _text(folded(text) or text)
        case Has(field):
            return _field(Path(field), lambda found, data: True)
        case Compare(field, sign, values):
            return _comparison(field, sign, values)
        case Regex(written):
            sentence = gettext(
                "A regular expression is searched for by the page, in the browser: leave out %(regex)s here.",
                regex=written,
            )
            raise Problem("regex", sentence)


def _every(tests: list[Test]) -> Test:
    return lambda message: all(test(message) for test in tests)


def _either(tests: list[Test]) -> Test:
    return tests[0] if len(tests) == 1 else lambda message: any(test(message) for test in tests)


def _text(text: str) -> Test:
    return lambda message: text in message.text or text in message.unescaped or text in message.channel


# Fields


def _comparison(field: str, sign: str, values: tuple[Value, ...]) -> Test:
    if field == "severity":
        return _either([_severity(sign, value.text) for value in values])
    if sign not in ":=":
        return _field(Path(field), _compares(field, sign, values), has_digits=True)
    is_whole = sign == "="
    likes = [likeness(value, is_whole) for value in values]
    if field == "channel":
        return lambda message: any(like(message.channel) for like in likes)
    return _field(Path(field), _equals(values, likes), _in_texts(field, is_whole, values))


def _severity(sign: str, word: str) -> Test:
    level = level_of(word)
    if not level:
        ranks = ", ".join(RANKS)
        sentence = gettext(
            "%(severity)s is not a severity: choose from %(ranks)s.", severity=word, ranks=ranks
        )
        raise Problem("severity_bad", sentence)
    rank = RANKS.index(level)
    compare = _COMPARE[sign]

    def test(message: FilteredMessage) -> bool:
        found = rank_of(message)
        return found != -1 and compare(found, rank)

    return test


def _field(
    path: Path,
    test: Callable[[Any, str], bool],
    is_written: Callable[[str], bool] | None = None,
    has_digits: bool = False,
) -> Test:
    """A test for a field of JSON, or for one written in a text, also within JSON: ``level: "error"``.

    :param has_digits: whether the test needs all digits of long integers.
    """

    def passes(message: FilteredMessage) -> bool:
        data = message.data
        if path.name not in data and "\\u" not in data:
            return False
        value = message.exact if has_digits else message.json
        if value is not NOTHING and path.leads(value, lambda found: test(found, data)):
            return True
        return is_written is not None and (is_written(message.text) or is_written(message.unescaped))

    return passes


def _in_texts(field: str, is_whole: bool, values: tuple[Value, ...]) -> Callable[[str], bool] | None:
    globs = [likeness(value, is_whole) for value in values if asks_for_any(value)]
    others = [value.text for value in values if not asks_for_any(value)]
    written = [text for text in others if len(field) + len(text) <= LONGEST_PART]
    tests = [_written(field, is_whole, written)] if written else []
    if globs and len(field) <= LONGEST_PART:
        tests.append(_globs_written(field, globs))
    return (lambda found: any(test(found) for test in tests)) if tests else None


def _globs_written(field: str, likes: list[Like]) -> Callable[[str], bool]:
    """A value in a text ends at a space, a comma or a semicolon, or is in quotes."""
    name = re.escape(folded(field))
    regex = re.compile(rf'{name}(?<![\w.-]{name}) ?[:=] ?(?:"([^"]*)|([^{SPACES}",;]+))')

    def test(text: str) -> bool:
        return any(
            like(found[1] if found[2] is None else found[2])
            for found in regex.finditer(text)
            for like in likes
        )

    return test


def _written(field: str, is_whole: bool, values: list[str]) -> Callable[[str], bool]:
    name = re.escape(folded(field))
    endings = [
        r"(?![\w.-])" if is_whole else r"(?![0-9.])" if re.search("[0-9]$", value) else "" for value in values
    ]
    texts = "|".join([re.escape(folded(value)) + end for value, end in zip(values, endings, strict=True)])
    # The name first: it is found quickly.
    regex = re.compile(rf'{name}(?<![\w.-]{name}) ?[:=] ?"?(?:{texts})')
    return lambda found: regex.search(found) is not None


def _equals(values: tuple[Value, ...], likes: list[Like]) -> Callable[[Any, str], bool]:
    """JSON parsers round long numbers: for those, the published digits decide."""
    wholes = [likeness(value, is_whole=True) for value in values]
    numbers = [(number_in(value.text), value.text) for value in values]

    def test(found: Any, data: str) -> bool:
        if isinstance(found, str):
            text = folded(plain(found))
            return any(like(text) for like in likes)
        given = number_in(found)
        if given is None or is_exact(given):
            text = as_text(found)
            if any(is_whole(text) for is_whole in wholes):
                return True
        return given is not None and any(number == given and text in data for number, text in numbers)

    return test


def _compares(field: str, sign: str, values: tuple[Value, ...]) -> Callable[[Any, str], bool]:
    numbers = [_number(field, sign, value.text) for value in values]
    compare = _COMPARE[sign]

    def test(found: Any, data: str) -> bool:
        given = exactly_in(found)
        return given is not None and any(compare(given, number) for number in numbers)

    return test


def _number(field: str, sign: str, value: str) -> float:
    number = exactly_in(value)
    if number is not None:
        return number
    names = {"field": field, "sign": sign, "value": value}
    if level_of(value):
        raise Problem("severity_meant", gettext("Write severity%(sign)s%(value)s for a severity.", **names))
    sentence = gettext("%(value)s is no number: write one, such as %(field)s%(sign)s3000.", **names)
    raise Problem("number_bad", sentence)
