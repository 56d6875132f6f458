"""What the minifier made, kept beside what Python compiles: see :func:`arauto.system.paths.compiled`."""

import importlib.util
import os
import sys
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from arauto.system.paths import HOME, compiled


def key() -> str:
    """A hash of all that the minifier's result depends on; nothing where nothing is to be kept."""
    library = importlib.util.find_spec("minify")
    if compiled() is None or library is None or library.origin is None:
        return ""
    static, own = HOME / "static", Path(__file__).parent
    parts = sha256(f"{sys.version} {os.stat(library.origin).st_mtime_ns}".encode())
    for path in sorted((*static.rglob("*.js"), *static.rglob("*.css"), *own.glob("*.py"))):
        text = path.read_bytes()
        parts.update(f"{path} {len(text)}\n".encode() + text)
    return parts.hexdigest()


def read(key: str) -> str:
    """What was kept last, if it was under this key; else nothing."""
    directory = compiled()
    if directory and key:
        with suppress(OSError):
            kept, _, text = _file(directory).read_text("utf-8").partition("\n")
            return text if kept == key else ""
    return ""


def write(key: str, text: str) -> None:
    """Keep it, where that can be."""
    directory = compiled()
    if directory and key:
        unfinished = _file(directory).with_suffix(f".{os.getpid()}")
        with suppress(OSError):
            directory.mkdir(parents=True, exist_ok=True)
            unfinished.write_text(f"{key}\n{text}", "utf-8")
            unfinished.replace(_file(directory))  # others may read it at this moment


def _file(directory: Path) -> Path:
    return directory / "assets.json"
