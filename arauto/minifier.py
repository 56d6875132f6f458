"""Makes the page's scripts and styles ready: what is wanted at once is joined, and all is made small.

``python -m arauto.minifier`` prints them as JSON. It runs apart, because the library has
threads of its own, and gunicorn's master, which asks for it, will fork.
"""

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path, PurePath

from arauto.joining import join

TYPES = {".js": "text/javascript", ".css": "text/css"}
STATIC = Path(__file__).parent.parent / "static"
_CONST = re.compile(r"\bconst\b(?=[ [{])")  # what is constant has been checked where it is written
_PROPERTY = re.compile(r"(?<![\w-])--[a-z][\w-]*")  # and not the end of a class, such as button--main
SHEETS = [  # in the order of the cascade
    "reset",
    "tokens",
    "base",
    "layout",
    "header",
    "status",
    "chips",
    "choose",
    "feed",
    "row",
    "json",
    "card",
    "desk",
    "replay",
    "menu",
    "welcome",
    "publish",
    "dialog",
    "answer",
    "utilities",
]


def minify_apart() -> dict[str, str]:
    """What the pages load, by path: ``page/main.js`` and other scripts, ``page.css``, ``door.css``.

    Small where there is the library for it, else as it is written.
    """
    program = [sys.executable, "-B", "-m", "arauto.minifier"]
    run = subprocess.run(program, cwd=STATIC.parent, stdout=subprocess.PIPE, check=True)  # noqa: S603 - it is ourselves
    small: dict[str, str] = json.loads(run.stdout)
    return small


def main() -> None:
    """Print what :func:`minify_apart` returns."""
    print(json.dumps(minify()))


def minify() -> dict[str, str]:
    """What :func:`minify_apart` returns, made here."""
    texts = sources()
    try:
        import minify as library
    except ImportError:  # there is no wheel of it for macOS on ARM
        return texts
    small = {path: library.string(TYPES[PurePath(path).suffix], text) for path, text in texts.items()}
    sheets = {path: text for path, text in small.items() if path.endswith(".css")}
    scripts = {path: _CONST.sub("let", text) for path, text in small.items() if path.endswith(".js")}
    return scripts | _with_short_properties(sheets)


def _with_short_properties(sheets: dict[str, str]) -> dict[str, str]:
    """No script and no template names a custom property, so any name will do; the usual are the shortest."""
    found = Counter(name for text in sheets.values() for name in _PROPERTY.findall(text))
    short = {name: f"--{n:x}" for n, (name, _) in enumerate(found.most_common())}
    return {path: _PROPERTY.sub(lambda name: short[name[0]], text) for path, text in sheets.items()}


def sources() -> dict[str, str]:
    """What the page loads, before it is made small."""
    scripts = {path.stem: path.read_text("utf-8") for path in STATIC.glob("js/*.js")}
    texts = {f"page/{name}.js": text for name, text in join(scripts).items()}
    texts["page.css"] = "".join(map(_sheet, SHEETS))
    texts["door.css"] = _sheet("door")
    return texts


def _sheet(name: str) -> str:
    return STATIC.joinpath("css", f"{name}.css").read_text("utf-8")


if __name__ == "__main__":
    main()
