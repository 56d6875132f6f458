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


Lists = Mapping[str, list[str]]  # what an entry exports, by its name


class CannotJoin(Exception):
    """A module imports or exports in a way that is not known here; the text says which and how."""


def join(texts: Mapping[str, str]) -> dict[str, str]:
    """Return the entries (by name), each with what no earlier one holds of what it needs, and the rest.

    What others need of an entry it exports as one list, and they take from it by position: the
    names are the module's own business, and short ones will do where they are sent.

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
    lists = {entry: sorted(wanted[entry]) for entry in ENTRIES}
    joined = {entry: _joined(texts, entry, homes, lists) for entry in ENTRIES}
    rest = {name: _alone(text, homes, lists) for name, text in texts.items() if name not in homes}
    return joined | rest


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


def _joined(texts: Mapping[str, str], entry: str, homes: Mapping[str, str], lists: Lists) -> str:
    members = [name for name, home in homes.items() if home == entry]
    needed = [found for name in members for found in _IMPORT.findall(texts[name])]
    imports, bound = _taken(
        [(names, other) for names, other in needed if homes[other] != entry], homes, lists
    )
    body = "".join(_scope("const [{}] = ", _EXPORT.findall(texts[name]), texts[name]) for name in members)
    return imports + _scope(f"export const ${entry} = ", lists[entry], bound + body)


def _alone(text: str, homes: Mapping[str, str], lists: Lists) -> str:
    imports, bound = _taken(_IMPORT.findall(text), homes, lists)
    body = _EXPORT.sub("", _IMPORT.sub("", text))
    again = "".join(f"{line}\n" for line in _OTHER.findall(body))
    return (
        imports + again + _scope("export const [{}] = ", _EXPORT.findall(text), bound + _OTHER.sub("", body))
    )


def _taken(needed: list[tuple[str, str]], homes: Mapping[str, str], lists: Lists) -> tuple[str, str]:
    """The lines that import, and those that give their names to what an entry's list has."""
    wanted: defaultdict[str, set[str]] = defaultdict(set)
    for names, other in needed:
        wanted[homes.get(other, other)] |= set(names.split(", "))
    imports = bound = ""
    for home, taken in wanted.items():
        if home in lists:
            imports += f'import {{ ${home} }} from "./{home}.js";\n'
            places = (name if name in taken else "" for name in lists[home])
            bound += f"const [{', '.join(places)}] = ${home};\n"
        else:
            imports += f'import {{ {", ".join(sorted(taken))} }} from "./{home}.js";\n'
    return imports, bound


def _scope(given: str, names: list[str], text: str) -> str:
    """The text in a scope of its own, which gives these names to the one around it."""
    body, listed = _EXPORT.sub("", _IMPORT.sub("", text)), ", ".join(names)
    return (given.format(listed) if names else "") + f"(() => {{\n{body}\nreturn [{listed}];\n}})();\n"
