"""Trims and shows invisible characters in pasted text (pure)."""

from unicodedata import category

_UNSEEN = "\u00ad\u200b\u200e\u200f\u2060\ufeff"
_AROUND = _UNSEEN + "".join(c for c in map(chr, range(0x3001)) if c.isspace() or category(c) == "Cc")


def trimmed(text: str) -> str:
    """``text`` without invisible characters at both ends."""
    return text.strip(_AROUND)


def shown(text: str) -> str:
    """``text`` with invisible characters written as Python escapes."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
