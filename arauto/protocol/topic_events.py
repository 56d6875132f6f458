"""Events about topics, and their JSON (pure)."""

from typing import Any, Literal, NamedTuple

from arauto.protocol.json_members import data_of, either
from arauto.protocol.topics import NONE, Offsets, Record, write_places

MEMBER_LIMIT = 1000  # bytes of a key, and of a header's value, in a feed
HEADERS_LIMIT = 100  # headers of a message in a feed


class Produced(NamedTuple):
    """A message of ``topic``. ``is_past``: it is older than the feed."""

    topic: str
    record: Record
    is_past: bool = False


class TopicGap(NamedTuple):
    """Messages of ``topic`` are missing: in ``partition``, from ``offset`` on, at most ``missing``.

    ``None``: in all partitions, or unknown.
    """

    topic: str
    reason: Literal["retention", "truncated", "replaced", "leaderless", "behind", "deleted"]
    partition: int | None = None
    offset: int | None = None
    missing: int | None = None


class TopicChosen(NamedTuple):
    """``topic``, a partition of it, or a glob was added to the selection or removed."""

    topic: str
    is_added: bool


class TopicFollowed(NamedTuple):
    """Everything in ``topic`` before ``places`` was shown. ``epoch``: the topic's id.

    ``leaders``: see :class:`~arauto.protocol.topics.TopicPlace`.
    """

    topic: str
    epoch: str
    places: Offsets
    leaders: Offsets = NONE


class TopicAway(NamedTuple):
    """``topic`` or a part of it cannot be read now; the text is a sentence to be shown."""

    topic: str
    error: str


class TopicsMatched(NamedTuple):
    """A glob selects ``topics``. ``left_out`` are further matches that are not read; ``error`` says why."""

    glob: str
    topics: list[str]
    left_out: list[str]
    error: str


TopicItem = Produced | TopicGap | TopicChosen | TopicFollowed | TopicAway | TopicsMatched


def topic_event(item: TopicItem, at: float, limit: int) -> dict[str, Any]:
    """The event as JSON; see :func:`arauto.protocol.events.event`."""
    if isinstance(item, TopicsMatched):
        why = {"left_out": item.left_out, "error": item.error} if item.left_out else {}
        return {"type": "matched", "topic": item.glob, "topics": item.topics} | why
    topic = {"topic": item.topic}
    if isinstance(item, Produced):
        return {"type": "tmessage", **topic} | _produced(item.record, item.is_past, at, limit)
    if isinstance(item, TopicGap):
        known = {name: value for name, value in item._asdict().items() if value is not None}
        return {"type": "gap", **known, "from": at, "to": at}
    if isinstance(item, TopicChosen):
        return {"type": "tsubscribe" if item.is_added else "tunsubscribe", **topic, "at": at}
    if isinstance(item, TopicFollowed):
        epoch = f"{item.epoch}.{write_places(item.leaders)}" if item.leaders else item.epoch
        return {"type": "following", **topic, "epoch": epoch, "places": write_places(item.places)}
    return {"type": "away", **topic, "error": item.error}


def _produced(record: Record, is_past: bool, at: float, limit: int) -> dict[str, Any]:
    shown: dict[str, Any] = {"partition": record.partition, "offset": record.offset, "at": at}
    if record.ms is not None:
        shown |= {"time": record.ms / 1000, "clock": "broker" if record.is_broker_time else "producer"}
    if is_past:
        shown |= {"at": shown.get("time", at), "past": True}
    shown |= _beginning("key", "key_size", record.key) | _headers(record)
    if record.data is None:
        return shown | {"data": "", "tombstone": True}
    return shown | data_of(record.data, limit)


def _headers(record: Record) -> dict[str, Any]:
    if record.headers is None:
        return {"headers_unreadable": True}
    if not record.headers:
        return {}
    shown = [
        {"name": name} | _beginning("value", "size", value) for name, value in record.headers[:HEADERS_LIMIT]
    ]
    left = len(record.headers) - len(shown)
    return {"headers": shown} | ({"headers_left_out": left} if left else {})


def _beginning(name: str, size: str, value: bytes | None) -> dict[str, Any]:
    """A value, or the beginning of a long one with its full size."""
    if value is None or len(value) <= MEMBER_LIMIT:
        return either(name, value)
    return either(name, _whole_characters(value[:MEMBER_LIMIT])) | {size: len(value)}


def _whole_characters(cut: bytes) -> bytes:
    """Remove a character that was cut, if it is text."""
    beginning = cut.decode(errors="ignore").encode()
    return beginning if len(cut) - len(beginning) < 4 and cut.startswith(beginning) else cut
