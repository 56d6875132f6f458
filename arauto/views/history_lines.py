"""The log of a channel as lines of JSON."""

from collections.abc import Iterator
from time import monotonic

import orjson

from arauto.filter.query import Filter
from arauto.protocol.events import hole_event
from arauto.protocol.json_members import data_of, named, text
from arauto.protocol.log_entries import Hole, LogEntry, Message
from arauto.protocol.log_query import DEFAULT_LIMIT
from arauto.system.concurrency import let_others_run

SECONDS = 1.0  # of searching for one response
BYTES = 1_000_000  # of found lines in one response, and one message more
TURN = 0.01  # seconds of searching, after which other requests have their turn

Pages = Iterator[list[LogEntry]]


def all_lines(pages: Pages, channel: bytes, limit: int | None) -> Iterator[bytes]:
    """One chunk of lines for each page of the log. At the default limit, ``more`` says where to go on."""
    left = limit or DEFAULT_LIMIT
    more = b""
    for page in pages:
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


def found_lines(pages: Pages, channel: bytes, wanted: Filter, limit: int | None) -> Iterator[bytes]:
    """The messages that pass the filter, and each hole.

    The last line has how many were searched, and up to when; without ``more`` the search is complete.
    """
    name = text(channel)
    left, weight, searched = limit or DEFAULT_LIMIT, 0, 0
    last: Message | None = None
    now = monotonic()
    end, turn = now + SECONDS, now + TURN
    for page in pages:
        lines = []
        for found in page:
            if isinstance(found, Hole):
                lines.append(_line(channel, found))
                continue
            last = found
            searched += 1
            if wanted.passes(name, found.data):
                lines.append(_line(channel, found))
                left, weight = left - 1, weight + len(lines[-1])
            if (now := monotonic()) >= turn:
                let_others_run()
                turn = now + TURN
            if not left or weight >= BYTES or now >= end:
                yield b"".join([*lines, _searched(searched, last, is_all=False)])
                return
        if lines:
            yield b"".join(lines)
    yield _searched(searched, last, is_all=True)


def _searched(many: int, last: Message | None, is_all: bool) -> bytes:
    at = {"at": last.id.ms / 1000} if last else {}
    more = {"more": str(last.id)} if last and not is_all else {}
    return orjson.dumps({"searched": many} | at | more, option=orjson.OPT_APPEND_NEWLINE)


def _cut(page: list[LogEntry], limit: int) -> tuple[list[LogEntry], int]:
    """The beginning of the page, up to ``limit`` messages, and how much of the limit is left."""
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
    """The same lines as :func:`_line` makes, several times as fast."""
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
