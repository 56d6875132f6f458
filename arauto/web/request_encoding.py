"""Rejects requests that are not UTF-8: Werkzeug would replace the bytes."""

import json
import re
from collections.abc import Mapping
from io import BytesIO
from typing import IO, Any
from urllib.parse import unquote_to_bytes

import flask
from flask import Flask, abort, request
from werkzeug.datastructures import Headers, MultiDict
from werkzeug.formparser import FormDataParser, MultiPartParser
from werkzeug.http import parse_options_header

from arauto.i18n.gettext import gettext
from arauto.text.utf8 import has_half_characters, is_utf8

_CHARSETS = ("utf-8", "utf8", "us-ascii", "ascii")
_MULTIPART, _URLENCODED = "multipart/form-data", "application/x-www-form-urlencoded"

_HALF = re.compile(rb"\\u[dD][89a-fA-F]")  # the first or second half of a surrogate pair


class _Fields(list[tuple[str, Any]]):
    """The members of a JSON object, duplicates included."""


class _Parts(MultiPartParser):
    """Refuses other charsets: Werkzeug would decode a part as Latin-1 if it says so."""

    def get_part_charset(self, headers: Headers) -> str:
        _check_charset(parse_options_header(headers.get("content-type"))[1])
        return "utf-8"


class Form(FormDataParser):
    """A form whose bytes are all UTF-8, with each field once."""

    def parse(
        self, stream: IO[bytes], mimetype: str, content_length: int | None, options: Any = None
    ) -> tuple[IO[bytes], Any, Any]:
        if mimetype not in (_MULTIPART, _URLENCODED):
            return super().parse(stream, mimetype, content_length, options)
        body = stream.read() + stream.read(1)  # the first read ends at the limit, the second raises
        check_body(body if mimetype == _MULTIPART else unquote_to_bytes(body))
        self.silent = False
        try:
            parsed = super().parse(BytesIO(body), mimetype, content_length, options)
        except ValueError:
            abort(400, gettext("The form cannot be read: nothing was done."))
        if parsed[2]:
            abort(400, gettext("Send text and no file: curl does with -F 'message=<note.txt'."))
        _check_once(parsed[1])
        return parsed

    def _parse_multipart(
        self, stream: IO[bytes], mimetype: str, content_length: int | None, options: dict[str, str]
    ) -> tuple[IO[bytes], Any, Any]:
        boundary = options.get("boundary", "").encode("ascii")
        if not boundary:
            raise ValueError
        parts = _Parts(
            self.stream_factory, self.max_form_memory_size, self.cls, max_form_parts=self.max_form_parts
        )
        return stream, *parts.parse(stream, boundary, content_length)


class Request(flask.Request):
    """Parses its forms with :class:`Form`."""

    form_data_parser_class = Form


def init_request_encoding(app: Flask) -> None:
    """Check the URL of every request, and its body when it is read."""
    app.request_class = Request
    app.before_request(_check_address)
    app.before_request(lambda: _check_charset(request.mimetype_params))
    app.before_request(_check_coding)


def _check_address() -> None:
    path = request.environ.get("PATH_INFO", "").encode("latin1")
    if not (is_utf8(path) and is_utf8(unquote_to_bytes(request.query_string))):
        request.query_string = b""  # the response may be a page with links to itself
        abort(400, gettext("The address is not UTF-8: encode it in UTF-8 before you percent-encode it."))


def _check_charset(parameters: Mapping[str, str]) -> None:
    charset = parameters.get("charset", "utf-8")
    if charset.lower() not in _CHARSETS:
        abort(415, gettext("Send it in UTF-8: %(charset)s is not supported.", charset=charset[:50]))


def _check_coding() -> None:
    coding = request.headers.get("Content-Encoding", "")
    if coding.lower() not in ("", "identity"):
        abort(415, gettext("Send the body uncompressed: %(coding)s is not supported.", coding=coding[:50]))


def check_body(body: bytes) -> None:
    """Reject a request whose body is not UTF-8."""
    if not is_utf8(body):
        abort(400, gettext("The body is not UTF-8: send it in UTF-8. Nothing was done."))


def read_json() -> Any:
    """The body of this request; ``None``: it is not JSON."""
    body = request.get_data() + request.stream.read(1)  # see above
    check_body(body)
    if _HALF.search(body) and has_half_characters(body):
        abort(400, gettext("The body has an unpaired surrogate, such as \\ud83d: send whole characters."))
    try:
        # orjson keeps only the last of duplicate fields, and may crash when memory is short.
        given = json.loads(body.decode(), object_pairs_hook=_Fields, parse_constant=_refuse)
        plain = _plain(given)
    except (ValueError, RecursionError):
        return None
    if isinstance(given, _Fields):
        _check_once(MultiDict(given))
    return plain


def _plain(given: Any) -> Any:
    if isinstance(given, _Fields):
        return {name: _plain(value) for name, value in given}
    return [_plain(one) for one in given] if isinstance(given, list) else given


def _refuse(constant: str) -> None:
    raise ValueError(constant)  # NaN is not JSON


def _check_once(form: MultiDict[str, Any]) -> None:
    for name, values in form.lists():
        if len(values) > 1:
            abort(400, gettext("Send the field %(name)s once: nothing was done.", name=name[:50]))
