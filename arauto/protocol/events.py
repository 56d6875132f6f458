"""Converts Redis pushes to feed events, and events to JSON (pure)."""

from collections.abc import Callable
from typing import Any, NamedTuple

import orjson

from arauto.protocol.acknowledgements import Acknowledgement
from arauto.protocol.json_members import data_of, named
from arauto.protocol.log_entries import Hole
from arauto.protocol.log_position import Position
from arauto.protocol.topic_events import TopicItem, topic_event

Push = list[Any]
"""A push of Redis, as hiredis parses RESP2, such as ``[b"message", channel, data]``."""

CONFIRMATIONS = {
    b"subscribe": "channel",
    b"unsubscribe": "channel",
    b"psubscribe": "pattern",
    b"punsubscribe": "pattern",
    b"ssubscribe": "shard",
    b"sunsubscribe": "shard",
}


class Lost(NamedTuple):
    """The connection to Redis broke; ``at`` is the last moment it was known to work.

    ``detail`` is the error of Redis or of the system.
    """

    at: float
    detail: str


class Gap(NamedTuple):
    """The connection is back: messages between ``start`` and ``end`` may be missing."""

    start: float
    end: float


class ShardGap(NamedTuple):
    """A sharded channel is subscribed again: messages between ``start`` and ``end`` may be missing."""

    shard: bytes
    start: float
    end: float


class Refused(NamedTuple):
    """A name was refused; ``kind`` is ``channel``, ``pattern``, ``shard``, ``topic`` or ``log``.

    An empty ``kind`` means that the login was refused.
    """

    kind: str
    name: bytes
    error: str


class Numbered(NamedTuple):
    """A message with its position in the log of ``channel``.

    ``ms``: when it was written, in Unix milliseconds, if it was read from the log.
    """

    channel: bytes
    position: Position
    data: bytes
    ms: int | None = None


class LogGap(NamedTuple):
    """Messages of ``channel`` are missing, and its log does not have them."""

    channel: bytes
    hole: Hole


class Followed(NamedTuple):
    """``channel`` is recorded, and the page was shown everything up to ``position``; ``None``: unknown.

    ``since``: everything published before was shown (Unix milliseconds), if that is earlier than follows from
    the position.
    """

    channel: bytes
    position: Position | None
    since: int | None = None


class Halted(NamedTuple):
    """``channel`` is not recorded since then (Unix milliseconds), and why; empty: recording has resumed."""

    channel: bytes
    since: int
    why: str


class Unfollowed(NamedTuple):
    """From here on ``channel`` is live only: its recording was switched off."""

    channel: bytes


class Acknowledged(NamedTuple):
    """A message of ``channel`` was taken or given back."""

    channel: bytes
    acknowledgement: Acknowledgement


class ErrorNotice(NamedTuple):
    """An error to show, as a sentence."""

    error: str


Item = (
    Push
    | Lost
    | Gap
    | ShardGap
    | Refused
    | Numbered
    | LogGap
    | Followed
    | Halted
    | Unfollowed
    | Acknowledged
    | ErrorNotice
    | TopicItem
)
Deliver = Callable[[list[Item]], None]
"""Takes a batch. An ``OSError`` that it raises ends the subscriber."""


def encode(batch: list[Item], at: float, limit: int) -> bytes:
    """One JSON text, an array of events, for all of ``batch``.

    :param at: when the batch arrived, in Unix seconds.
    :param limit: bytes of a message to include; see ``truncated`` in :func:`event`.
    """
    return orjson.dumps([event(item, at, limit) for item in batch])


def event(item: Item, at: float, limit: int) -> dict[str, Any]:
    """The event for one push of Redis or one notice of the subscriber.

    ``data`` is the text as published; bytes that are not UTF-8 are in base64, with ``encoding`` and ``size``.
    Of more than ``limit`` bytes only the beginning is included, with ``truncated`` and the full ``size``.
    """
    if isinstance(item, list):
        kind = item[0]
        if kind == b"message":
            shown = {"type": "message", **named("channel", item[1]), "at": at}
            return shown | data_of(item[2], limit)
        if kind == b"smessage":
            return {"type": "smessage", **named("shard", item[1]), "at": at} | data_of(item[2], limit)
        if kind == b"pmessage":
            shown = {"type": "pmessage", **named("pattern", item[1]), **named("channel", item[2])}
            return shown | {"at": at} | data_of(item[3], limit)
        return {"type": kind.decode(), **named(CONFIRMATIONS[kind], item[1]), "at": at}
    if isinstance(item, TopicItem):
        return topic_event(item, at, limit)
    if isinstance(item, Unfollowed):
        return {"type": "unrecorded", **named("channel", item.channel)}
    if isinstance(item, ErrorNotice):
        return {"type": "error", "error": item.error}
    if isinstance(item, Numbered):
        shown = {"type": "message", **named("channel", item.channel), "id": item.position.id}
        past = {"at": at} if item.ms is None else {"at": item.ms / 1000, "past": True}
        return shown | past | data_of(item.data, limit)
    if isinstance(item, LogGap):
        return hole_event(*item)
    if isinstance(item, Followed):
        return _following(item)
    if isinstance(item, Halted):
        shown = {"type": "stopped", **named("channel", item.channel)}
        return shown | {"from": item.since / 1000, "error": item.why}
    if isinstance(item, Acknowledged):
        return {"type": "acknowledged", **named("channel", item.channel)} | acknowledged(item.acknowledgement)
    if isinstance(item, Lost):
        return {"type": "reconnecting", "from": item.at, "reason": "redis", "detail": item.detail}
    if isinstance(item, Gap):
        return {"type": "gap", "from": item.start, "to": item.end, "reason": "redis"}
    if isinstance(item, ShardGap):
        span = {"from": item.start, "to": item.end}
        return {"type": "gap", **named("shard", item.shard), **span, "reason": "shard"}
    refused = named(item.kind, item.name) if item.kind else {}
    return {"type": "refused", **refused, "error": item.error}


def _following(item: Followed) -> dict[str, Any]:
    place = item.position and {"epoch": item.position.epoch, "id": item.position.id}
    since = {} if item.since is None else {"since": item.since / 1000}
    return {"type": "following", **named("channel", item.channel)} | (place or {}) | since


def acknowledged(one: Acknowledgement) -> dict[str, Any]:
    """An acknowledgement as JSON members, the same on a WebSocket as in an HTTP answer."""
    return {"id": one.id} | ({"by": one.by, "since": one.since / 1000} if one.by else {})


def hole_event(channel: bytes, hole: Hole) -> dict[str, Any]:
    """A hole in a log as an event, the same on a WebSocket as in an HTTP answer.

    Its start may be by Redis's clock and its end by ours, so make sure that it does not end before it starts.
    """
    missing = {} if hole.missing is None else {"missing": hole.missing}
    return {
        "type": "gap",
        **named("channel", channel),
        "from": hole.start / 1000,
        "to": max(hole.start, hole.end) / 1000,
        "reason": hole.reason,
    } | missing


def encode_error(sentence: str) -> bytes:
    """The event for a refused change of the selection."""
    return orjson.dumps([{"type": "error", "error": sentence}])
