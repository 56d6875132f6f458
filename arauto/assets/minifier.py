"""Bundles and minifies the scripts and styles.

``python -m arauto.assets.minifier`` prints them as JSON, compressed. It runs in a process of its own, because
the library has threads, and gunicorn's master forks afterwards.
"""

import gzip
import json
import logging
import re
import subprocess
import sys
from base64 import b64decode, b64encode
from pathlib import Path, PurePath
from typing import Self

from arauto.assets import minifier_cache
from arauto.assets.bundler import join
from arauto.assets.css_minifier import join_layers, resolve_properties, shorten_properties, tighten
from arauto.assets.js_minifier import inline_constants, keep_order, name_members
from arauto.system.paths import HOME

_CONST = re.compile(r"\bconst\b(?=[ [{])")  # that constants are constant is checked in the sources
TYPES = {".js": "text/javascript", ".css": "text/css", ".json": "application/json"}
STATIC = HOME / "static"
PARENT = Path(__file__).parents[2]  # of the package
ENTRIES = ("ui/appearance", "stream/boot", "app/main")  # loaded by the page itself, in this order
HOSTS = {  # the files of modules that several files need
    "detail/field_term": "filter/filter_help",
    "ui/ask_server": "channels/recording_menu",
    "views/view_query": "views/views",
}
SHEETS = [  # in the order of the cascade
    "base/reset",
    "base/variables",
    "base/elements",
    "base/layout",
    "app/header",
    "app/connection_status",
    "channels/channel_chips",
    "channels/subscribe_form",
    "feed/feed",
    "message/row",
    "message/json_colors",
    "message/alert_card",
    "feed/toolbar",
    "volume/volume",
    "history/replay",
    "ui/menu",
    "app/empty_state",
    "publish/publish_form",
    "app/page_parts",
    "ui/dialog",
    "app/answer",
    "base/utilities",
]
LATER_SHEETS = [  # for parts of the page whose scripts are loaded later
    "acknowledge/acknowledge",
    "channels/keyspace_events",
    "detail/detail",
    "feed/groups",
    "filter/filter_help",
    "views/views",
    "views/panes",
    "views/wall",
    "history/lanes",
    "volume/levels",
    "publish/receipts",
    "app/try_card",
    "app/unread",
]

TOPIC_SHEETS = ["kafka/topics"]  # only with Kafka
TOPIC_LATER_SHEETS = ["kafka/topic_about"]  # only with Kafka, for scripts that are loaded later

log = logging.getLogger("arauto")


class Minifier:
    """A process that makes the pages' files: enter it, do something else, and call :meth:`result`.

    No process is started if the last result is cached.
    """

    def __init__(self) -> None:
        """:raise OSError: no process can be started."""
        self._key = minifier_cache.key()
        self._cached = minifier_cache.read(self._key)
        program = [sys.executable, "-B", "-m", "arauto.assets.minifier"]
        self._process = (
            None
            if self._cached
            else subprocess.Popen(  # noqa: S603 - it is ourselves
                program, cwd=PARENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()

    def result(self) -> dict[str, bytes]:
        """Compressed files by path: ``page/main.js`` and others, ``page.css``, ``door.css``,
        ``page/later.css``, ``page/topics.css``, ``page/topics_later.css``.

        They are minified if the library is installed and there is enough memory; else only joined.
        """
        if self._process is None:
            return _read(self._cached)
        out, err = self._process.communicate()
        if status := self._process.returncode:
            return _sources_because(err.partition("\n")[0] or f"status {status}")
        made = _read(out)
        minifier_cache.write(self._key, out)
        return made


def pack(texts: dict[str, str]) -> dict[str, bytes]:
    """Compress each text with gzip."""
    return {path: gzip.compress(text.encode(), mtime=0) for path, text in texts.items()}


def _read(printed: str) -> dict[str, bytes]:
    return {path: b64decode(body) for path, body in json.loads(printed).items()}


def minify_in_subprocess() -> dict[str, bytes]:
    """As :meth:`Minifier.result`; only joined if no process can be started."""
    try:
        with Minifier() as minifier:
            return minifier.result()
    except OSError as error:
        return _sources_because(str(error))


def _sources_because(why: str) -> dict[str, bytes]:
    log.warning(
        "Warning: The page loads slower, for its scripts cannot be made small here (%s): "
        "allow more processes and memory (ulimit -u, ulimit -v).",
        why,
    )
    return pack(sources())


def main() -> None:
    """Print what :meth:`Minifier.result` returns."""
    # With PYTHONUNBUFFERED, print() drops what is left if a signal interrupts it while the pipe is full.
    with open(sys.stdout.fileno(), "w", closefd=False) as out:
        out.write(json.dumps({path: b64encode(body).decode() for path, body in pack(minify()).items()}))


def minify() -> dict[str, str]:
    """The files of :meth:`Minifier.result`, made in this process and not compressed."""
    try:
        import minify as library
    except ImportError:  # there is no wheel of it for macOS on ARM
        return sources()
    texts = _joined({name: inline_constants(text) for name, text in modules().items()})
    named = {
        path: name_members(keep_order(text)) if path.endswith(".js") else text for path, text in texts.items()
    }
    small = {path: library.string(TYPES[PurePath(path).suffix], text) for path, text in named.items()}
    sheets = {path: join_layers(tighten(text)) for path, text in small.items() if path.endswith(".css")}
    scripts = {path: _CONST.sub("let", text) for path, text in small.items() if path.endswith(".js")}
    return scripts | shorten_properties(resolve_properties(sheets))


def sources() -> dict[str, str]:
    """The files that the page loads, joined but not minified."""
    return _joined(modules())


def _joined(scripts: dict[str, str]) -> dict[str, str]:
    texts = {f"page/{name}.js": text for name, text in join(scripts, ENTRIES, HOSTS).items()}
    texts["page.css"] = "".join(map(_sheet, SHEETS))
    texts["page/later.css"] = "".join(map(_sheet, LATER_SHEETS))
    texts["page/topics.css"] = "".join(map(_sheet, TOPIC_SHEETS))
    texts["page/topics_later.css"] = "".join(map(_sheet, TOPIC_LATER_SHEETS))
    texts["door.css"] = _sheet("app/login")
    return texts


def modules() -> dict[str, str]:
    """The sources of the scripts, by their paths in ``static/js`` without the suffix."""
    root = STATIC / "js"
    return {
        path.relative_to(root).with_suffix("").as_posix(): path.read_text("utf-8")
        for path in sorted(root.rglob("*.js"))
    }


def _sheet(name: str) -> str:
    return STATIC.joinpath("css", f"{name}.css").read_text("utf-8")


if __name__ == "__main__":
    main()
