"""A browser tab without the browser: one WebSocket on the feed, by a client that is not ours."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any
from urllib.parse import urlencode

from websockets.sync.client import ClientConnection, connect

from tests.support.redis_servers import RedisServer
from tests.support.servers import ArautoServer
from tests.support.waiting import PATIENCE

Event = dict[str, Any]


class Tab:
    """Reads events one by one, whatever frames they came in. Heartbeats are left out."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self._events: list[Event] = []

    @property
    def port(self) -> int:
        """Its own, by which the server knows it."""
        return int(self.socket.local_address[1])

    def next(self, timeout: float = PATIENCE) -> Event:
        """:raise TimeoutError: nothing has come but heartbeats."""
        end = monotonic() + timeout
        while not self._events:
            events = json.loads(self.socket.recv(max(0, end - monotonic())))
            self._events = [event for event in events if event["type"] != "heartbeat"]
        return self._events.pop(0)

    def take(self, n: int) -> list[Event]:
        return [self.next() for _ in range(n)]

    def until(self, kind: str) -> list[Event]:
        """Everything up to and with the first event of this kind."""
        seen = [self.next()]
        while seen[-1]["type"] != kind:
            seen.append(self.next())
        return seen

    def through(self, data: str) -> list[Event]:
        """Everything up to and with the first message that has this data."""
        seen = self.until("message")
        while seen[-1]["data"] != data:
            seen += self.until("message")
        return seen

    def past(self, kind: str) -> Event:
        """The next event of another kind."""
        event = self.next()
        while event["type"] == kind:
            event = self.next()
        return event

    def messages(self, n: int) -> list[str]:
        """The data of the next ``n`` events, which are all messages."""
        events = self.take(n)
        assert {event["type"] for event in events} <= {"message", "pmessage", "smessage"}, events
        return [event["data"] for event in events]

    def say(self, **change: list[str]) -> None:
        self.socket.send(json.dumps(change))


@contextmanager
def open_tab(
    server: ArautoServer,
    *channels: str,
    patterns: tuple[str, ...] = (),
    shards: tuple[str, ...] = (),
    query: dict[str, str] | None = None,
    **options: Any,
) -> Iterator[Tab]:
    """A tab whose selection Redis has confirmed; ``query`` is what its address says besides."""
    kinds = {"channel": channels, "pattern": patterns, "shard": shards}
    asked = [(kind, name) for kind, names in kinds.items() for name in names]
    address = urlencode([*asked, *(query or {}).items()])
    with connect(
        f"{server.ws}/feed?{address}", compression=None, max_size=None, open_timeout=PATIENCE, **options
    ) as socket:
        tab = Tab(socket)
        confirmed = tab.take(len(asked))
        assert {event["type"] for event in confirmed} <= {"subscribe", "psubscribe", "ssubscribe"}, confirmed
        yield tab


def receives(redis: RedisServer, *tabs: Tab) -> bool:
    """Whether what is published to ``a`` reaches them, and nothing else has."""
    redis.client.publish("a", "still here")
    return all(tab.messages(1) == ["still here"] for tab in tabs)
