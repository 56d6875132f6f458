"""docs/architecture.md describes the tree as it is."""

import re

from tests.support import package_map
from tests.support.servers import ROOT

PAGE = package_map.PAGE.read_text(encoding="utf-8")
NAMED = set(re.findall(r"`([\w./-]+)`", PAGE)) - {"arauto"}  # the command, not the directory
MODULES = [path.relative_to(ROOT) for path in sorted((ROOT / "arauto").rglob("*.py"))]
FOLDERS_OF_SCRIPTS = {path.name for path in (ROOT / "static" / "js").iterdir()}


def test_every_module_is_named_or_its_package_is() -> None:
    unnamed = [str(path) for path in MODULES if not NAMED & {str(path), str(path.parent)}]
    assert unnamed == ["arauto/__init__.py"]


def test_the_diagram_is_what_the_command_prints() -> None:
    (diagram,) = package_map.DIAGRAM.findall(PAGE)
    assert diagram == package_map.draw(), "run make map"


def test_what_follows_from_other_imports_is_left_out() -> None:
    imports = {"a": {"b", "c", "d"}, "b": {"c"}, "c": {"d"}, "d": set[str]()}
    assert package_map.reduce(imports) == {"a": {"b"}, "b": {"c"}, "c": {"d"}, "d": set()}


def test_every_path_is_there() -> None:
    paths = {name for name in NAMED if "/" in name and not name.startswith("/") and not name.endswith(".js")}
    assert len(paths) > 20
    assert [path for path in sorted(paths) if not (ROOT / path).exists() and "LC_MESSAGES" not in path] == []


def test_every_script_is_there() -> None:
    scripts = ROOT / "static" / "js"
    named = sorted(name for name in NAMED if name.endswith(".js"))
    assert named
    assert {name.partition("/")[0] for name in named} <= FOLDERS_OF_SCRIPTS
    assert [name for name in named if not (scripts / name).exists()] == []
