"""The promise about live channels: messages published, compared with those that tabs received.

Every missing number is within a gap, none comes twice or out of order, and every gap has a cause.
"""

import json
import random
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from time import time
from typing import Any, NamedTuple
from urllib.parse import urlencode

import redis
from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection, connect

Event = dict[str, Any]

SHARDED = "sharded."  # the prefix of sharded channels
IN_FLIGHT = 1.0  # seconds, as the page: messages that were on their way when its socket broke
SILENCE_LIMIT = 45.0  # seconds, as the page
RETRY_FIRST, RETRY_CAP = 0.5, 20.0  # seconds, as the page


class Span(NamedTuple):
    """A stretch of time, in Unix seconds."""

    start: float
    end: float

    def meets(self, other: "Span") -> bool:
        return self.start <= other.end and other.start <= self.end


@dataclass
class Published:
    """The numbers of each channel, each with the span in which it was published."""

    sure: dict[str, dict[int, Span]] = field(default_factory=lambda: defaultdict(dict))
    unsure: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))  # no answer came


class Record:
    """The numbers by channel, and the gaps, that one tab received."""

    def __init__(self, channels: list[str]) -> None:
        self.channels = channels
        self.live_since: float | None = None
        self.seen: dict[str, list[int]] = {name: [] for name in channels}
        self.gaps: list[Span] = []

    def faults(self, published: Published, causes: list[Span]) -> list[str]:
        """How the promise was broken, one sentence each; empty if it was kept."""
        found = []
        for channel in self.channels:
            found += self._check_order(channel, published.unsure[channel])
            found += self._check_holes(channel, published)
        for gap in self.gaps:
            if not any(gap.meets(cause) for cause in causes):
                found.append(f"a gap {gap} without a cause")
        return found

    def missing(self, published: Published) -> int:
        """How many numbers did not come, within a gap or not."""
        return sum(len(self._missing(channel, published)) for channel in self.channels)

    def _check_order(self, channel: str, unsure: set[int]) -> list[str]:
        # A number without a reply may have been published later, when Redis answered again.
        found, last, known = [], -1, set()
        for number in self.seen[channel]:
            if number in known:
                found.append(f"{channel} {number} came twice")
            elif number < last and number not in unsure:
                found.append(f"{channel} {number} came after {last}")
            known.add(number)
            last = last if number in unsure else max(last, number)
        return found

    def _check_holes(self, channel: str, published: Published) -> list[str]:
        return [
            f"{channel} {number}, published {span}, is missing outside of every gap {self.gaps}"
            for number, span in self._missing(channel, published).items()
            if not any(gap.meets(span) for gap in self.gaps)
        ]

    def _missing(self, channel: str, published: Published) -> dict[int, Span]:
        seen = set(self.seen[channel])
        since = float("inf") if self.live_since is None else self.live_since
        return {
            number: span
            for number, span in published.sure[channel].items()
            if number not in seen and span.start > since
        }


class Numbers:
    """Publishes numbered messages to channels in turn, and notes when."""

    def __init__(self, port: int, channels: list[str], pause: float, padding: int = 0) -> None:
        self.published = Published()
        self.channels = channels
        self._client = redis.Redis(port=port, protocol=2, socket_timeout=2, retry=None)  # type: ignore[arg-type]
        self._pause = pause
        self._padding = "." * padding
        self._next = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="numbers", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join(10)
        self._client.close()

    def publish(self) -> bool:
        """Publish the next number to every channel. ``True``: Redis replied each time."""
        number, self._next = self._next, self._next + 1
        answers = [self._publish(channel, number) for channel in self.channels]
        return all(answers)

    def _publish(self, channel: str, number: int) -> bool:
        began = time()
        try:
            verb = "SPUBLISH" if channel.startswith(SHARDED) else "PUBLISH"
            self._client.execute_command(verb, channel, f"{number} {self._padding}")
        except redis.RedisError:
            self.published.unsure[channel].add(number)
            return False
        self.published.sure[channel][number] = Span(began, time())
        return True

    def _run(self) -> None:
        while not self._ended.wait(self._pause):
            self.publish()


class Witness(threading.Thread):
    """A tab that reconnects as the page does, and records what it receives."""

    def __init__(self, url: str, channels: list[str]) -> None:
        super().__init__(name="witness", daemon=True)
        self.record = Record(channels)
        self.sockets = 0  # how many it has had
        self._address = f"{url}/feed?" + urlencode(
            [("shard" if name.startswith(SHARDED) else "channel", name) for name in channels]
        )
        self._channels = channels
        self._ended = threading.Event()
        self._may_read = threading.Event()
        self._may_read.set()
        self._socket: ClientConnection | None = None
        self._confirmed: set[str] = set()
        self._last_sent = 0.0
        self._shortest = float("inf")  # seconds that the quickest message took
        self._gap_from: float | None = None  # since when this tab has no socket
        self._redis_lost: float | None = None

    @property
    def is_live(self) -> bool:
        return len(self._confirmed) == len(self._channels)

    @property
    def port(self) -> int:
        """The local port of its socket, while it is live."""
        assert self._socket is not None
        return int(self._socket.local_address[1])

    def leave(self) -> None:
        """Close the tab, without waiting for its thread."""
        self._ended.set()
        self.resume()
        self.drop()

    def drop(self) -> None:
        """Lose the socket without a close frame, as a tab on a train."""
        socket = self._socket
        if socket is not None:
            socket.close_socket()

    def stall(self) -> None:
        """Stop reading until :meth:`resume`, like a phone in a tunnel."""
        self._may_read.clear()

    def resume(self) -> None:
        self._may_read.set()

    def last(self, channel: str) -> int:
        seen = self.record.seen[channel]
        return seen[-1] if seen else -1

    def run(self) -> None:
        attempt = 0
        while not self._ended.is_set():
            began = time()
            try:
                with connect(
                    self._address, compression=None, max_size=None, ping_interval=None, close_timeout=1
                ) as self._socket:
                    self.sockets += 1
                    self._last_sent, self._shortest = time(), float("inf")
                    self._watch(self._socket)
            except (OSError, WebSocketException, InvalidStatus, TimeoutError):
                pass
            finally:
                self._lose()
            attempt = 0 if time() - began > 10 else attempt + 1
            self._ended.wait(random.uniform(0, min(RETRY_CAP, RETRY_FIRST * 2**attempt)))

    def _watch(self, socket: ClientConnection) -> None:
        while self._may_read.wait():
            events = json.loads(socket.recv(SILENCE_LIMIT))
            self._note_time(events)
            for event in events:
                self._receive(event)

    def _note_time(self, events: list[Event]) -> None:
        """Estimate when the last event was sent."""
        at = events[-1].get("at")
        if at is not None:
            self._shortest = min(self._shortest, time() - at)
            self._last_sent = at + self._shortest

    def _receive(self, event: Event) -> None:
        kind = event["type"]
        if kind in ("message", "smessage"):
            self.record.seen[event.get("channel") or event["shard"]].append(int(event["data"].split(" ")[0]))
        elif kind == "gap":
            self.record.gaps.append(Span(event["from"], event["to"]))
        elif kind == "reconnecting":
            self._confirmed.clear()
            self._redis_lost = self._redis_lost or event["from"]
        elif kind in ("subscribe", "ssubscribe"):
            self._confirmed.add(event.get("channel") or event["shard"])
            if self.is_live:
                self._settle()

    def _settle(self) -> None:
        """All channels are confirmed: the gap ends."""
        now = time()
        if self.record.live_since is None:
            self.record.live_since = now
        if self._gap_from is not None:
            self.record.gaps.append(Span(self._gap_from, now))
        self._gap_from = self._redis_lost = None

    def _lose(self) -> None:
        self._confirmed.clear()
        if self.record.live_since is not None and self._gap_from is None:
            self._gap_from = self._redis_lost or self._last_sent - IN_FLIGHT
