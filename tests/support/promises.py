"""The promise about recorded channels: messages published, compared with the events that tabs received.

No message is missing outside the gaps that were sent, none comes twice, and all tabs have the same order.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from threading import Event as Flag
from threading import Thread
from time import time
from typing import Any, NamedTuple
from urllib.parse import quote

from tests.support.http import get
from tests.support.machine_time import MachineTime
from tests.support.redis_servers import RedisServer
from tests.support.returning import Event, ReturningTab
from tests.support.servers import ArautoServer
from tests.support.waiting import eventually

LIVE_WITHIN = 3.0  # seconds, whatever happens to recording
CLOCK = 0.5  # seconds by which the times of test, server and Redis may differ
IN_FLIGHT = 1.0  # seconds, as the page: messages that were on their way when its socket broke


class Span(NamedTuple):
    """The start and the end of a gap, in Unix seconds."""

    start: float
    end: float

    def has(self, moment: float) -> bool:
        return self.start - CLOCK <= moment <= self.end + CLOCK


class Published:
    """Publishes numbers on one channel and notes when; waits for each reply."""

    def __init__(self, redis_server: RedisServer, channel: str) -> None:
        self.channel = channel
        self.moments: dict[str, float] = {}
        self.unsure: set[str] = set()  # no reply came; it may have been published, also later
        self._client = redis_server.client

    @property
    def last(self) -> str:
        return list(self.moments)[-1]

    def note(self) -> str:
        """The next number. The caller publishes it."""
        data = str(len(self.moments))
        self.moments[data] = time()
        return data

    def go_on(self, many: int = 1) -> None:
        """Publish numbers directly to Redis, as ``redis-cli`` would."""
        for _ in range(many):
            self._client.publish(self.channel, self.note())

    @contextmanager
    def keep_on(self, pause: float = 0.0125) -> Iterator[None]:
        """Publish numbers while the block runs, and one more at its end."""
        over = Flag()

        def run() -> None:
            while not over.wait(pause):
                self.go_on()

        thread = Thread(target=run)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            self.go_on()

    def wait_for(self, many: int) -> None:
        """Wait until another thread has published ``many`` more."""
        until = len(self.moments) + many
        eventually(lambda: len(self.moments) >= until)


class NotingTab(ReturningTab):
    """Notes all events in order. If it returns without a position, it adds a gap as the page does."""

    def __init__(self, url: str, published: "Published") -> None:
        super().__init__(url, [published.channel])
        self.first = len(published.moments)  # the first number that it must receive
        self.events: list[Event] = []
        self._may_come = Flag()
        self._may_come.set()
        self._is_away = Flag()
        self._left_at = 0.0
        self._known: dict[str | None, str] = {}

    @contextmanager
    def away(self) -> Iterator[None]:
        """Within the block it has no socket."""
        self._may_come.clear()
        try:
            eventually(self._has_left, why="it has no socket")
            yield
        finally:
            self._is_away.clear()
            self._may_come.set()

    def _has_left(self) -> bool:
        """Called repeatedly: a tab that was connecting has a socket to drop only afterwards."""
        self.drop()
        return self._is_away.wait(0.05)

    def leave(self) -> None:
        self._may_come.set()
        super().leave()

    def events_of(self, kind: str) -> list[Event]:
        return [event for event in list(self.events) if event["type"] == kind]

    def has_position_since(self, moment: float) -> bool:
        return any("id" in event and event["received"] > moment for event in self.events_of("following"))

    def messages(self, channel: str) -> list[Event]:
        return [event for event in self.events_of("message") if event["channel"] == channel]

    def _address(self) -> tuple[str, dict[str, list[str]]]:
        received = [event["received"] for event in self.events]
        if not self._may_come.is_set():
            self._is_away.set()
            self._may_come.wait()
        self._left_at = 0.0 if self.is_followed or not received else received[-1] - IN_FLIGHT
        return super()._address()

    def _receive(self, event: Event) -> None:
        if event["type"] == "subscribe" and self._left_at:
            gap = {"type": "gap", "from": self._left_at, "to": event["at"], "received": time()}
            self._left_at = 0.0
            self.events.append(gap)
        if event.get("reason") == "replaced":
            # As the page does: a log that takes the place of another may repeat messages that were shown.
            self._known = {one["id"]: one["data"] for one in self.events if "id" in one and "data" in one}
        if event.get("past") and self._known.get(event.get("id")) == event.get("data"):
            return
        self.events.append(event | {"received": time()})
        super()._receive(event)


@contextmanager
def watching(server: ArautoServer, published: Published, tabs: int = 1) -> Iterator[list[NotingTab]]:
    """Open tabs that follow the channel's log."""
    with ExitStack() as stack:
        there = [NotingTab(server.ws, published) for _ in range(tabs)]
        for tab in there:
            stack.callback(tab.join, 10)
            stack.callback(tab.leave)
            tab.start()
        eventually(lambda: all(tab.is_followed for tab in there), why="they follow")
        yield there


def replay(server: ArautoServer, channel: str) -> list[dict[str, Any]]:
    """The lines of the log, as the page reads them."""
    answer = get(server, f"/channels/messages?channel={quote(channel)}&limit=100000")
    assert answer.status == 200, answer.body
    return [json.loads(line) for line in answer.body.splitlines()]


def replay_to_the_last(server: ArautoServer, published: Published) -> list[dict[str, Any]]:
    """The lines of the log once it has the last message; a gap that was found later may follow it."""

    def has_last() -> bool:
        data = [line["data"] for line in replay(server, published.channel) if "data" in line]
        assert data[-1:] == [published.last]
        return True

    eventually(has_last)
    return replay(server, published.channel)


def check_kept(
    server: ArautoServer,
    published: Published,
    tabs: list[NotingTab],
    machine: MachineTime,
    log_from: int = 0,
    may_go_elsewhere: bool = False,
) -> None:
    """Check the promise for each tab and for the log, once all have received the last message.

    :param machine: a clock that has run since before the first message.
    :param log_from: the first number that the log must contain.
    :param may_go_elsewhere: as in :func:`event_faults`.
    """
    channel = published.channel

    def has_last(n: int, tab: NotingTab) -> bool:
        ends = tab.events[-8:]
        assert tab.ends_with(published.last, channel), f"tab {n} lacks {published.last}: it ends with {ends}"
        return True

    for n, tab in enumerate(tabs):
        eventually(partial(has_last, n, tab))
    log = replay_to_the_last(server, published)
    ids = {line["data"]: line["id"] for line in log if "data" in line}
    faults = partial(event_faults, published=published, may_go_elsewhere=may_go_elsewhere)
    found = [f"log: {fault}" for fault in faults(log, first=log_from)]
    for n, tab in enumerate(tabs):
        found += [f"tab {n}: {fault}" for fault in faults(tab.events, first=tab.first) + tab.faults]
        found += [f"tab {n}: {fault}" for fault in late(tab, published, machine)]
        found += [
            f"tab {n}: {event['data']} is {event['id']} here, and {ids[event['data']]} in the log"
            for event in tab.messages(channel)
            if event.get("id") and ids.get(event["data"], event["id"]) != event["id"]
        ]
    assert not found, f"{len(found)} faults: {found[:6]}"


def event_faults(
    events: list[Event],
    published: Published,
    first: int,
    logs_return: bool = False,
    may_go_elsewhere: bool = False,
) -> list[str]:
    """How the events of a tab, or the lines of a log, break the promise for the numbers from ``first`` on.

    :param logs_return: a log that takes the place of another may repeat messages, in its own order.
    :param may_go_elsewhere: messages published within a gap have no order: while a master of a cluster is
        down, they may go to another node.
    """
    found, seen, last = list[str](), set[int](), -1
    gaps = [Span(event["from"], event["to"]) for event in events if event.get("type") == "gap"]

    def has_no_order(*numbers: int) -> bool:
        moments = [published.moments[str(number)] for number in numbers]
        return may_go_elsewhere and any(all(map(gap.has, moments)) for gap in gaps)

    for event in events:
        if logs_return and event.get("reason") == "replaced":
            last = -1
        if event.get("channel") != published.channel or "data" not in event:
            continue
        data = event["data"]
        number = int(data)
        if number in seen:
            found.append(f"{number} came twice")
        elif number < last and data not in published.unsure and not has_no_order(number, last):
            found.append(f"{number} came after {last}")
        seen.add(number)
        last = last if data in published.unsure else max(last, number)
    missing = [
        int(data)
        for data, moment in published.moments.items()
        if int(data) >= first
        and int(data) not in seen
        and data not in published.unsure
        and not any(gap.has(moment) for gap in gaps)
    ]
    if missing:
        found.append(f"{len(missing)} are missing without a gap, from {missing[0]} to {missing[-1]}")
    return found


def late(tab: NotingTab, published: Published, machine: MachineTime) -> list[str]:
    """Messages that the tab received live, but not in time. It is unknown when unsure ones were published."""
    spans = {
        event["data"]: (published.moments[event["data"]], event["received"])
        for event in tab.messages(published.channel)
        if not event.get("past") and event["data"] not in published.unsure
    }
    slow = {data: span for data, span in spans.items() if span[1] - span[0] > LIVE_WITHIN}
    return [
        f"{data} came after {seconds:.1f} s"
        for data, span in slow.items()
        if (seconds := machine.between(*span)) > LIVE_WITHIN
    ]
