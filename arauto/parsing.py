"""What one connection sends -> the replies in it. Equal bytes are parsed once for all.

Redis writes the same bytes to each of a thousand subscribers of a channel, so nearly every
read but the first of a message finds them parsed.
"""

from typing import Any

import hiredis

from arauto.messages import Item

_REMEMBERED = 8  # reads; subscribers that lag a little find theirs too

_spare: list[hiredis.Reader] = []
_recent: tuple[tuple[bytes, list[Item]], ...] = ()


class Parser:
    """The state of one connection: nothing, or the reader that holds the beginning of a reply."""

    __slots__ = ("_owed", "_reader")

    def __init__(self) -> None:
        self._reader: hiredis.Reader | None = None
        self._owed = 0  # bytes read that no reply has accounted for yet

    @property
    def at_boundary(self) -> bool:
        """Whether the next byte begins a reply."""
        return self._reader is None

    def parse(self, data: bytes) -> list[Item]:
        """The replies that ``data`` completes. The list is shared: do not change it.

        :raise hiredis.ProtocolError: this is not RESP.
        """
        if self._reader is None:
            for known, replies in _recent:
                if known == data:
                    return replies
        reader = self._reader or (_spare.pop() if _spare else hiredis.Reader())
        reader.feed(data)
        replies = []
        while (reply := reader.gets()) is not False:
            replies.append(reply)
        # The reader does not say whether it stands between two replies, so we count.
        self._owed += len(data) - sum(map(_size, replies))
        if self._owed:
            self._reader = reader
            return replies
        if self._reader is not None:
            self._reader = None  # it has grown with what it held, and is not kept
            return replies
        _remember(data, replies)
        if len(_spare) < _REMEMBERED:
            _spare.append(reader)
        return replies


def _size(reply: Any) -> int:
    """The bytes that ``reply`` took on the wire, in RESP2."""
    if isinstance(reply, list):
        return 3 + len(str(len(reply))) + sum(map(_part_size, reply))
    return 3 + len(reply if isinstance(reply, bytes) else str(reply).encode())  # +OK, -ERR no


def _part_size(part: bytes | int | None) -> int:
    if isinstance(part, bytes):
        n = len(part)
        return 5 + len(str(n)) + n
    return 5 if part is None else 3 + len(str(part))  # $-1, :42


def _remember(data: bytes, replies: list[Item]) -> None:
    global _recent
    _recent = ((data, replies), *_recent[: _REMEMBERED - 1])
