"""A cache of the minifier's result, beside Python's bytecode: see :func:`arauto.system.paths.compiled`."""

import importlib.util
import os
import sys
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from arauto.system.paths import HOME, compiled


def key() -> str:
    """A hash of everything that the minifier's result depends on; empty if there is no cache."""
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
    """The cached text, if it has this key and is whole; else empty."""
    directory = compiled()
    if directory and key:
        with suppress(OSError):
            head, _, text = _file(directory).read_bytes().partition(b"\n")
            return text.decode() if head == _head(key, text) else ""
    return ""


def write(key: str, text: str) -> None:
    """Cache a text, if possible."""
    directory = compiled()
    if directory and key:
        unfinished = _file(directory).with_suffix(f".{os.getpid()}")
        with suppress(OSError):
            directory.mkdir(parents=True, exist_ok=True)
            body = text.encode()
            unfinished.write_bytes(_head(key, body) + b"\n" + body)
            unfinished.replace(_file(directory))  # others may read it at this moment


def _head(key: str, text: bytes) -> bytes:
    return f"{key} {sha256(text).hexdigest()}".encode()


def _file(directory: Path) -> Path:
    return directory / "assets.json"
