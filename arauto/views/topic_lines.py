"""What a topic keeps, as lines of JSON."""

from typing import Any

import orjson

from arauto.protocol.json_members import data_of, either
from arauto.protocol.topics import Record, TopicEntry, Trimmed


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
    """The key, the headers and the data; ``None`` is what there is not."""
    headers = [{"name": name} | either("value", value) for name, value in record.headers or []]
    told: dict[str, Any] = {"headers": headers} if headers else {}
    if record.headers is None:
        told = {"headers_unreadable": True}
    data = {"data": None} if record.data is None else data_of(record.data, len(record.data))
    return either("key", record.key) | told | data


def _time(record: Record) -> dict[str, Any]:
    if record.ms is None:
        return {}
    return {"at": record.ms / 1000, "clock": "broker" if record.is_broker_time else "producer"}
