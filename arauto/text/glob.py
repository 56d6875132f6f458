"""Redis globs: match a pattern as Redis does (pure)."""

import re
from functools import lru_cache

_WIDE_RANGE = re.compile(rb"\[[^\]]*?(?:[\x00-\x7f]-[\x80-\xff]|[\x80-\xff]-[\x00-\x7f])")

_STAR = None
_ANY = frozenset(range(256))

Token = frozenset[int] | None
"""The bytes that match one place, or a star."""


def matches(pattern: bytes, name: bytes) -> bool:
    """Whether a client with ``PSUBSCRIBE pattern`` receives what is published to ``name``."""
    tokens = _tokens(pattern)
    at = place = 0
    star, resume = -1, 0  # the last star, and the byte up to which it reaches
    while place < len(name):
        token = tokens[at] if at < len(tokens) else frozenset()
        if token is _STAR:
            star, resume = at, place
            at += 1
        elif name[place] in token:
            at, place = at + 1, place + 1
        elif star < 0:
            return False
        else:  # let the last star take one byte more; earlier stars never need to
            resume += 1
            at, place = star + 1, resume
    return all(token is _STAR for token in tokens[at:])


def is_ambiguous(pattern: bytes) -> bool:
    """Whether it has a range from ASCII to beyond: its meaning depends on the machine that Redis runs on.

    Redis compares ``char``, whose sign differs between processors.
    """
    return _WIDE_RANGE.search(pattern) is not None


@lru_cache(maxsize=1024)
def _tokens(pattern: bytes) -> tuple[Token, ...]:
    tokens: list[Token] = []
    at = 0
    while at < len(pattern):
        char = pattern[at : at + 1]
        if char == b"[":
            token, at = _class(pattern, at + 1)
            tokens.append(token)
            continue
        if char == b"\\" and at + 1 < len(pattern):
            at += 1
            tokens.append(frozenset(pattern[at : at + 1]))
        elif char == b"*":
            tokens.append(_STAR)
        else:
            tokens.append(_ANY if char == b"?" else frozenset(char))
        at += 1
    return tuple(tokens)


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
