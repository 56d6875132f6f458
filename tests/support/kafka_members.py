"""Members of consumer groups with any assignment, over Kafka's protocol: no library sends odd ones."""

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.kafka_servers import KafkaServer

_JOIN, _LEAVE, _SYNC = 11, 13, 14
_TIME = 60_000  # milliseconds


@contextmanager
def member(kafka: KafkaServer, group: str, assigned: bytes) -> Iterator[None]:
    """Join a group as its only member, with the bytes ``assigned`` as its assignment."""
    with socket.create_connection(("127.0.0.1", kafka.port)) as connection:
        times = struct.pack(">ii", _TIME, _TIME)
        protocols = struct.pack(">i", 1) + _text(b"p") + _data(b"")
        wanted = _text(group.encode()) + times + _text(b"") + _text(b"consumer") + protocols
        answer = _exchange(connection, _JOIN, 2, wanted)
        error, generation = struct.unpack(">hi", answer[4:10])
        assert error == 0
        name = _read_texts(answer[10:], 3)[2]
        me = _text(group.encode()) + struct.pack(">i", generation) + _text(name)
        assert (
            _exchange(connection, _SYNC, 0, me + struct.pack(">i", 1) + _text(name) + _data(assigned))[:2]
            == b"\0\0"
        )
        try:
            yield
        finally:
            _exchange(connection, _LEAVE, 0, _text(group.encode()) + _text(name))


def assignment(topic: bytes, *partitions: int) -> bytes:
    """An assignment as consumer libraries write it."""
    numbers = struct.pack(f">i{len(partitions)}i", len(partitions), *partitions)
    return struct.pack(">hi", 0, 1) + _text(topic) + numbers + _data(b"")


def _exchange(connection: socket.socket, kind: int, version: int, body: bytes) -> bytes:
    connection.sendall(_data(struct.pack(">hhi", kind, version, 1) + _text(b"odd") + body))
    (size,) = struct.unpack(">i", connection.recv(4, socket.MSG_WAITALL))
    return connection.recv(size, socket.MSG_WAITALL)[4:]


def _text(text: bytes) -> bytes:
    return struct.pack(">h", len(text)) + text


def _data(data: bytes) -> bytes:
    return struct.pack(">i", len(data)) + data


def _read_texts(given: bytes, many: int) -> list[bytes]:
    found = []
    for _ in range(many):
        (size,) = struct.unpack(">h", given[:2])
        found.append(given[2 : 2 + size])
        given = given[2 + size :]
    return found
