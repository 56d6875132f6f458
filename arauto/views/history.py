"""GET /channels/messages?channel=<name>: the stored messages of a channel as NDJSON."""

from collections.abc import Iterator
from itertools import chain

import orjson
from flask import Flask, Response, abort, request

from arauto.auth.audit import Actor, Audit
from arauto.auth.permissions import NoRight
from arauto.auth.visitor import current_visitor
from arauto.i18n.gettext import gettext
from arauto.protocol.events import data_of, hole_event, named
from arauto.protocol.log_entries import Hole, LogEntry, Message
from arauto.protocol.log_query import DEFAULT_LIMIT, read_limit, read_point
from arauto.refusal import Refusal
from arauto.sources.source import Source, SourceError
from arauto.web.channel_argument import requested_channel

MIMETYPE = "application/x-ndjson"


def init_history(app: Flask, source: Source, audit: Audit) -> None:
    """Add the route."""

    @app.get("/channels/messages")
    @app.get("/channels/<channel:name>/messages")
    def messages(name: str = "") -> Response:
        channel = requested_channel(name)
        since = read_point(request.args.get("since") or "first")
        until = read_point(request.args["until"]) if request.args.get("until") else None
        limit = read_limit(request.args["limit"]) if request.args.get("limit") else None
        try:
            source.check_reading(current_visitor(), channel)
        except NoRight:
            audit.note("reading refused", Actor.of(current_visitor()), channel=channel.decode())
            raise
        lines = _lines(source.read(channel, since, until), channel, limit)
        try:
            first = next(lines, b"")
        except SourceError as error:
            if error.is_refusal:
                abort(502, gettext("Redis refuses to read the recording: %(words)s", words=str(error)))
            raise Refusal(gettext("Redis does not answer."), 503, retry_after=1) from None
        answer = Response(chain([first], lines), mimetype=MIMETYPE)
        answer.headers["Cache-Control"] = "no-store"
        return answer


def _lines(pages: Iterator[list[LogEntry]], channel: bytes, limit: int | None) -> Iterator[bytes]:
    """One chunk of lines for each page of the log; what ends early, and was not asked to, says why."""
    left = limit or DEFAULT_LIMIT
    began, more = False, b""
    try:
        for page in pages:
            began = True
            if not left:
                yield more
                return
            taken, left = _cut(page, left)
            yield _write(channel, taken)
            if not left and limit:
                return
            if not left:
                more = orjson.dumps({"more": str(taken[-1].id)}) + b"\n"
            if len(taken) < len(page):
                yield more
                return
    except SourceError as error:
        if not began:
            raise
        yield orjson.dumps({"error": str(error)}) + b"\n"


def _cut(page: list[LogEntry], limit: int) -> tuple[list[LogEntry], int]:
    """The beginning of the page that has at most ``limit`` messages, and how many are left over."""
    if len(page) < limit:
        return page, limit - sum([isinstance(found, Message) for found in page])
    for at, found in enumerate(page):
        if isinstance(found, Message):
            limit -= 1
            if not limit:
                return page[: at + 1], 0
    return page, limit


def _write(channel: bytes, page: list[LogEntry]) -> bytes:
    messages = [found for found in page if isinstance(found, Message)]
    if len(messages) == len(page):
        try:
            return _write_texts(orjson.dumps(channel.decode()), messages)
        except UnicodeDecodeError:
            pass
    return b"".join([_line(channel, found) for found in page])


def _write_texts(name: bytes, messages: list[Message]) -> bytes:
    """The same lines as :func:`_line` writes, several times as fast."""
    return b"".join(
        [
            b'{"id":"%b","channel":%b,"data":%b,"at":%.3f}\n'
            % (raw, name, orjson.dumps(data.decode()), int(raw.partition(b"-")[0]) / 1000)
            for raw, data in messages
        ]
    )


def _line(channel: bytes, found: LogEntry) -> bytes:
    if isinstance(found, Hole):
        body = hole_event(channel, found)
    else:
        body = {"id": found.raw.decode(), **named("channel", channel)}
        body |= data_of(found.data, len(found.data)) | {"at": found.id.ms / 1000}
    return orjson.dumps(body, option=orjson.OPT_APPEND_NEWLINE)
