"""Who has taken which message, as text (pure)."""

import re
from typing import NamedTuple

MAX_BY = 64  # characters of a name; a longer one is cut

_NUMBER = r"\d{1,15}"
_MEMBER = re.compile(rf"({_NUMBER}-{_NUMBER}) ({_NUMBER}) (.{{0,{MAX_BY}}})", re.ASCII)
_WORD = "acknowledged "


class Acknowledgement(NamedTuple):
    """``by`` has taken the message ``id`` at ``since`` (Unix milliseconds); empty: nobody has it any more."""

    id: str
    by: str
    since: int


def read_member(member: bytes) -> Acknowledgement | None:
    """Parse what Redis keeps; ``None``: somebody else has written it."""
    return _read(member.decode(errors="replace"))


def read_acknowledgement(data: bytes) -> Acknowledgement | None:
    """Parse an announcement; ``None``: it is another, or not ours."""
    text = data.decode(errors="replace")
    return _read(text.removeprefix(_WORD)) if text.startswith(_WORD) else None


def _read(text: str) -> Acknowledgement | None:
    found = _MEMBER.fullmatch(text)
    if found is None or not found[3].isprintable():
        return None
    return Acknowledgement(found[1], found[3], int(found[2]))


def printable_by(name: str) -> str:
    """What is shown of a name that somebody else has given."""
    return "".join(filter(str.isprintable, name))[:MAX_BY].strip()


def is_valid_id(text: str) -> bool:
    """Whether it is written as the id of a message is: pages know it by its text."""
    return bool(re.fullmatch(f"{_NUMBER}-{_NUMBER}", text, re.ASCII) and not re.search(r"\b0\d", text))


def is_valid_by(name: str) -> bool:
    """Whether a person may be called so."""
    return name.isprintable() and 0 < len(name) <= MAX_BY
