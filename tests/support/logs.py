"""Reads and writes recorded logs in Redis, without the program."""

from itertools import pairwise
from typing import Any

from arauto.protocol.log_entries import Id
from arauto.protocol.log_position import Position
from arauto.recording.log_store import LEASE_MS, Store
from arauto.recording_core.log_keys import LEASE, head_of, promised_of, stream_of
from arauto.recording_core.recorder_steps import Append, Outcome, Take
from tests.support.redis_servers import RedisServer

Fields = dict[bytes, bytes]


def entries(redis_server: RedisServer, channel: str) -> list[tuple[Id, Fields]]:
    log: Any = redis_server.client.xrange(stream_of(channel.encode()))
    return [(Id.read(id), fields) for id, fields in log]


def logged(redis_server: RedisServer, channel: str) -> list[bytes]:
    """The messages in the log; checks that their numbers have no hole."""
    log = entries(redis_server, channel)
    assert all(one.n + 1 == other.n for (one, _), (other, _) in pairwise(log))
    return [data for _, fields in log for field, data in fields.items() if field == b"m"]


def gaps(redis_server: RedisServer, channel: str) -> int:
    return sum(b"gap" in fields for _, fields in entries(redis_server, channel))


def head(redis_server: RedisServer, channel: str) -> dict[str, str]:
    known: Any = redis_server.client.hgetall(head_of(channel.encode()))
    return {name.decode(): value.decode() for name, value in known.items()}


def is_recording(redis_server: RedisServer) -> bool:
    """Whether a process holds the lease and has sent its first beat: messages from then on are logged.

    A new log begins at that beat: messages between the lease and the beat are in no log.
    """
    lease: Any = redis_server.client.hmget(LEASE, "token", "expires")
    token, expires = (int(part or 0) for part in lease)
    return expires > max(1000 * redis_server.client.time()[0], token + LEASE_MS)


def owner(redis_server: RedisServer, channel: str) -> int:
    """The token of the recorder that took the log last; 0: none has."""
    return int(head(redis_server, channel).get("owner", 0))


def write_log(redis_server: RedisServer, channel: str, *log: tuple[int, dict[str, str]]) -> None:
    """Write a log with these entries, each with its Unix milliseconds; no recorder owns it."""
    forget(redis_server, channel)
    stream, known = stream_of(channel.encode()), head_of(channel.encode())
    for number, (ms, fields) in enumerate(log, start=1):
        redis_server.client.xadd(stream, fields, id=f"{ms}-{number}")  # type: ignore[arg-type]
    end = {"epoch": "0123456789abcdef", "epochs": "0123456789abcdef:0", "ms": ms, "number": number}
    redis_server.client.hset(known, mapping=end | {"begins_ms": 0, "begins": 0})  # type: ignore[arg-type]


def forget(redis_server: RedisServer, channel: str) -> None:
    redis_server.client.delete(*(key(channel.encode()) for key in (stream_of, head_of, promised_of)))


class OwnLog:
    """A log that the test writes; no program may record the channel."""

    def __init__(self, redis_server: RedisServer, channel: str, *messages: str | bytes) -> None:
        self.store = Store(redis_server.client, 100_000, 3_600_000)
        self.channel = channel.encode()
        self.token = 0
        self.ids: list[str] = []
        self.begin()
        self.write(*messages)

    def begin(self, until: int = 0) -> None:
        """Take the log as a new recorder does that has received none of its messages."""
        self.token += 1
        self.store.register(self.channel)
        self.store.take(self.channel, Take(self.token, None), until, has_glob=True)
        self._end = self._find_end()

    def write(self, *messages: str | bytes) -> None:
        data = tuple(one if isinstance(one, bytes) else one.encode() for one in messages)
        request = Append(self.token, self._end, data)
        assert self.store.append(self.channel, request, 0).outcome is Outcome.DONE
        before, self._end = self._end, self._find_end()
        numbers = range(before.number + 1, self._end.number + 1)
        self.ids += [f"{self._end.ms}-{number}" for number in numbers]

    def _find_end(self) -> Position:
        known = self.store.head(self.channel)
        assert known is not None
        return known.end
