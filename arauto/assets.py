"""The files of ``static`` as they are sent: scripts and styles small and packed, all styles in one."""

import gzip
from hashlib import sha256
from pathlib import Path, PurePath

from flask import Flask, Response, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from arauto.minifier import STATIC, TYPES

_MARK = "v-"  # no directory of ours begins so
_YEAR = 365 * 24 * 3600  # seconds

STYLES = "page.css"  # in the order of the cascade:
_SHEETS = [
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


def init_assets(app: Flask, small: dict[str, str]) -> None:
    """Send what ``small`` has by a file's path instead of the file.

    Templates have ``asset(path)``: an address that changes when any of them does, so that a
    browser keeps what it has and asks no more. Scripts import each other by relative paths, so
    one version in the path of the first is enough.
    """
    texts = {name: text.encode() for name, text in small.items()}
    sheets = [f"css/{name}.css" for name in _SHEETS]
    texts[STYLES] = b"".join(texts.get(path) or Path(STATIC, path).read_bytes() for path in sheets)
    packed = {name: gzip.compress(text, mtime=0) for name, text in texts.items()}
    version = _MARK + sha256(b"".join(texts[name] for name in sorted(texts))).hexdigest()[:12]

    def static(filename: str) -> BaseResponse:
        asked, _, rest = filename.partition("/")
        name = rest if asked.startswith(_MARK) else filename
        if name not in texts:
            return app.send_static_file(name)
        is_packed = request.accept_encodings.quality("gzip") > 0
        body = (packed if is_packed else texts)[name]
        response = Response(body, mimetype=TYPES[PurePath(name).suffix])
        if is_packed:
            response.content_encoding = "gzip"
        response.vary.add("Accept-Encoding")
        if asked == version:
            response.cache_control.max_age = _YEAR
            response.cache_control.immutable = True
        else:
            response.cache_control.no_cache = True
        response.add_etag()
        return response.make_conditional(request)

    def asset(name: str) -> str:
        return url_for("static", filename=f"{version}/{name}")

    app.view_functions["static"] = static
    app.jinja_env.globals["asset"] = asset
