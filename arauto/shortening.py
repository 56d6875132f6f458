"""What a minifier lets stand, since it sees one file and no page: words that could be shorter."""

import re
from collections import Counter
from collections.abc import Mapping
from itertools import count

_CONST = re.compile(r"\bconst\b(?=[ [{])")  # what is constant has been checked where it is written
_MEMBERS = (  # of the platform: long, and said over and over
    "activeElement addEventListener append ariaDisabled ariaExpanded ariaLabel ariaPressed assign "
    "checked childElementCount children classList closest content createElement dataset dispatchEvent "
    "elements filter firstElementChild forEach getBoundingClientRect hidden importNode includes "
    "isConnected language lastElementChild matches normalize parentElement preventDefault "
    "previousElementSibling querySelector querySelectorAll remove replace replaceChildren scrollHeight "
    "scrollTop searchParams showModal textContent toLowerCase"
)
_MEMBER = re.compile(rf"(?<=[\w$)\]}}])(\?\.|\.)({_MEMBERS.replace(' ', '|')})\b")
_IMPORTS = re.compile(r"(?:import\b[^;]+;)*")
_ROOT = re.compile(r":root\{([^}]*)\}")
_BETWEEN = "\f"  # sheets
_PROPERTY = re.compile(r"(?<![\w-])--[a-z][\w-]*")  # and not the end of a class, such as button--main
_LEADING_ZERO = re.compile(r"(?<=[(: ])0(?=\.\d)")
_NESTED = re.compile(r"(?<=[{};,])& (?=[a-z.\[][^{},;&]*[,{])")  # what is nested is below by itself
_SPACES = re.compile(r'("[^"]*")|\s*;?\s*(\})\s*|\s*([{,;])\s*|(:)\s+')


def shorten_members(script: str) -> str:
    """Write ``let`` for ``const``, and ``a[$0]`` for ``a.textContent``, where ``$0`` is that name."""
    found = Counter(name for _, name in _MEMBER.findall(script)).most_common()
    taken = set(re.findall(r"[\w$]+", script))  # the minifier names things so too
    free = (its for n in count() if (its := f"${n:x}") not in taken)
    short = {name: next(free) for name, times in found if _pays(name, times)}

    def shorten(member: re.Match[str]) -> str:
        dot, name = member.groups()
        return f"{'?.' if dot == '?.' else ''}[{short[name]}]" if name in short else member[0]

    names = ",".join(f'{its}="{name}"' for name, its in short.items())
    shorter = _MEMBER.sub(shorten, _CONST.sub("let", script))
    return _IMPORTS.sub(lambda imports: f"{imports[0]}let {names};", shorter, count=1) if names else shorter


def _pays(name: str, times: int) -> bool:
    return times * len(f".{name}") > times * len("[$0]") + len(f'$0="{name}",')


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
    """No script and no template names a custom property, so any name will do; the usual are the shortest."""
    found = Counter(name for text in sheets.values() for name in _PROPERTY.findall(text))
    short = {name: f"--{n:x}" for n, (name, _) in enumerate(found.most_common())}
    return {path: _PROPERTY.sub(lambda name: short[name[0]], text) for path, text in sheets.items()}
