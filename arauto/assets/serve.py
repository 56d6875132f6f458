"""Serves static files, with the bundled scripts and styles from memory."""

import gzip
from hashlib import sha256
from pathlib import PurePath

from flask import Flask, Response, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from arauto.assets.minifier import TYPES

_MARK = "v-"  # no directory in static begins so
_YEAR = 365 * 24 * 3600  # seconds


def init_assets(app: Flask, packed: dict[str, bytes]) -> None:
    """Serve the files of ``packed`` at their paths in ``static``, decompressed for clients without gzip.

    Templates have ``asset(path)``: a URL that changes when any file does, so that browsers cache files
    without revalidation. Scripts import each other by relative paths, so one version in the path of the
    first is enough.
    """
    plain = {name: gzip.decompress(body) for name, body in packed.items()}
    version = _MARK + sha256(b"".join(plain[name] for name in sorted(plain))).hexdigest()[:12]

    def static(filename: str) -> BaseResponse:
        first, _, rest = filename.partition("/")
        name = rest if first.startswith(_MARK) else filename
        if name not in plain:
            return app.send_static_file(name)
        is_packed = request.accept_encodings.quality("gzip") > 0
        body = (packed if is_packed else plain)[name]
        response = Response(body, mimetype=TYPES[PurePath(name).suffix])
        if is_packed:
            response.content_encoding = "gzip"
        response.vary.add("Accept-Encoding")
        if first == version:
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
