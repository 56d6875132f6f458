"""A tab on recorded channels that reconnects with its position after each loss of its socket."""

import json
import threading
from typing import Any
from urllib.parse import urlencode

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

Event = dict[str, Any]

ADDRESS_LIMIT = 2_000  # as in the page


class Place:
    """The position of a tab in the log of one channel, as the page keeps it."""

    def __init__(self, event: Event) -> None:
        self.epoch = event["epoch"]
        self.id = event["id"]
        self.since = event.get("since")

    @property
    def number(self) -> int:
        return int(self.id.split("-")[1])

    def __str__(self) -> str:
        since = "" if self.since is None else f".{round(1000 * self.since)}"
        return f"{self.epoch}.{self.id}{since}"


class ReturningTab(threading.Thread):
    """Notes the messages and gaps it receives; ``faults`` are numbers that did not follow one another."""

    def __init__(self, url: str, channels: list[str], since: str = "") -> None:
        super().__init__(name="returning tab", daemon=True)
        self.shown: list[Event] = []
        self.gaps: list[Event] = []
        self.faults: list[str] = []
        self.sockets = 0
        self.waiting = set(channels)
        """Channels of which Redis has confirmed nothing since the connection to it was lost."""
        self._url = url
        self._since = since
        self._channels = channels
        self._places: dict[str, Place] = {}
        self._ended = threading.Event()
        self._socket: ClientConnection | None = None

    @property
    def is_followed(self) -> bool:
        return len(self._places) == len(self._channels)

    def number(self, channel: str) -> int:
        """The number of the last entry received from the channel's log; 0: the log is not followed."""
        place = self._places.get(channel)
        return place.number if place else 0

    def data(self, channel: str, prefix: str = "") -> list[str]:
        return [
            event["data"]
            for event in list(self.shown)
            if event["channel"] == channel and event["data"].startswith(prefix)
        ]

    def ends_with(self, data: str, channel: str, prefix: str = "") -> bool:
        """Whether ``data`` was received last of :meth:`data`."""
        return self.data(channel, prefix)[-1:] == [data]

    def drop(self) -> None:
        """Lose the socket without a close frame."""
        if self._socket is not None:
            self._socket.close_socket()

    def leave(self) -> None:
        self._ended.set()
        self.drop()

    def run(self) -> None:
        while not self._ended.is_set():
            try:
                address, greeting = self._address()
                with connect(address, compression=None, max_size=None, close_timeout=0.2) as self._socket:
                    self.sockets += 1
                    if greeting:
                        self._socket.send(json.dumps(greeting))
                    while True:
                        for event in json.loads(self._socket.recv()):
                            self._receive(event)
            except (OSError, WebSocketException, TimeoutError):
                self._ended.wait(0.02)

    def _address(self) -> tuple[str, dict[str, list[str]]]:
        """The address to connect to, and the first message, which replaces a query that is too long."""
        query = [("channel", name) for name in self._channels]
        query += [("after", str(self._places.get(name, ""))) for name in self._channels]
        query += [("since", self._since)] if self._since else []
        address = f"{self._url}/feed?{urlencode(query)}"
        if len(address) <= ADDRESS_LIMIT:
            return address, {}
        greeting: dict[str, list[str]] = {}
        for name, value in query:
            greeting.setdefault(name, []).append(value)
        return f"{self._url}/feed?selection=follows", greeting

    def _receive(self, event: Event) -> None:
        kind, channel = event["type"], event.get("channel", "")
        place = self._places.get(channel)
        if kind == "message":
            self.shown.append(event)
            if place is not None and "id" in event:
                self._advance(place, event["id"])
        elif kind == "gap":
            self.gaps.append(event)
        elif kind == "reconnecting":
            self.waiting = set(self._channels)
        elif kind == "subscribe":
            self.waiting.discard(channel)
        elif kind == "following" and "id" in event:
            if place and place.epoch == event["epoch"] and number_of(event["id"]) < place.number:
                self.faults.append(f"back to {event['id']} from {place.id}")
            self._places[channel] = Place(event)
        elif kind in ("following", "unrecorded"):
            self._places.pop(channel, None)

    def _advance(self, place: Place, id: str) -> None:
        if number_of(id) != place.number + 1 and not self.gaps:
            self.faults.append(f"{id} after {place.id}")
        place.id, place.since = id, None


def number_of(id: str) -> int:
    return int(id.split("-")[1])
