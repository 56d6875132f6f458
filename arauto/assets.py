"""The files of ``static`` as they are sent: scripts and styles small and packed, all styles in one."""

import gzip
from pathlib import Path, PurePath

from flask import Flask, Response, request
from werkzeug.wrappers import Response as BaseResponse

from arauto.minifier import STATIC, TYPES

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
    "menu",
    "welcome",
    "publish",
    "dialog",
    "answer",
    "utilities",
]


def init_assets(app: Flask, small: dict[str, str]) -> None:
    """Send what ``small`` has by a file's path instead of the file."""
    texts = {name: text.encode() for name, text in small.items()}
    sheets = [f"css/{name}.css" for name in _SHEETS]
    texts[STYLES] = b"".join(texts.get(path) or Path(STATIC, path).read_bytes() for path in sheets)
    packed = {name: gzip.compress(text, mtime=0) for name, text in texts.items()}

    def static(filename: str) -> BaseResponse:
        if filename not in texts:
            return app.send_static_file(filename)
        is_packed = request.accept_encodings.quality("gzip") > 0
        body = (packed if is_packed else texts)[filename]
        response = Response(body, mimetype=TYPES[PurePath(filename).suffix])
        if is_packed:
            response.content_encoding = "gzip"
        response.vary.add("Accept-Encoding")
        response.cache_control.no_cache = True
        response.add_etag()
        return response.make_conditional(request)

    app.view_functions["static"] = static
