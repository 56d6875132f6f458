"""The stored messages of a topic as lines of JSON."""

import logging
from collections.abc import Iterator
from time import monotonic
from typing import Any

import orjson

from arauto.filter.query import Filter
from arauto.i18n.gettext import gettext
from arauto.protocol.json_members import data_of, either
from arauto.protocol.log_query import DEFAULT_LIMIT
from arauto.protocol.topics import Offsets, Record, TopicEntry, Trimmed, write_places
from arauto.refusal import Refusal
from arauto.sources.topic_reading import TopicReading
from arauto.system.concurrency import let_others_run
from arauto.views.history_lines import BYTES, SECONDS

TURN = 100  # messages, after which other requests have their turn
TURN_SEARCHED = 50  # the same while searching

log = logging.getLogger("arauto")


def all_lines(reading: TopicReading, topic: str, limit: int | None) -> Iterator[bytes]:
    """A chunk of lines for each page. At the default limit, ``more`` says where to go on."""
    left = limit or DEFAULT_LIMIT
    while left and not reading.is_over:
        page = reading.page(left)
        left -= sum(isinstance(entry, Record) for entry in page)
        for start in range(0, len(page), TURN):
            yield write_lines(topic, page[start : start + TURN])
            let_others_run()
    if not reading.is_over and not limit:
        yield orjson.dumps({"more": write_places(reading.places)}) + b"\n"


def found_lines(reading: TopicReading, topic: str, wanted: Filter, limit: int | None) -> Iterator[bytes]:
    """The messages that pass the filter, and each gap, found within a second.

    The last line has how many were searched, up to when, and how many are left; without ``more`` the search
    is complete.
    """
    left, weight, searched, newest = limit or DEFAULT_LIMIT, 0, 0, 0
    end = monotonic() + SECONDS
    rest: list[TopicEntry] = []
    while left and not (rest or reading.is_over) and weight < BYTES and monotonic() < end:
        page, found = reading.page(DEFAULT_LIMIT), []
        for at, entry in enumerate(page):
            if at % TURN_SEARCHED == 0:
                let_others_run()
            if not left or (at % TURN_SEARCHED == 0 and at and monotonic() >= end):
                rest = page[at:]
                break
            if isinstance(entry, Record):
                searched, newest = searched + 1, max(newest, entry.ms or 0)
                if not wanted.passes(topic, entry.data or b""):
                    continue
                left -= 1
            found.append(entry)
        lines = write_lines(topic, found)
        weight += len(lines)
        if lines:
            yield lines
    places = reading.places | _first_of(rest)
    summary: dict[str, Any] = {"searched": searched} | ({"at": newest / 1000} if newest else {})
    if places:
        n = reading.left + sum(isinstance(entry, Record) for entry in rest)
        summary |= {"left": n, "more": write_places(places)}
    yield orjson.dumps(summary, option=orjson.OPT_APPEND_NEWLINE)


def _first_of(entries: list[TopicEntry]) -> Offsets:
    return {entry.partition: entry.offset for entry in reversed(entries)}


def to_the_end(lines: Iterator[bytes], topic: str) -> Iterator[bytes]:
    """Append a line with the error if reading fails after the first chunk."""
    has_begun = False
    try:
        for chunk in lines:
            yield chunk
            has_begun = True
    except Exception as error:
        if not has_begun:
            raise
        if isinstance(error, Refusal):
            sentence = str(error)
        else:
            log.exception("topic failed topic=%r", topic)
            sentence = gettext("Internal error. See the server log.")
        yield orjson.dumps({"error": sentence}) + b"\n"


def write_lines(topic: str, entries: list[TopicEntry]) -> bytes:
    """One line for each message, and for each gap."""
    return b"".join(
        [orjson.dumps(_event(topic, entry), option=orjson.OPT_APPEND_NEWLINE) for entry in entries]
    )


def _event(topic: str, entry: TopicEntry) -> dict[str, Any]:
    place = {"topic": topic, "partition": entry.partition, "offset": entry.offset}
    if isinstance(entry, Trimmed):
        return {"type": "gap", **place, "missing": entry.low - entry.offset, "reason": "retention"}
    return place | _content(entry) | _time(entry)


def _content(record: Record) -> dict[str, Any]:
    """The key, the headers and the data; ``None`` if there is no key or no data."""
    headers = [{"name": name} | either("value", value) for name, value in record.headers or []]
    shown: dict[str, Any] = {"headers": headers} if headers else {}
    if record.headers is None:
        shown = {"headers_unreadable": True}
    data = {"data": None} if record.data is None else data_of(record.data, len(record.data))
    return either("key", record.key) | shown | data


def _time(record: Record) -> dict[str, Any]:
    if record.ms is None:
        return {}
    return {"at": record.ms / 1000, "clock": "broker" if record.is_broker_time else "producer"}
