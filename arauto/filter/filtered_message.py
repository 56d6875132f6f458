"""A message as the filter reads it: without terminal colours, escapes, or a string around its JSON."""

import json
import re
from collections.abc import Callable
from typing import Any, NoReturn

import orjson

from arauto.filter.letters import folded
from arauto.filter.spaces import SPACES

NOTHING: Any = object()
"""The text is not JSON."""

_CODES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])")
_QUOTED = re.compile(rf'[{SPACES}]*"(?:[{SPACES}]|\\[nrt])*[\[{{]')
_MAY_BE = re.compile(rf'[{SPACES}"]*[\[{{]')
_MAY_ESCAPE = re.compile(rf'[{SPACES}]*["\[{{]')
_SPACE = re.compile(rf"[{SPACES}]*")
_ESCAPE = re.compile(
    r"\\(?:u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|([\"\\/bfnrt]))"
)
_LONG = re.compile(r"[0-9]{16}")
_STRING_OR_LONG = re.compile(
    r'"[^"\\]*(?:\\.[^"\\]*)*"|(?<![0-9.eE+-])-?[0-9]{16,300}(?![0-9.eE])', re.DOTALL
)
_ESCAPED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


class FilteredMessage:
    """One message, parsed as far as is needed.

    :param channel: the name of its channel, folded.
    :param data: its text; empty for binary data.
    """

    __slots__ = ("_exact", "_json", "_text", "_unescaped", "channel", "data")

    def __init__(self, channel: str, data: str) -> None:
        self.channel = channel
        self.data = data
        self._text: str | None = None
        self._unescaped: str | None = None
        self._json: Any = None
        self._exact: Any = None

    @property
    def text(self) -> str:
        """The data as published, folded."""
        if self._text is None:
            self._text = folded(plain(self.data))
        return self._text

    @property
    def unescaped(self) -> str:
        """The data with JSON's escapes resolved, folded; empty if it has none."""
        if self._unescaped is None:
            self._unescaped = folded(unescaped(self.data)) if "\\" in self.data else ""
        return self._unescaped

    @property
    def json(self) -> Any:
        """The value of its JSON, a list for several texts; or :data:`NOTHING`."""
        if self._json is None:
            self._json = read_json(self.data)
        return self._json

    @property
    def exact(self) -> Any:
        """As :attr:`json`, but integers that JSON parsers round are texts with all their digits."""
        if self._exact is None:
            # Only what is JSON: in another text a quote that is not closed would take quadratic time.
            is_long = self.json is not NOTHING and _LONG.search(self.data)
            self._exact = read_json(self.data, _quote_long) if is_long else self.json
        return self._exact


def plain(text: str) -> str:
    """``text`` without a byte order mark and a terminal's codes."""
    text = text.removeprefix("\ufeff")
    return _CODES.sub("", text) if "\x1b" in text else text


def unescaped(whole: str) -> str:
    r"""Resolve escapes in a text that begins like JSON: ``"Jo\u00e3o"`` -> João; of others, nothing."""
    text = plain(whole)
    return _ESCAPE.sub(_character, _unquoted(text)) if _MAY_ESCAPE.match(text) else ""


def read_json(whole: str, prepare: Callable[[str], str] | None = None) -> Any:
    """The object or array in the text, or a list of several; or :data:`NOTHING`. It never raises.

    :param prepare: changes the JSON before it is parsed.
    """
    text = plain(whole)
    if not _MAY_BE.match(text):
        return NOTHING
    text = _unquoted(text)
    text = prepare(text) if prepare else text
    try:
        value = orjson.loads(text)
    except ValueError:
        return _several(text)
    return value if isinstance(value, dict | list) else NOTHING


def _several(text: str) -> Any:
    """Parse several texts, and what orjson refuses: half surrogate pairs, huge numbers."""
    values: list[Any] = []
    at = 0
    while (at := _SPACE.match(text, at).end()) < len(text):  # type: ignore[union-attr]  # it always matches
        try:
            value, at = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            return NOTHING
        if not isinstance(value, dict | list):
            return NOTHING
        values.append(value)
    return values[0] if len(values) == 1 else values


def _unquoted(text: str) -> str:
    if not _QUOTED.match(text):
        return text
    try:
        inner = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return inner if isinstance(inner, str) else text


def _character(found: re.Match[str]) -> str:
    high, low, code, mark = found.groups()
    if high:
        return chr(0x10000 + ((int(high, 16) & 0x3FF) << 10) + (int(low, 16) & 0x3FF))
    return chr(int(code, 16)) if code else _ESCAPED.get(mark, mark)


def _no_number(word: str) -> NoReturn:
    raise ValueError(word)


def _quote_long(text: str) -> str:
    return _STRING_OR_LONG.sub(lambda found: found[0] if found[0][0] == '"' else f'"{found[0]}"', text)


_DECODER = json.JSONDecoder(parse_int=float, parse_constant=_no_number)
