"""Acknowledgements as text (pure)."""

import re
from typing import NamedTuple

MAX_BY = 64  # characters of a name; a longer one is cut

_NUMBER = r"\d{1,15}"
_MEMBER = re.compile(rf"({_NUMBER}-{_NUMBER}) ({_NUMBER}) (.{{0,{MAX_BY}}})", re.ASCII)
_WORD = "acknowledged "


class Acknowledgement(NamedTuple):
    """``by`` has taken the message ``id`` at ``since`` (Unix milliseconds); empty: it was given back."""

    id: str
    by: str
    since: int


def read_member(member: bytes) -> Acknowledgement | None:
    """Parse the form stored in Redis; ``None``: not ours."""
    return _read(member.decode(errors="replace"))


def read_acknowledgement(data: bytes) -> Acknowledgement | None:
    """Parse an announcement; ``None``: it is of another kind, or not ours."""
    text = data.decode(errors="replace")
    return _read(text.removeprefix(_WORD)) if text.startswith(_WORD) else None


def _read(text: str) -> Acknowledgement | None:
    found = _MEMBER.fullmatch(text)
    if found is None or not found[3].isprintable():
        return None
    return Acknowledgement(found[1], found[3], int(found[2]))


def printable_by(name: str) -> str:
    """A name as shown: without invisible characters, cut if it is too long."""
    return "".join(filter(str.isprintable, name))[:MAX_BY].strip()


def is_valid_id(text: str) -> bool:
    """Whether it is the id of a message in canonical form, as pages compare ids as text."""
    return bool(re.fullmatch(f"{_NUMBER}-{_NUMBER}", text, re.ASCII) and not re.search(r"\b0\d", text))


def is_valid_by(name: str) -> bool:
    """Whether it is valid as the name of a person."""
    return name.isprintable() and 0 < len(name) <= MAX_BY
