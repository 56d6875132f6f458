"""The grammar of the filter: its text -> a tree of conditions on a message.

``static/js/feed/filter_grammar.js`` does the same; ``tests/data/filter_cases.json`` has test cases for both.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from arauto.filter.problem import Problem
from arauto.filter.spaces import SPACES
from arauto.i18n.gettext import gettext

DEEPEST = 100  # brackets within brackets


class Every(NamedTuple):
    """All of these conditions hold."""

    of: tuple["Node", ...]


class Either(NamedTuple):
    """One of these conditions holds."""

    of: tuple["Node", ...]


class Not(NamedTuple):
    """This condition does not hold."""

    of: "Node"


class Text(NamedTuple):
    """The message has this text."""

    text: str


class Regex(NamedTuple):
    """The message matches a regular expression of JavaScript; ``written`` has its slashes and flags."""

    written: str


class Has(NamedTuple):
    """The message has this field."""

    field: str


class Value(NamedTuple):
    """A value; ``is_literal``: it was in quotes, so ``*`` and ``?`` are plain characters."""

    text: str
    is_literal: bool


class Compare(NamedTuple):
    """The field compares to one of the values by ``sign``: ``:``, ``=``, ``<``, ``>``, ``<=`` or ``>=``."""

    field: str
    sign: str
    values: tuple[Value, ...]


Node = Every | Either | Not | Text | Regex | Has | Compare

_END = rf"(?=[{SPACES}()|]|\Z)"
_NAME = r"(?:[^\W\d]|[$@])[\w$@.-]*(?:\[[0-9]+\][\w$@.-]*)*"
_REGEX = re.compile(rf"/((?:\\.|[^\\/])+)/[dgimsuvy]*(?=[{SPACES})|]|\Z)")
_HAS = re.compile(rf"has:({_NAME})")
_OR_HAS = re.compile(rf"\|({_NAME})")
# Spaces around a sign are allowed if it cannot be text: before a number or a severity, on both sides of =.
_FIELDS = (
    re.compile(rf"({_NAME})[{SPACES}]*([<>]=?)[{SPACES}]*(?=-?\.?[0-9])"),
    re.compile(rf"(severity)[{SPACES}]*([<>]=?)[{SPACES}]*(?=[^\W\d_])"),
    re.compile(rf"({_NAME})[{SPACES}]+(!=|==?)[{SPACES}]+(?=[^{SPACES})|])"),
    re.compile(rf"({_NAME})([<>]=?|!=|:|==?)(?!//)"),
)
_QUOTED = re.compile('["“”„]([^"“”„]*)["“”„]?')  # up to the end where it is not closed
_SPACE = re.compile(rf"[{SPACES}]+")
_OR = re.compile(rf"[{SPACES}]*(?:\||OR{_END})")
_AND = re.compile(rf"[{SPACES}]*AND{_END}")
_NOT = re.compile(rf"NOT{_END}[{SPACES}]*|[-!](?=[^{SPACES})|-])")
_OPEN = re.compile(r"\(")
_CLOSE = re.compile(rf"[{SPACES}]*\)")
_STRAY = re.compile(rf"[{SPACES}]*\)(?=[{SPACES})|]|\Z)")
_ONE_OF = re.compile(rf"\|(?=[^{SPACES}|])")
_UNQUOTED = re.compile(rf"[^{SPACES}|()]+|[()]")


def parse_filter(text: str) -> Node | None:
    """Parse a filter; ``None``: it is empty.

    :raise Problem: it cannot be parsed.
    """
    reader = _Reader(text)
    terms = []
    while not reader.is_at_end():
        terms.append(reader.either())
    return _every(terms)


def _every(nodes: Iterable[Node | None]) -> Node | None:
    of = tuple(node for node in nodes if node is not None)
    return Every(of) if len(of) > 1 else of[0] if of else None


def _either(nodes: Iterable[Node | None]) -> Node | None:
    of = tuple(node for node in nodes if node is not None)
    return Either(of) if len(of) > 1 else of[0] if of else None


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0  # of brackets
        self._meant: tuple[str, str] | None = None  # the field and sign for values in brackets

    def is_at_end(self) -> bool:
        self._take(_SPACE)
        return self._at == len(self._text)

    def either(self) -> Node | None:
        nodes = [self._every()]
        while self._take(_OR):
            nodes.append(self._every())
        return _either(nodes)

    def _every(self) -> Node | None:
        nodes = []
        while not self._is_over():
            nodes.append(self._one())
        return _every(nodes)

    def _is_over(self) -> bool:
        while self._take(_AND) or (not self._depth and self._take(_STRAY)):
            pass
        if self.is_at_end() or self._sees(_OR):
            return True
        return self._depth > 0 and self._sees(_CLOSE)

    def _one(self) -> Node | None:
        is_negated = False
        while self._take(_NOT):
            is_negated = not is_negated
        if self._is_over():
            return None
        of = self._group() if self._take(_OPEN) else self._term()
        return Not(of) if of is not None and is_negated else of

    def _group(self) -> Node | None:
        if self._depth == DEEPEST:
            raise Problem("filter_deep", gettext("The filter has too many brackets: write it with fewer."))
        self._depth += 1
        node = self.either()
        self._take(_CLOSE)
        self._depth -= 1
        return node

    def _term(self) -> Node | None:
        if self._meant is not None:
            return _compared([self._value()], self._meant)
        if regex := self._take(_REGEX):
            return Regex(regex[0])
        if has := self._take(_HAS):
            return self._fields(has[1])
        for form in _FIELDS:
            if field := self._take(form):
                return self._comparison(field[1], field[2].replace("==", "="))
        value = self._value()
        return Text(value.text) if value and value.text else None

    def _fields(self, first: str) -> Node | None:
        names = [first]
        while more := self._take(_OR_HAS):
            names.append(more[1])
        return _either(map(Has, names))

    def _comparison(self, field: str, sign: str) -> Node | None:
        """Without a value, it is a text such as ``ERROR:``, or the beginning of a term."""
        meant = field, sign.replace("!", "")
        of = self._values(meant) if self._take(_OPEN) else _compared(self._alternatives(), meant)
        if of is None:
            return Either((Has(field), Text(field + sign)))
        return Not(of) if sign == "!=" else of

    def _values(self, meant: tuple[str, str]) -> Node | None:
        """Values in brackets, which all belong to the field."""
        self._meant = meant
        node = self._group()
        self._meant = None
        return node

    def _alternatives(self) -> list[Value | None]:
        values = [self._value()]
        while self._take(_ONE_OF):
            values.append(self._value())
        return values

    def _value(self) -> Value | None:
        """A value in quotes, or up to a space, a ``|`` or the closing bracket; ``None``: there is none."""
        if quoted := self._take(_QUOTED):
            return Value(quoted[1], True)
        begin = self._at
        is_open = 0
        while part := _UNQUOTED.match(self._text, self._at):
            if part[0] == ")" and not is_open and self._depth:
                break
            is_open = max(0, is_open + (part[0] == "(") - (part[0] == ")"))
            self._at = part.end()
        return Value(self._text[begin : self._at], False) if self._at > begin else None

    def _take(self, what: re.Pattern[str]) -> re.Match[str] | None:
        if found := what.match(self._text, self._at):
            self._at = found.end()
        return found

    def _sees(self, what: re.Pattern[str]) -> bool:
        return what.match(self._text, self._at) is not None


def _compared(values: list[Value | None], meant: tuple[str, str]) -> Node | None:
    given = tuple(value for value in values if value is not None)
    return Compare(*meant, given) if given else None
