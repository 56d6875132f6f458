"""Normalizes texts so that case, accents and Unicode forms do not count."""

import re
from itertools import groupby
from unicodedata import category, normalize

_MOST_ACCENTS = 30  # in a row on one letter; ordering them takes quadratic time
_MAY_BE_ACCENTS = re.compile(rf"[^\x00-\x7f\w]{{{_MOST_ACCENTS + 1},}}")
_ACCENTS = re.compile("[\u0300-\u036f]+")
# Letters whose case folding is several letters, such as ß, are compared as themselves.
SEVERAL = (
    "\xdf\u0130\u0149\u01f0\u0390\u03b0\u0587\u1e96-\u1e9a\u1e9e\u1f50\u1f52\u1f54\u1f56\u1f80-\u1faf\u1fb2-\u1fb4"
    "\u1fb6\u1fb7\u1fbc\u1fc2-\u1fc4\u1fc6\u1fc7\u1fcc\u1fd2\u1fd3\u1fd6\u1fd7\u1fe2-\u1fe4\u1fe6\u1fe7\u1ff2-\u1ff4"
    "\u1ff6\u1ff7\u1ffc\ufb00-\ufb06\ufb13-\ufb17"
)
_SEVERAL = re.compile(f"([{SEVERAL}])")


def folded(text: str) -> str:
    """``text`` for comparison: neither case nor accents count."""
    return caseless(unaccented(text))


def unaccented(text: str) -> str:
    """``text`` without accents, in one Unicode form."""
    return text if text.isascii() else normal(_ACCENTS.sub("", normalize("NFD", normal(text))))


def normal(text: str) -> str:
    """``text`` in one Unicode form."""
    return text if text.isascii() else normalize("NFC", _MAY_BE_ACCENTS.sub(_fewer, text))


def caseless(text: str) -> str:
    """``text`` in one case, letter by letter, as regular expressions in the page do."""
    if text.isascii():
        return text.lower()
    parts = _SEVERAL.split(text)
    parts[::2] = map(str.casefold, parts[::2])
    parts[1::2] = map(_alone, parts[1::2])
    return "".join(parts)


def _alone(letter: str) -> str:
    lower = letter.lower()
    return lower if len(lower) == 1 else letter


def _fewer(found: re.Match[str]) -> str:
    runs = groupby(found[0], lambda char: category(char).startswith("M"))
    return "".join(["".join(run)[: _MOST_ACCENTS if is_accents else None] for is_accents, run in runs])
