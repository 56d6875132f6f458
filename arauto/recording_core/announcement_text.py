"""Announcements as lines of text, as the Lua scripts write them too (pure)."""

import re
from collections.abc import Callable

from arauto.protocol.log_position import Position
from arauto.recording_core.announcements import (
    Announcement,
    Appended,
    Closed,
    Mark,
    Marked,
    Renewed,
    Resumed,
    Stopped,
)

_EPOCH = r"([0-9a-f]{1,32})"
_N = r"(\d{1,15})"
_NAME = r"([0-9a-f]{1,32}\.\d{1,15})"
_DIGESTS = r"(\d{1,10}(?:,\d{1,10})*)"
_FORMS = {
    "appended": re.compile(rf"appended {_EPOCH} {_N} {_N} {_N} {_N} {_DIGESTS}", re.ASCII),
    "resumed": re.compile(rf"resumed {_EPOCH} {_N} {_N} {_N} {_N} {_N} {_DIGESTS}?( lossy)?", re.ASCII),
    "renewed": re.compile(rf"renewed {_EPOCH} {_N} {_N}", re.ASCII),
    "closed": re.compile(rf"closed {_EPOCH} {_N} {_N}", re.ASCII),
    "stopped": re.compile(rf"stopped {_N} ([ -~]{{1,200}})", re.ASCII),
    "mark": re.compile(f"mark {_NAME}", re.ASCII),
    "marked": re.compile(rf"marked {_NAME} {_EPOCH} {_N} {_N} {_N}", re.ASCII),
}


def read_announcement(data: bytes) -> Announcement | None:
    """``None``: not an announcement. Any client with permission to publish there can send anything."""
    text = data.decode("ascii", "replace")
    kind = text.partition(" ")[0]
    found = kind in _FORMS and _FORMS[kind].fullmatch(text)
    return _READERS[kind](*found.groups()) if found else None


def write_announcement(announcement: Mark | Marked | Stopped) -> bytes:
    """The announcements that a process publishes itself; the Lua scripts publish the others."""
    if isinstance(announcement, Stopped):
        why = announcement.why.encode("ascii", "replace").decode()
        return f"stopped {announcement.since} {''.join(filter(str.isprintable, why))[:200]}".encode()
    if isinstance(announcement, Mark):
        return f"mark {announcement.name}".encode()
    at = announcement.position
    return f"marked {announcement.name} {at.epoch} {at.ms} {at.number} {announcement.written}".encode()


def _read_appended(epoch: str, ms: str, first: str, token: str, until: str, digests: str) -> Announcement:
    return Appended(epoch, int(first), _read_digests(digests), int(token), int(until), int(ms))


def _read_resumed(
    epoch: str, ms: str, number: str, since: str, at: str, token: str, left: str | None, lossy: str | None
) -> Announcement:
    position = Position(epoch, int(number), int(ms))
    return Resumed(position, int(since), int(at), int(token), _read_digests(left or ""), bool(lossy))


def _read_renewed(epoch: str, ms: str, number: str) -> Announcement:
    return Renewed(Position(epoch, int(number), int(ms)))


def _read_closed(epoch: str, ms: str, number: str) -> Announcement:
    return Closed(Position(epoch, int(number), int(ms)))


def _read_marked(name: str, epoch: str, ms: str, number: str, written: str) -> Announcement:
    return Marked(name, Position(epoch, int(number), int(ms)), int(written))


def _read_digests(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(","))) if text else ()


_READERS: dict[str, Callable[..., Announcement]] = {
    "appended": _read_appended,
    "resumed": _read_resumed,
    "renewed": _read_renewed,
    "closed": _read_closed,
    "stopped": lambda since, why: Stopped(int(since), why),
    "mark": Mark,
    "marked": _read_marked,
}
