"""Parses RESP replies; equal bytes are parsed once for all connections.

Redis sends the same bytes to each of a thousand subscribers of a channel, so nearly every read but the
first finds them parsed. If more is buffered than one read takes, the pieces are equal too, since each begins
where the last whole reply of the piece before has ended.
"""

from typing import Any

import hiredis

from arauto.net.nonblocking_socket import READ_SIZE
from arauto.protocol.events import Item

_REMEMBERED = 16  # pieces; slightly slower subscribers find theirs too

_spare: list[hiredis.Reader] = []
_recent: tuple[tuple[bytes, list[Item], int], ...] = ()


def shared(replies: list[Item]) -> list[Item]:
    """Another connection's list of the same replies, if there is one: its frame can be shared."""
    return next((known for _, known, _ in _recent if known == replies), replies)


class Parser:
    """The state of one connection: the bytes of an incomplete reply."""

    __slots__ = ("_owed", "_reader", "_rest")

    def __init__(self) -> None:
        self._rest = b""
        self._reader: hiredis.Reader | None = None  # for a reply that is larger than a piece ...
        self._owed = 0  # ... and so many bytes of it

    @property
    def at_boundary(self) -> bool:
        """Whether the next byte begins a reply."""
        return self._reader is None and not self._rest

    @property
    def wanted(self) -> int:
        """How many bytes to read, so that all connections read the same pieces."""
        return READ_SIZE - len(self._rest)

    def parse(self, data: bytes) -> list[Item]:
        """The replies that ``data`` completes. The list is shared: do not change it.

        :raise hiredis.ProtocolError: this is not RESP.
        """
        if self._reader is not None:
            return self._parse_large(self._reader, data)
        if self._rest:
            data, self._rest = self._rest + data, b""
        for known, replies, taken in _recent:
            if known == data:
                self._rest = data[taken:]
                return replies
        reader = _spare.pop() if _spare else hiredis.Reader()
        replies = _feed(reader, data)
        # The reader does not expose whether it is between two replies, so count bytes.
        taken = sum(map(_size, replies))
        if len(data) - taken >= READ_SIZE:
            self._reader, self._owed = reader, len(data) - taken
            return replies
        if not any(isinstance(reply, list) and reply[0] == b"pong" for reply in replies):
            _remember(data, replies, taken)  # no other connection receives a reply to a probe at this place
        self._rest = data[taken:]
        if not self._rest and len(_spare) < _REMEMBERED:  # else it holds the rest, and is not reused
            _spare.append(reader)
        return replies

    def _parse_large(self, reader: hiredis.Reader, data: bytes) -> list[Item]:
        replies = _feed(reader, data)
        self._owed += len(data) - sum(map(_size, replies))
        if replies:
            self._reader = None  # it has grown, and is not reused
            self._rest = data[len(data) - self._owed :]
        return replies


def _feed(reader: hiredis.Reader, data: bytes) -> list[Item]:
    reader.feed(data)
    replies = []
    while (reply := reader.gets()) is not False:
        replies.append(reply)
    return replies


def _size(reply: Any) -> int:
    """The bytes of ``reply`` in RESP2."""
    if isinstance(reply, list):
        return 3 + len(str(len(reply))) + sum(map(_part_size, reply))
    return 3 + len(reply if isinstance(reply, bytes) else str(reply).encode())  # +OK, -ERR no


def _part_size(part: bytes | int | None) -> int:
    if isinstance(part, bytes):
        n = len(part)
        return 5 + len(str(n)) + n
    return 5 if part is None else 3 + len(str(part))  # $-1, :42


def _remember(data: bytes, replies: list[Item], taken: int) -> None:
    global _recent
    _recent = ((data, replies, taken), *_recent[: _REMEMBERED - 1])
