"""What a minifier lets stand, since it sees one file and no page: words that could be shorter."""

import re
from collections import Counter
from collections.abc import Mapping

_ROOT = re.compile(r":root\{([^}]*)\}")
_BETWEEN = "\f"  # sheets
_PROPERTY = re.compile(r"(?<![\w-])--[a-z][\w-]*")  # and not the end of a class, such as button--main
_LEADING_ZERO = re.compile(r"(?<=[(: ])0(?=\.\d)")
_NESTED = re.compile(r"(?<=[{};,])& (?=[a-z.\[][^{},;&]*[,{])")  # what is nested is below by itself
_SPACES = re.compile(r'("[^"]*")|\s*;?\s*(\})\s*|\s*([{,;])\s*|(:)\s+')


def resolve_properties(sheets: Mapping[str, str]) -> dict[str, str]:
    """Write what the root says of a custom property where it is used, if that is once, or another's name."""
    text = _BETWEEN.join(sheets.values())
    for name in re.findall(r"(--[\w-]+):", "".join(_ROOT.findall(text))):
        (value, *others), uses = re.findall(rf"[{{;]{name}:([^;}}]*)", text), text.count(f"var({name})")
        if not others and f"var({name}," not in text and (uses == 1 or value.startswith("var(")):
            text = re.sub(rf"(?<=[{{;]){name}:[^;}}]*;?", "", text).replace(f"var({name})", value)
    return dict(zip(sheets, text.split(_BETWEEN), strict=True))


def tighten(sheet: str) -> str:
    """Leave out what a minifier lets stand in nested rules and custom properties."""
    tight = _SPACES.sub(lambda found: found[found.lastindex or 0], sheet)
    return _NESTED.sub("", _LEADING_ZERO.sub("", tight))


def shorten_properties(sheets: Mapping[str, str]) -> dict[str, str]:
    """What no script names may have any name, the usual the shortest; what a script names has a capital."""
    found = Counter(name for text in sheets.values() for name in _PROPERTY.findall(text))
    short = {name: f"--{n:x}" for n, (name, _) in enumerate(found.most_common())}
    return {path: _PROPERTY.sub(lambda name: short[name[0]], text) for path, text in sheets.items()}
