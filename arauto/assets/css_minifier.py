"""Shorten styles further than a minifier that sees one file and no page."""

import re
from collections import Counter
from collections.abc import Mapping
from itertools import product
from string import ascii_lowercase, digits

_ROOT = re.compile(r":root\{([^}]*)\}")
_BETWEEN = "\f"  # sheets
_PROPERTY = re.compile(r"(?<![\w-])--[a-z][\w-]*")  # and not the end of a class, such as button--main
_NAMES = [
    f"--{''.join(name)}" for length in (1, 2) for name in product(digits + ascii_lowercase, repeat=length)
]
_LAYER = re.compile(r"\}?@layer (\w+)\{")
_QUOTED = re.compile(r'(?<==)"([a-z]+)"(?=])')
_LEADING_ZERO = re.compile(r"(?<=[(: ])0(?=\.\d)")
_NESTED = re.compile(r"(?<=[{};,])& (?=[a-z.#\[][^{},;&]*[,{])")  # what is nested is below by itself
_LOGICAL = re.compile(
    r"(?<=[{;])(margin-|padding-|border-|min-|max-)?(inline-size|block-(?:size|start|end))(?=:)"
)
_PHYSICAL = {"inline-size": "width", "block-size": "height", "block-start": "top", "block-end": "bottom"}
_SPACES = re.compile(r'("[^"]*")|\s*;?\s*(\})\s*|\s*([{,;>/])\s*|(:)\s+')


def resolve_properties(sheets: Mapping[str, str]) -> dict[str, str]:
    """Write what the root says of a custom property where it is used, if that is once, or another's name."""
    text = _BETWEEN.join(sheets.values())
    for name in re.findall(r"(--[\w-]+):", "".join(_ROOT.findall(text))):
        (value, *others), uses = re.findall(rf"[{{;]{name}:([^;}}]*)", text), text.count(f"var({name})")
        if not others and f"var({name}," not in text and (uses == 1 or value.startswith("var(")):
            text = re.sub(rf"(?<=[{{;]){name}:[^;}}]*;?", "", text).replace(f"var({name})", value)
    return dict(zip(sheets, text.split(_BETWEEN), strict=True))


def tighten(sheet: str) -> str:
    """Leave out what a minifier lets stand in nested rules and custom properties.

    Lines are taken to run from left to right or back, never down, so that ``block-size`` is ``height``.
    """
    tight = _SPACES.sub(lambda found: found[found.lastindex or 0], sheet)
    plain = _QUOTED.sub(r"\1", _LEADING_ZERO.sub("", _NESTED.sub("", tight)))
    return _LOGICAL.sub(lambda found: f"{found[1] or ''}{_PHYSICAL[found[2]]}", plain)


def join_layers(sheet: str) -> str:
    """Write the name of a layer once for all rules of it that follow each other: no layer is in another."""
    last = ""

    def joined(found: re.Match[str]) -> str:
        nonlocal last
        is_same, last = found[1] == last, found[1]
        return "" if is_same else found[0]

    return _LAYER.sub(joined, sheet)


def shorten_properties(sheets: Mapping[str, str]) -> dict[str, str]:
    """What no script names may have any name, the usual the shortest; what a script names has a capital."""
    found = Counter(name for text in sheets.values() for name in _PROPERTY.findall(text))
    short = dict(zip((name for name, _ in found.most_common()), _NAMES, strict=False))
    return {path: _PROPERTY.sub(lambda name: short[name[0]], text) for path, text in sheets.items()}
