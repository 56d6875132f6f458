"""Tests whether a text matches the value of a term. All texts are folded."""

import re
from collections.abc import Callable

from arauto.filter.grammar import Value
from arauto.filter.letters import folded
from arauto.filter.problem import Problem
from arauto.i18n.gettext import gettext

LONGEST_PART = 64  # characters between two stars, which are compared at each place of a text
LONGEST_GLOB = 1_000  # characters

Like = Callable[[str], bool]


def asks_for_any(value: Value) -> bool:
    """Whether the value is a glob."""
    return not value.is_literal and ("*" in value.text or "?" in value.text)


def likeness(value: Value, is_whole: bool) -> Like:
    """A test whether a text contains the value or, with ``is_whole``, equals it. A glob matches whole texts.

    :raise Problem: it is a glob that would take too long.
    """
    text = folded(value.text) or value.text
    if asks_for_any(value):
        return _glob(text)
    return (lambda found: found == text) if is_whole else (lambda found: text in found)


def _glob(pattern: str) -> Like:
    """A part between two stars is searched once, for its first place: no later one would match more."""
    first, *parts = pattern.split("*")
    if len(pattern) > LONGEST_GLOB or any(len(part) > LONGEST_PART for part in parts[:-1]):
        sentence = gettext("Between two * there can be at most %(n)s characters.", n=LONGEST_PART)
        raise Problem("glob_long", sentence)
    begins = _part(first)
    if not parts:
        return lambda found: begins.fullmatch(found) is not None
    ends, length = _part(parts[-1]), len(parts[-1])
    middle = [_part(part) for part in parts[:-1] if part]

    def is_like(found: str) -> bool:
        place = begins.match(found)
        for part in middle:
            place = place and part.search(found, place.end())
        end = len(found) - length
        return bool(place and place.end() <= end and ends.match(found, end))

    return is_like


def _part(text: str) -> re.Pattern[str]:
    return re.compile(re.escape(text).replace(r"\?", "."), re.DOTALL)
