"""Shortens styles further than the minifier, which sees only single files."""

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
_NESTED = re.compile(r"(?<=[{};,])& (?=[a-z.#\[][^{},;&]*[,{])")  # a nested selector is relative anyway
_LOGICAL = re.compile(
    r"(?<=[{;])(?:inset-|(margin-|padding-|border-|min-|max-))?"
    r"((?:inline|block)-(?:size|start|end))(?=:|-color:)"
)
_PHYSICAL = {
    "inline-size": "width",
    "block-size": "height",
    "inline-start": "left",
    "inline-end": "right",
    "block-start": "top",
    "block-end": "bottom",
}
_SPACES = re.compile(r'("[^"]*")|\s*;?\s*(\})\s*|\s*([{,;>/])\s*|(:)\s+')


def resolve_properties(sheets: Mapping[str, str]) -> dict[str, str]:
    """Inline a custom property of the root that is used once, or is an alias of another."""
    text = _BETWEEN.join(sheets.values())
    for name in re.findall(r"(--[\w-]+):", "".join(_ROOT.findall(text))):
        (value, *others), uses = re.findall(rf"[{{;]{name}:([^;}}]*)", text), text.count(f"var({name})")
        if not others and f"var({name}," not in text and (uses == 1 or value.startswith("var(")):
            text = re.sub(rf"(?<=[{{;]){name}:[^;}}]*;?", "", text).replace(f"var({name})", value)
    return dict(zip(sheets, text.split(_BETWEEN), strict=True))


def tighten(sheet: str) -> str:
    """Remove what the minifier leaves in nested rules and custom properties.

    Text is assumed to run from left to right, so that ``block-size`` is ``height``.
    """
    tight = _SPACES.sub(lambda found: found[found.lastindex or 0], sheet)
    plain = _QUOTED.sub(r"\1", _LEADING_ZERO.sub("", _NESTED.sub("", tight)))
    return _LOGICAL.sub(lambda found: f"{found[1] or ''}{_PHYSICAL[found[2]]}", plain)


def join_layers(sheet: str) -> str:
    """Join consecutive rules of the same layer; layers are not nested."""
    last = ""

    def joined(found: re.Match[str]) -> str:
        nonlocal last
        is_same, last = found[1] == last, found[1]
        return "" if is_same else found[0]

    return _LAYER.sub(joined, sheet)


def shorten_properties(sheets: Mapping[str, str]) -> dict[str, str]:
    """Give custom properties short names, except for those that scripts use, which have a capital letter."""
    found = Counter(name for text in sheets.values() for name in _PROPERTY.findall(text))
    short = dict(zip((name for name, _ in found.most_common()), _NAMES, strict=False))
    return {path: _PROPERTY.sub(lambda name: short[name[0]], text) for path, text in sheets.items()}
