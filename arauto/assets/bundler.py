"""Joins the scripts that the page needs at once: a request for each would delay the first message.

Each module becomes a function that runs once and returns its exports to the modules after it. A file that is
loaded later includes modules that only it needs, or that it is chosen for, which saves bytes. A module's
name is its path in ``static/js`` without the suffix: ``app/main``. The resulting files are in one folder, so
no two modules may have the same name in different folders.
"""

import posixpath
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

_TYPES = re.compile(r"/\*\*.*?\*/", re.DOTALL)  # comments for the type checker may import any module
_PATH = r'"(\.{1,2}/[\w./-]+)\.js"'
_IMPORT = re.compile(rf"^import \{{\s*(\w+(?:,\s+\w+)*),?\s*\}} from {_PATH};\n", re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:class|const|function\*?) (\w+))", re.MULTILINE)
_AGAIN = re.compile(rf"^export \{{ [\w, ]+ \}} from {_PATH};\n", re.MULTILINE)
_OTHER = re.compile(r"^(?:import|export)\b(?!\().*", re.MULTILINE)
_ADDRESS = re.compile(_PATH)  # of a module that is loaded later, or of a worker
_DECLARED = re.compile(r"^(?:async )?(?:class|const|let|var|function\*?)\s+(\w+|[\[{])", re.MULTILINE)


class CannotJoin(Exception):
    """A module has an unsupported import or export; the text says which and where."""


@dataclass(frozen=True)
class Module:
    """A parsed script."""

    name: str
    imports: list[tuple[list[str], str]]  # names, and the module that exports them
    exports: list[str]
    again: str  # lines that re-export from another module
    body: str  # the rest

    @property
    def is_open(self) -> bool:
        """Whether everything that it declares is exported, so that it needs no scope of its own."""
        return _DECLARED.findall(self.body) == self.exports

    @classmethod
    def of(cls, name: str, text: str) -> "Module":
        """:raise CannotJoin: a line has an unsupported import or export."""
        text = _TYPES.sub("", text)
        imports = [(re.split(r",\s+", names), _resolved(path, name)) for names, path in _IMPORT.findall(text)]
        again = "".join(line[0] for line in _AGAIN.finditer(text))
        rest = _AGAIN.sub("", _IMPORT.sub("", text))
        exports, body = _EXPORT.findall(rest), _EXPORT.sub("", rest)
        if other := _OTHER.search(body):
            raise CannotJoin(f"{name}.js: {other[0]}")
        return cls(name, imports, exports, again, body)


def join(
    texts: Mapping[str, str], entries: Sequence[str], hosts: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return files by name: the entries, each with modules that it needs and no earlier one has; the rest.

    ``entries`` are the modules that the page itself loads, in this order. ``hosts`` are by name, for modules
    that several files need, which of these has it.

    An entry exports as one list what other files need, and they take it by position, so that the minifier
    can shorten names.

    :raise CannotJoin: an import is not ``import { a, b } from "./c.js";``, or an export is not ``export``
        before a class, a constant or a function; an imported module does not exist; imports are circular;
        two modules of the entries export the same name, or two files would have the same name; a host does
        not need its module, or the module is not there, is an entry's, or has to have its own file.
    """
    modules = {name: Module.of(name, text) for name, text in texts.items()}
    return _Bundle(modules, entries, hosts or {}).files()


class _Bundle:
    def __init__(
        self, modules: Mapping[str, Module], entries: Sequence[str], chosen: Mapping[str, str]
    ) -> None:
        self._modules = modules
        self._chosen = chosen
        self._homes: dict[str, str] = {}  # the entry whose file has a module, in the order of running
        for entry in entries:
            self._place(entry, entry, [])
        self._check_names()
        self._hosts = self._hosted()
        wanted = {entry: defaultdict[str, set[str]](set) for entry in entries}  # and which files want it
        for module in modules.values():
            for names, other in module.imports:
                if other in self._homes and self._home(other) != self._home(module.name):
                    for name in names:
                        wanted[self._home(other)][name].add(self._home(module.name))
        self._lists = {  # exports that most files need come first: then they need not skip others
            entry: sorted(found, key=lambda name: (-len(found[name]), name))
            for entry, found in wanted.items()
        }

    def files(self) -> dict[str, str]:
        texts = {entry: self._joined(entry) for entry in self._lists}
        texts |= {
            name: self._alone(module)
            for name, module in self._modules.items()
            if name not in self._homes and name not in self._hosts
        }
        files: dict[str, str] = {}
        for name, text in texts.items():
            if _file(name) in files:
                raise CannotJoin(f"two modules are {_file(name)}.js")
            files[_file(name)] = text
        return files

    def _place(self, name: str, entry: str, importers: list[str]) -> None:
        """Order modules so that each comes after those that it imports."""
        if name in importers:
            raise CannotJoin(f"{'.js imports '.join([*importers, name])}.js")
        if name in self._homes:
            return
        for _, other in self._modules[name].imports:
            self._check_there(name, other)
            self._place(other, entry, [*importers, name])
        self._homes[name] = entry

    def _hosted(self) -> dict[str, str]:
        """Modules outside the entries that are in another module's file, and in which; in reverse order."""
        loaded = {
            _resolved(path, name)
            for name, module in self._modules.items()
            for path in _ADDRESS.findall(module.again + module.body)
        }
        hosts: dict[str, str] = {}
        importers = defaultdict[str, set[str]](set)
        for name in self._latest_first():
            files = {hosts.get(importer, importer) for importer in importers[name]}
            if name in self._chosen:
                files &= {self._chosen[name]}
            if len(files) == 1 and name not in loaded and not self._modules[name].again:
                (hosts[name],) = files
            for _, other in self._modules[name].imports:
                importers[other].add(name)
        for name, host in self._chosen.items():
            if hosts.get(name) != host:
                raise CannotJoin(f"{name}.js cannot be in the file of {host}.js")
        return hosts

    def _latest_first(self) -> list[str]:
        """Modules outside the entries, each before those that it imports."""
        order: list[str] = []

        def visit(name: str, importers: list[str]) -> None:
            if name in importers:
                raise CannotJoin(f"{'.js imports '.join([*importers, name])}.js")
            if name in order or name in self._homes:
                return
            for _, other in self._modules[name].imports:
                self._check_there(name, other)
                visit(other, [*importers, name])
            order.append(name)

        for name in self._modules:
            visit(name, [])
        return order[::-1]

    def _check_there(self, name: str, other: str) -> None:
        if other not in self._modules:
            raise CannotJoin(f"{name}.js: there is no {other}.js")

    def _check_names(self) -> None:
        owners: dict[str, str] = {}
        for name in self._homes:
            if again := self._modules[name].again:
                raise CannotJoin(f"{name}.js: {again}")
            for exported in self._modules[name].exports:
                if exported in owners:
                    raise CannotJoin(f"{owners[exported]}.js and {name}.js export {exported}")
                owners[exported] = name

    def _list_of(self, entry: str) -> str:
        return f"${list(self._lists).index(entry)}"

    def _home(self, name: str) -> str:
        return self._homes.get(name) or self._hosts.get(name, name)

    def _joined(self, entry: str) -> str:
        members = [self._modules[name] for name, home in self._homes.items() if home == entry]
        needed = [found for module in members for found in module.imports if self._home(found[1]) != entry]
        imports, bound = self._taken(needed, entry)
        bodies = [(module, self._moved(module, module.body)) for module in members]
        body = "".join(
            f"{text}\n" if module.is_open else _declared("const", module, text) for module, text in bodies
        )
        listed = f"[{', '.join(self._lists[entry])}]"
        return imports + _scope(f"export const {self._list_of(entry)} = ", listed, bound + body)

    def _alone(self, module: Module) -> str:
        members = [self._modules[name] for name in reversed(self._hosts) if self._hosts[name] == module.name]
        found = [found for member in (*members, module) for found in member.imports]
        imports, bound = self._taken([one for one in found if self._home(one[1]) != module.name], module.name)
        self._check_apart(module, members, found)
        parts = "".join(_declared("const", member, self._moved(member, member.body)) for member in members)
        again, body = self._moved(module, module.again), self._moved(module, module.body)
        shared = {
            name
            for importer in self._modules.values()
            for names, other in importer.imports
            for name in names
            if self._hosts.get(other) == module.name != self._home(importer.name)
        }
        given = replace(module, exports=[*module.exports, *sorted(shared)])
        return imports + again + _declared("export const", given, bound + parts + body)

    def _check_apart(self, module: Module, members: list[Module], found: list[tuple[list[str], str]]) -> None:
        """Check that modules in one file declare different names."""
        owners = dict.fromkeys(_DECLARED.findall(module.body), module.name)
        taken = [
            (name, other) for names, other in found if self._home(other) != module.name for name in names
        ]
        for name, other in taken:
            if owners.setdefault(name, other) != other:
                raise CannotJoin(f"{owners[name]}.js and {other}.js have {name}")
        for member in members:
            for name in member.exports:
                if name in owners:
                    raise CannotJoin(f"{owners[name]}.js and {member.name}.js have {name}")
                owners[name] = member.name

    def _taken(self, needed: list[tuple[list[str], str]], home: str) -> tuple[str, str]:
        """The lines that import, and those that unpack an entry's list into names."""
        wanted: defaultdict[str, set[str]] = defaultdict(set)
        for names, other in needed:
            self._check_there(home, other)
            wanted[self._home(other)].update(names)
        imports = bound = ""
        for other, taken in wanted.items():
            if other in self._lists:
                imports += f"import {{ {self._list_of(other)} }} from {_path_of(other)};\n"
                places = (name if name in taken else "" for name in self._lists[other])
                bound += f"const [{', '.join(places)}] = {self._list_of(other)};\n"
            else:
                imports += f"import {{ {', '.join(sorted(taken))} }} from {_path_of(other)};\n"
        return imports, bound

    def _moved(self, module: Module, text: str) -> str:
        """A part of the module, with its paths changed to those between the resulting files."""

        def moved(found: re.Match[str]) -> str:
            other = _resolved(found[1], module.name)
            self._check_there(module.name, other)
            if other in self._homes:
                raise CannotJoin(
                    f"{module.name}.js: {other}.js is no file of its own, but in {self._home(other)}.js"
                )
            return _path_of(other)

        return _ADDRESS.sub(moved, text)


def _resolved(path: str, name: str) -> str:
    """The module that module ``name`` imports by this path."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), path))


def _file(name: str) -> str:
    return posixpath.basename(name)


def _path_of(name: str) -> str:
    """The import path of a file in another file."""
    return f'"./{_file(name)}.js"'


def _declared(keyword: str, module: Module, body: str) -> str:
    """The module in a scope of its own, which returns its exports to the enclosing one."""
    if not module.exports:
        return _scope("", "", body)
    given = module.exports[0] if len(module.exports) == 1 else f"[{', '.join(module.exports)}]"
    return _scope(f"{keyword} {given} = ", given, body)


def _scope(head: str, given: str, body: str) -> str:
    return f"{head}(() => {{\n{body}\nreturn {given};\n}})();\n"
