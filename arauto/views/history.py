"""GET /channels/messages?channel=<name>: the log of a channel as NDJSON, or what a filter finds in it.

GET /channels/volume?channel=<name>: how many messages the log has, over time.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any

import orjson
from flask import Flask, Response, abort, jsonify

from arauto.auth.audit import Actor, Audit
from arauto.auth.permissions import NoRight
from arauto.auth.visitor import current_visitor
from arauto.filter.query import read_filter
from arauto.i18n.gettext import gettext
from arauto.protocol.json_members import named
from arauto.protocol.log_entries import Volume
from arauto.protocol.log_query import Point, read_limit, read_parts, read_point
from arauto.refusal import Refusal
from arauto.sources.source import Source, SourceError
from arauto.views.history_lines import all_lines, found_lines
from arauto.web.arguments import arguments
from arauto.web.channel_argument import requested_channel

MIMETYPE = "application/x-ndjson"
NO_VOLUME = Volume(0, 0, [], [])


def init_history(app: Flask, source: Source, audit: Audit) -> None:
    """Add the routes."""

    @app.get("/channels/messages")
    @app.get("/channels/<channel:name>/messages")
    def messages(name: str = "") -> Response:
        channel = requested_channel(name)
        since, until, limit, filter = arguments("since", "until", "limit", "filter")
        span = _span(since, until)
        most = read_limit(limit) if limit else None
        wanted = read_filter(filter) if filter else None
        check_reading(source, audit, channel)
        pages = source.read(channel, *span)
        lines = _to_the_end(
            found_lines(pages, channel, wanted, most) if wanted else all_lines(pages, channel, most)
        )
        with _refusals():
            first = next(lines, b"")
        answer = Response(chain([first], lines), mimetype=MIMETYPE)
        answer.headers["Cache-Control"] = "no-store"
        return answer

    @app.get("/channels/volume")
    @app.get("/channels/<channel:name>/volume")
    def volume(name: str = "") -> Response:
        channel = requested_channel(name)
        since, until, parts = arguments("since", "until", "parts")
        span, many = _span(since, until), read_parts(parts or "1")
        check_reading(source, audit, channel)
        with _refusals():
            found = source.volume(channel, *span, many)
        answer = jsonify({**named("channel", channel), **volume_members(found or NO_VOLUME)})
        answer.headers["Cache-Control"] = "no-store"
        return answer


def check_reading(source: Source, audit: Audit, channel: bytes) -> None:
    """:raise NoRight: this visitor may not read the channel's log."""
    try:
        source.check_reading(current_visitor(), channel)
    except NoRight:
        audit.note("reading refused", Actor.of(current_visitor()), channel=channel.decode())
        raise


def _span(since: str, until: str) -> tuple[Point, Point | None]:
    """The span from ``since`` (or the first message) to ``until`` (or the end)."""
    return read_point(since or "first"), read_point(until) if until else None


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except SourceError as error:
        if error.is_refusal:
            abort(502, gettext("Redis refuses to read the recording: %(words)s", words=str(error)))
        raise Refusal(gettext("Redis does not answer."), 503, retry_after=1) from None


def volume_members(found: Volume) -> dict[str, Any]:
    """The span, its counts and its gaps as JSON members."""
    gaps = [[start / 1000, end / 1000] for start, end in found.holes]
    return {"from": found.start / 1000, "to": found.end / 1000, "counts": found.counts, "gaps": gaps}


def _to_the_end(lines: Iterator[bytes]) -> Iterator[bytes]:
    """Append a line with the error if the source fails after the first chunk."""
    began = False
    try:
        for chunk in lines:
            began = True
            yield chunk
    except SourceError as error:
        if not began:
            raise
        yield orjson.dumps({"error": str(error)}) + b"\n"
