"""A tab on recorded channels that loses its socket again and again and says where it was."""

import json
import threading
from typing import Any
from urllib.parse import urlencode

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

Event = dict[str, Any]


class Place:
    """Where a tab is on one channel, as the page knows it."""

    def __init__(self, event: Event) -> None:
        self.epoch = event["epoch"]
        self.id = event["id"]
        self.pending: list[Event] = []

    @property
    def number(self) -> int:
        return int(self.id.split("-")[1])

    def __str__(self) -> str:
        return f"{self.epoch}.{self.id}.{len(self.pending)}"


class ReturningTab(threading.Thread):
    """Notes everything it is shown; ``faults`` are numbers that did not follow one another."""

    def __init__(self, url: str, channels: list[str], since: str = "") -> None:
        super().__init__(name="returning tab", daemon=True)
        self.shown: list[Event] = []
        self.gaps: list[Event] = []
        self.faults: list[str] = []
        self.sockets = 0
        self._url = url
        self._since = since
        self._channels = channels
        self._places: dict[str, Place] = {}
        self._ahead: dict[str, str] = {}
        self._ended = threading.Event()
        self._socket: ClientConnection | None = None

    @property
    def is_followed(self) -> bool:
        return len(self._places) == len(self._channels)

    def number(self, channel: str) -> int:
        """Up to which entry of its log the channel is known; 0: it is not followed."""
        place = self._places.get(channel)
        return place.number if place else 0

    def data(self, channel: str, prefix: str = "") -> list[str]:
        return [
            event["data"]
            for event in list(self.shown)
            if event["channel"] == channel and event["data"].startswith(prefix)
        ]

    def drop(self) -> None:
        """Lose the socket without a word."""
        if self._socket is not None:
            self._socket.close_socket()

    def leave(self) -> None:
        self._ended.set()
        self.drop()

    def run(self) -> None:
        while not self._ended.is_set():
            try:
                with connect(
                    self._address(), compression=None, max_size=None, close_timeout=0.2
                ) as self._socket:
                    self.sockets += 1
                    self._ahead.clear()
                    while True:
                        for event in json.loads(self._socket.recv()):
                            self._hear(event)
            except (OSError, WebSocketException, TimeoutError):
                self._ended.wait(0.02)

    def _address(self) -> str:
        query = [("channel", name) for name in self._channels]
        query += [("after", str(self._places.get(name, ""))) for name in self._channels]
        query += [("since", self._since)] if self._since else []
        return f"{self._url}/feed?" + urlencode(query)

    def _hear(self, event: Event) -> None:
        kind, place = event["type"], self._places.get(event.get("channel", ""))
        if kind == "message":
            self._show(event, place)
        elif kind == "gap":
            self.gaps.append(event)
            if place is not None:
                place.pending = []
        elif kind == "following":
            if place is None or place.epoch != event["epoch"]:
                self._places[event["channel"]] = Place(event)
            elif self.number_of(event["id"]) < place.number:
                self.faults.append(f"back to {event['id']} from {place.id}")
            else:
                place.id, place.pending = event["id"], []
        elif kind == "recorded":
            self._recorded(event, place)
        elif kind == "unrecorded":
            self._places.pop(event["channel"], None)

    def _show(self, event: Event, place: Place | None) -> None:
        event["id"] = event.get("id") or self._ahead.pop(event["channel"], None)
        self.shown.append(event)
        if place is None:
            return
        if event["id"] is None:
            place.pending.append(event)
        else:
            self._advance(place, event["id"], 1)

    def _recorded(self, event: Event, place: Place | None) -> None:
        if event.get("next"):
            self._ahead[event["channel"]] = event["id"]
        elif event.get("break") and place is not None:
            place.id, place.pending = event["id"], []
        elif place is not None:
            self._advance(place, event["id"], event["count"])
            if event["count"] > len(place.pending):
                self.faults.append(f"{event} numbers more than was shown: {len(place.pending)}")
            del place.pending[: event["count"]]

    def _advance(self, place: Place, first: str, count: int) -> None:
        ms, number = first.split("-")
        if int(number) != place.number + 1 and not self.gaps:
            self.faults.append(f"{first} after {place.id}")
        place.id = f"{ms}-{int(number) + count - 1}"

    @staticmethod
    def number_of(id: str) -> int:
        return int(id.split("-")[1])
