"""A Redis push -> a feed event; bytes -> text or base64. Knows no thread and no socket."""

import base64
import codecs
from typing import Any, NamedTuple

import orjson

Push = list[Any]
"""What Redis pushes, as hiredis parses RESP2: ``[b"message", channel, data]`` and the like."""

CONFIRMATIONS = {
    b"subscribe": "channel",
    b"unsubscribe": "channel",
    b"psubscribe": "pattern",
    b"punsubscribe": "pattern",
}


class Lost(NamedTuple):
    """The link to Redis broke; ``at`` is the last moment it was known to work.

    ``detail`` is what Redis or the system said about it, in their own words.
    """

    at: float
    detail: str


class Gap(NamedTuple):
    """The link is back: what was published between ``start`` and ``end`` is unknown."""

    start: float
    end: float


class Refused(NamedTuple):
    """Redis refuses; ``kind`` is ``channel`` or ``pattern``, or empty: it refuses us altogether."""

    kind: str
    name: bytes
    error: str


Item = Push | Lost | Gap | Refused


def encode(batch: list[Item], at: float, limit: int) -> bytes:
    """One JSON text, an array of events, for all of ``batch``.

    :param at: when the batch arrived, in Unix seconds.
    :param limit: bytes of a message that are shown; see ``truncated`` in :func:`event`.
    """
    return orjson.dumps([event(item, at, limit) for item in batch])


def event(item: Item, at: float, limit: int) -> dict[str, Any]:
    """The event that the page gets for one push of Redis or one notice of the subscriber.

    ``data`` is the text as published; bytes that are not UTF-8 come in base64 with
    ``encoding`` and their ``size``. Of more than ``limit`` bytes only the beginning comes,
    with ``truncated`` and the true ``size``.
    """
    if isinstance(item, list):
        kind = item[0]
        if kind == b"message":
            shown = {"type": "message", "channel": text(item[1]), "at": at}
            return shown | _data(item[2], limit)
        if kind == b"pmessage":
            shown = {"type": "pmessage", "pattern": text(item[1]), "channel": text(item[2]), "at": at}
            return shown | _data(item[3], limit)
        return {"type": kind.decode(), CONFIRMATIONS[kind]: text(item[1]), "at": at}
    if isinstance(item, Lost):
        return {"type": "reconnecting", "from": item.at, "reason": "redis", "detail": item.detail}
    if isinstance(item, Gap):
        return {"type": "gap", "from": item.start, "to": item.end, "reason": "redis"}
    named = {item.kind: text(item.name)} if item.kind else {}
    return {"type": "refused", **named, "error": item.error}


def encode_error(sentence: str) -> bytes:
    """What the page gets when a change of its selection is not accepted."""
    return orjson.dumps([{"type": "error", "error": sentence}])


def text(name: bytes) -> str:
    """A channel's or pattern's name for people: bytes that are not UTF-8 stay visible."""
    return name.decode(errors="backslashreplace")


def _data(data: bytes, limit: int) -> dict[str, Any]:
    try:
        if len(data) <= limit:
            return {"data": data.decode()}
        # An incremental decoder leaves out the character that the cut went through.
        beginning = codecs.getincrementaldecoder("utf-8")().decode(data[:limit])
        return {"data": beginning, "truncated": True, "size": len(data)}
    except UnicodeDecodeError:
        shown = base64.b64encode(data[:limit]).decode()
        cut = {"truncated": True} if len(data) > limit else {}
        return {"data": shown, "encoding": "base64", "size": len(data)} | cut
