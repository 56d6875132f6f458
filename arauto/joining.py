"""The scripts that the page wants at once, joined: a request for each would delay the first message.

Each module becomes a function that runs once and gives what the module exports to those after it.
"""

import re
from collections import defaultdict
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
        and ``export`` before a class, a constant or a function; or two modules export one name.
    """
    homes: dict[str, str] = {}  # in which entry's file a module is now
    for entry in ENTRIES:
        homes |= dict.fromkeys(_in_order(texts, entry, set(homes)), entry)
    _check_names(texts, homes)
    wanted: defaultdict[str, set[str]] = defaultdict(set)  # what others import from an entry's file
    for name, text in texts.items():
        for names, other in _IMPORT.findall(text):
            if other in homes and homes[other] != homes.get(name):
                wanted[homes[other]] |= set(names.split(", "))
    joined = {entry: _joined(texts, entry, homes, sorted(wanted[entry])) for entry in ENTRIES}
    return joined | {name: _redirected(text, homes) for name, text in texts.items() if name not in homes}


def _in_order(texts: Mapping[str, str], name: str, known: set[str]) -> Iterator[str]:
    """Every module after those that it imports."""
    if name in known:
        return
    known.add(name)
    for _, other in _IMPORT.findall(texts[name]):
        yield from _in_order(texts, other, known)
    yield name


def _check_names(texts: Mapping[str, str], homes: Mapping[str, str]) -> None:
    owners: dict[str, str] = {}
    for module in homes:
        if other := _OTHER.search(_EXPORT.sub("", _IMPORT.sub("", texts[module]))):
            raise CannotJoin(f"{module}.js: {other[0]}")
        for name in _EXPORT.findall(texts[module]):
            if name in owners:
                raise CannotJoin(f"{owners[name]}.js and {module}.js export {name}")
            owners[name] = module


def _joined(texts: Mapping[str, str], entry: str, homes: Mapping[str, str], wanted: list[str]) -> str:
    members = [name for name, home in homes.items() if home == entry]
    outside: defaultdict[str, set[str]] = defaultdict(set)
    for name in members:
        for names, other in _IMPORT.findall(texts[name]):
            outside[homes[other]] |= set(names.split(", "))
    imports = [
        f'import {{ {", ".join(sorted(names))} }} from "./{home}.js";\n'
        for home, names in outside.items()
        if home != entry
    ]
    body = "".join(_function(_EXPORT.findall(texts[name]), texts[name]) for name in members)
    return "".join(imports) + ("export " if wanted else "") + _function(wanted, body)


def _function(given: list[str], text: str) -> str:
    """The text in a scope of its own, which gives these names to the one around it."""
    body = _EXPORT.sub("", _IMPORT.sub("", text))
    names = ", ".join(given)
    return (f"const [{names}] = " if given else "") + f"(() => {{\n{body}\nreturn [{names}];\n}})();\n"


def _redirected(text: str, homes: Mapping[str, str]) -> str:
    def redirect(found: re.Match[str]) -> str:
        names, other = found.groups()
        return f'import {{ {names} }} from "./{homes.get(other, other)}.js";\n'

    return _IMPORT.sub(redirect, text)
