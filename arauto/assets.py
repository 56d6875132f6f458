"""The files of ``static`` as they are sent: scripts and styles made small where they can be."""

from pathlib import PurePath

from flask import Flask, Response, request
from werkzeug.wrappers import Response as BaseResponse

from arauto.minifier import TYPES


def init_assets(app: Flask, small: dict[str, str]) -> None:
    """Send what ``small`` has by a file's path instead of the file."""

    def static(filename: str) -> BaseResponse:
        if filename not in small:
            return app.send_static_file(filename)
        response = Response(small[filename], mimetype=TYPES[PurePath(filename).suffix])
        response.cache_control.no_cache = True
        response.add_etag()
        return response.make_conditional(request)

    app.view_functions["static"] = static
