"""Redis globs: matches a pattern as Redis does (pure)."""

import re
from functools import lru_cache
from operator import contains
from typing import NamedTuple

_WIDE_RANGE = re.compile(rb"\[[^\]]*?(?:[\x00-\x7f]-[\x80-\xff]|[\x80-\xff]-[\x00-\x7f])")

_ANY = frozenset(range(256))


class Part(NamedTuple):
    """The part of a pattern between two stars: for each place, the bytes that match it.

    :param text: the same as text, if only one byte matches each place.
    """

    places: tuple[frozenset[int], ...]
    text: bytes | None

    def fits(self, name: bytes, at: int) -> bool:
        """Whether it matches ``name`` at ``at``."""
        if self.text is not None:
            return name.startswith(self.text, at)
        end = at + len(self.places)
        return end <= len(name) and all(map(contains, self.places, name[at:end]))

    def find(self, name: bytes, at: int) -> int:
        """The first place from ``at`` on where it matches; negative: there is none."""
        if self.text is not None:
            return name.find(self.text, at)
        first = self.places[0]
        return next((one for one in range(at, len(name)) if name[one] in first and self.fits(name, one)), -1)


def matches(pattern: bytes, name: bytes) -> bool:
    """Whether a client with ``PSUBSCRIBE pattern`` receives messages published to ``name``."""
    first, *others = _parts(pattern)
    if not first.fits(name, 0):
        return False
    at = len(first.places)
    if not others:
        return at == len(name)
    for part in others[:-1]:
        # The first match is enough: it leaves the most for the parts that follow.
        if (found := part.find(name, at)) < 0:
            return False
        at = found + len(part.places)
    end = len(name) - len(others[-1].places)
    return at <= end and others[-1].fits(name, end)


def is_ambiguous(pattern: bytes) -> bool:
    """Whether it has a range from ASCII to beyond, whose meaning depends on the machine that Redis runs on.

    Redis compares ``char``, whose sign differs between processors.
    """
    return _WIDE_RANGE.search(pattern) is not None


@lru_cache(maxsize=1024)
def _parts(pattern: bytes) -> tuple[Part, ...]:
    """The parts between stars; consecutive stars count as one."""
    parts: list[list[frozenset[int]]] = [[]]
    at = 0
    while at < len(pattern):
        char = pattern[at : at + 1]
        if char == b"[":
            members, at = _class(pattern, at + 1)
            parts[-1].append(members)
            continue
        if char == b"\\" and at + 1 < len(pattern):
            at += 1
            parts[-1].append(frozenset(pattern[at : at + 1]))
        elif char == b"*":
            if len(parts) == 1 or parts[-1]:
                parts.append([])
        else:
            parts[-1].append(_ANY if char == b"?" else frozenset(char))
        at += 1
    return tuple(map(_part, parts))


def _part(places: list[frozenset[int]]) -> Part:
    is_text = all(len(one) == 1 for one in places)
    return Part(tuple(places), bytes(byte for one in places for byte in one) if is_text else None)


def _class(pattern: bytes, at: int) -> tuple[frozenset[int], int]:
    """The bytes of ``[...]`` and where the pattern continues; the pattern's end closes an open one."""
    negated = pattern[at : at + 1] == b"^"
    at += negated
    members: set[int] = set()
    while at < len(pattern):
        char = pattern[at : at + 1]
        if char == b"]":
            break
        if char == b"\\" and at + 1 < len(pattern):
            members.add(pattern[at + 1])
            at += 2
        elif pattern[at + 1 : at + 2] == b"-" and at + 2 < len(pattern):
            low, high = sorted((pattern[at], pattern[at + 2]))
            members.update(range(low, high + 1))
            at += 3
        else:
            members.add(pattern[at])
            at += 1
    return (_ANY - members if negated else frozenset(members)), at + 1
