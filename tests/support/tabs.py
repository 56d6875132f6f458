"""A tab without a browser: one WebSocket on the feed, by the client of ``websockets``."""

import json
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any
from urllib.parse import urlencode

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.support.redis_servers import RedisServer
from tests.support.servers import ArautoServer
from tests.support.waiting import PATIENCE

Event = dict[str, Any]


class Tab:
    """Reads events one by one, without heartbeats."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self._events: list[Event] = []
        self._taken: deque[Event] = deque(maxlen=10)

    @property
    def port(self) -> int:
        """The local port, by which the server's end is found."""
        return int(self.socket.local_address[1])

    def next(self, timeout: float = PATIENCE) -> Event:
        """:raise TimeoutError: only heartbeats have come."""
        end = monotonic() + timeout
        while not self._events:
            try:
                frame = self.socket.recv(max(0, end - monotonic()))
            except (TimeoutError, ConnectionClosed) as error:
                error.add_note(f"The last events: {list(self._taken)}")
                raise
            events = json.loads(frame)
            self._events = [event for event in events if event["type"] != "heartbeat"]
        self._taken.append(event := self._events.pop(0))
        return event

    def take(self, n: int) -> list[Event]:
        return [self.next() for _ in range(n)]

    def confirm(self, n: int) -> None:
        """Wait until ``n`` names are confirmed.

        Other events that come before, of names that were confirmed earlier, are read later.
        """
        others: list[Event] = []
        while n:
            event = self.next()
            assert event["type"] != "refused", event
            if event["type"] in ("subscribe", "psubscribe", "ssubscribe"):
                n -= 1
            else:
                others.append(event)
        self._events[:0] = others

    def until(self, kind: str) -> list[Event]:
        """All events up to and including the first of this kind."""
        seen = [self.next()]
        while seen[-1]["type"] != kind:
            seen.append(self.next())
        return seen

    def through(self, data: str) -> list[Event]:
        """All events up to and including the first message with this data."""
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
        """The data of the next ``n`` events, which must all be messages."""
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
    """A tab whose selection Redis has confirmed; ``query`` is added to its address."""
    kinds = {"channel": channels, "pattern": patterns, "shard": shards}
    selection = [(kind, name) for kind, names in kinds.items() for name in names]
    address = urlencode([*selection, *(query or {}).items()])
    with connect(
        f"{server.ws}/feed?{address}", compression=None, max_size=None, open_timeout=PATIENCE, **options
    ) as socket:
        tab = Tab(socket)
        tab.confirm(len(selection))
        yield tab


def receives(redis: RedisServer, *tabs: Tab) -> bool:
    """Whether the next event of each tab is a message that is published to ``a`` now."""
    redis.client.publish("a", "still here")
    return all(tab.messages(1) == ["still here"] for tab in tabs)
