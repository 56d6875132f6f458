"""The diagram of docs/architecture.md: which package imports which. Run by ``make map``."""

import re
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "architecture.md"
DIAGRAM = re.compile(r"(?<=```mermaid\n).*?(?=```)", re.DOTALL)

Imports = dict[str, set[str]]


def read_imports() -> Imports:
    """Each package of ``arauto``, with the packages it imports."""
    graph = grimp.build_graph("arauto", cache_dir=None)
    imports: Imports = {child.partition(".")[2]: set() for child in graph.find_children("arauto")}
    del imports["__main__"]
    for importer in graph.modules:
        for imported in graph.find_modules_directly_imported_by(importer):
            package, other = _package(importer), _package(imported)
            if package in imports and other in imports and package != other:
                imports[package].add(other)
    return imports


def _package(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def reduce(imports: Imports) -> Imports:
    """The imports without those that follow from others. They must have no cycle."""
    return {
        package: {
            other
            for other in others
            if not any(other in _reachable(imports, between) for between in others - {other})
        }
        for package, others in imports.items()
    }


def _reachable(imports: Imports, package: str) -> set[str]:
    return imports[package].union(*(_reachable(imports, other) for other in imports[package]))


def draw() -> str:
    """The diagram as Mermaid text."""
    arrows = (
        f"    {package} --> {other}\n"
        for package, others in sorted(reduce(read_imports()).items())
        for other in sorted(others)
    )
    return "flowchart TD\n" + "".join(arrows)


def main() -> None:
    page, diagram = PAGE.read_text(encoding="utf-8"), draw()
    PAGE.write_text(DIAGRAM.sub(lambda _: diagram, page, count=1), encoding="utf-8")
    print(diagram, end="")


if __name__ == "__main__":
    main()
