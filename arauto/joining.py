"""The scripts that the page wants at once, joined: a request for each would delay the first message.

Nothing is rewritten but the lines that import and export: each module becomes a function that runs
once and returns what the module exports. Modules that are loaded later import the same objects.
"""

import re
from collections.abc import Iterator, Mapping

ENTRIES = ("appearance", "link", "main")
"""What the page asks for itself, in the order in which it does."""

_IMPORT = re.compile(r'^import \{ (\w+(?:, \w+)*) \} from "\./(\w+)\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:class|const|function\*?) (\w+))", re.MULTILINE)
_OTHER = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)


class CannotJoin(Exception):
    """A module imports or exports in a way that is not known here; the text says which and how."""


def join(texts: Mapping[str, str]) -> dict[str, str]:
    """Return the entries (by name), each with what no earlier one holds of what it needs, and the rest.

    :raise CannotJoin: a line imports or exports otherwise than ``import { a, b } from "./c.js";``
        and ``export`` before a class, a constant or a function.
    """
    homes: dict[str, str] = {}  # in which entry's file a module is now
    joined = {}
    for entry in ENTRIES:
        members = list(_in_order(texts, entry, set(homes)))
        homes |= dict.fromkeys(members, entry)
        joined[entry] = _joined(texts, entry, members, homes)
    later = {name: _redirected(text, homes) for name, text in texts.items() if name not in homes}
    return joined | later


def _in_order(texts: Mapping[str, str], name: str, known: set[str]) -> Iterator[str]:
    """Every module after those that it imports."""
    if name in known:
        return
    known.add(name)
    for _, other in _IMPORT.findall(texts[name]):
        yield from _in_order(texts, other, known)
    yield name


def _joined(texts: Mapping[str, str], entry: str, members: list[str], homes: Mapping[str, str]) -> str:
    needed = {other for name in members for _, other in _IMPORT.findall(texts[name])}
    outside = [_importing(other, homes[other]) for other in sorted(needed) if homes[other] != entry]
    exported = ", ".join(f"${name}" for name in members)
    return "".join(
        [*outside, *(_wrapped(name, texts[name]) for name in members), f"export {{ {exported} }};\n"]
    )


def _wrapped(name: str, text: str) -> str:
    exported = ", ".join(_EXPORT.findall(text))
    body = _EXPORT.sub("", _IMPORT.sub(r"const { \1 } = $\2;\n", text))
    if other := _OTHER.search(body):
        raise CannotJoin(f"{name}.js: {other[0]}")
    return f"const ${name} = (() => {{\n{body}\nreturn {{ {exported} }};\n}})();\n"


def _redirected(text: str, homes: Mapping[str, str]) -> str:
    def redirect(found: re.Match[str]) -> str:
        names, other = found.groups()
        if other not in homes:
            return found[0]
        return f"{_importing(other, homes[other])}const {{ {names} }} = ${other};\n"

    return _IMPORT.sub(redirect, text)


def _importing(name: str, home: str) -> str:
    return f'import {{ ${name} }} from "./{home}.js";\n'
