"""A Redis push -> a feed event; bytes -> text or base64. Knows no thread and no socket."""

import base64
import codecs
from typing import Any, NamedTuple

import orjson

from arauto.logs import Hole, Id, Marker, Position, Stop, channel_of, is_ids

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


class Numbered(NamedTuple):
    """A message out of the log of ``channel``; or, without ``data``, the id of the oldest that
    was shown and has none yet."""

    channel: bytes
    id: Id
    data: bytes | None


class LogGap(NamedTuple):
    """The log of ``channel`` cannot make whole what a page has missed."""

    channel: bytes
    hole: Hole


class Followed(NamedTuple):
    """From here on ``channel`` is numbered: what has no id yet gets one, or comes with it.

    ``pending`` is how many messages the page was shown before this that are yet to get theirs.
    """

    channel: bytes
    position: Position
    pending: int = 0


class Unfollowed(NamedTuple):
    """From here on ``channel`` is live only: its recording was switched off."""

    channel: bytes


class Complaint(NamedTuple):
    """Something that does not work as asked for; a sentence for people."""

    error: str


Item = Push | Lost | Gap | Refused | Numbered | LogGap | Followed | Unfollowed | Complaint


def encode(batch: list[Item], at: float, limit: int) -> bytes:
    """One JSON text, an array of events, for all of ``batch``.

    :param at: when the batch arrived, in Unix seconds.
    :param limit: bytes of a message that are shown; see ``truncated`` in :func:`event`.
    """
    if any(item[0] == b"smessage" for item in batch):
        events = _join([event(item, at, limit) for item in batch if _is_for_pages(item)])
        return orjson.dumps(events or [{"type": "heartbeat", "at": at}])
    return orjson.dumps([event(item, at, limit) for item in batch])


def _is_for_pages(item: Item) -> bool:
    """Not an answer to a question that is void by now, and not the words of a stranger."""
    if not isinstance(item, list) or item[0] != b"smessage":
        return True
    return is_ids(item[1]) and (Marker.read(item[2]) or Stop.read(item[2])) is not None


def _join(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give an id to the message that it came with; at the end of a batch it stays alone."""
    out: list[dict[str, Any]] = []
    for event in events:
        before = out[-1] if out else {}
        if "next" in before and event["type"] == "message" and event["channel"] == before["channel"]:
            out[-1] = event | {"id": before["id"]}
        else:
            out.append(event)
    return out


def event(item: Item, at: float, limit: int) -> dict[str, Any]:
    """The event that the page gets for one push of Redis or one notice of the subscriber.

    ``data`` is the text as published; bytes that are not UTF-8 come in base64 with
    ``encoding`` and their ``size``. Of more than ``limit`` bytes only the beginning comes,
    with ``truncated`` and the true ``size``.
    """
    if isinstance(item, list):
        kind = item[0]
        if kind == b"message":
            shown = {"type": "message", **named("channel", item[1]), "at": at}
            return shown | data_of(item[2], limit)
        if kind == b"pmessage":
            shown = {"type": "pmessage", **named("pattern", item[1]), **named("channel", item[2])}
            return shown | {"at": at} | data_of(item[3], limit)
        if kind == b"smessage" and (marker := Marker.read(item[2])):
            return _marker(channel_of(item[1]), marker)
        if kind == b"smessage" and (stop := Stop.read(item[2])):
            shown = {"type": "stopped", **named("channel", channel_of(item[1]))}
            return shown | {"from": stop.since / 1000, "error": stop.why}
        return {"type": kind.decode(), **named(CONFIRMATIONS[kind], item[1]), "at": at}
    if isinstance(item, Unfollowed):
        return {"type": "unrecorded", **named("channel", item.channel)}
    if isinstance(item, Complaint):
        return {"type": "error", "error": item.error}
    if isinstance(item, (Numbered, LogGap, Followed)):
        return _recorded(item, limit)
    if isinstance(item, Lost):
        return {"type": "reconnecting", "from": item.at, "reason": "redis", "detail": item.detail}
    if isinstance(item, Gap):
        return {"type": "gap", "from": item.start, "to": item.end, "reason": "redis"}
    refused = named(item.kind, item.name) if item.kind else {}
    return {"type": "refused", **refused, "error": item.error}


def _marker(channel: bytes, marker: Marker) -> dict[str, Any]:
    """What a recorder or a publisher says of messages that have no id on the channel itself.

    ``recorded``: the ``count`` oldest messages without an id have ``id`` and the numbers after
    it. With ``next`` it is the message that follows; with ``break`` those without an id so far
    will never have one, and the log that goes on has this ``epoch``.
    """
    told = {"type": "recorded", **named("channel", channel), "id": str(marker.position.id)}
    if marker.kind == "next":
        return told | {"next": True}
    if marker.kind == "gap":
        return told | {"count": 0, "break": True, "epoch": marker.position.epoch}
    return told | {"count": marker.many}


def _recorded(item: Numbered | LogGap | Followed, limit: int) -> dict[str, Any]:
    if isinstance(item, LogGap):
        return hole_event(*item)
    name = named("channel", item.channel)
    if isinstance(item, Followed):
        epoch, id = item.position
        pending = {"pending": item.pending} if item.pending else {}
        return {"type": "following", **name, "epoch": epoch, "id": str(id)} | pending
    if item.data is None:
        return {"type": "recorded", **name, "id": str(item.id), "count": 1}
    shown = {"type": "message", **name, "id": str(item.id), "at": item.id.ms / 1000}
    return shown | {"past": True} | data_of(item.data, limit)


def hole_event(channel: bytes, hole: Hole) -> dict[str, Any]:
    """A hole in a log, the same on a feed's socket as in an answer.

    It may begin by Redis's clock and end by ours: it does not end before it begins.
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
    """What the page gets when a change of its selection is not accepted."""
    return orjson.dumps([{"type": "error", "error": sentence}])


def named(kind: str, name: bytes) -> dict[str, str]:
    """The name of a ``channel`` or ``pattern`` in an event or an answer.

    Where it is not UTF-8, what is shown of it may be the name of another one: the bytes
    themselves are beside it in base64, as ``channel_base64``.
    """
    try:
        return {kind: name.decode()}
    except UnicodeDecodeError:
        return {kind: text(name), f"{kind}_base64": base64.b64encode(name).decode()}


def quoted(name: bytes) -> str:
    """A name for our log: no two names look alike in it."""
    try:
        return repr(name.decode())
    except UnicodeDecodeError:
        return repr(name)


def text(name: bytes) -> str:
    """A channel's or pattern's name for people: bytes that are not UTF-8 stay visible."""
    return name.decode(errors="backslashreplace")


def data_of(data: bytes, limit: int) -> dict[str, Any]:
    """The data of an event: as text or in base64, see :func:`event`."""
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
