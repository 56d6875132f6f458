"""Probe the subscriber's connection while a page waits for announcements."""

from collections.abc import Collection
from time import time

from arauto.recording.shared_queries import States
from arauto.recording_core.channel_feed import ChannelFeed, State
from arauto.redis_io.elapsed import now
from arauto.redis_io.subscriber import Subscriber
from arauto.system.timer_wheel import TimerWheel

_BEGAN = round(1000 * (time() - now()))
TICK = 0.25  # seconds
OPENING_PAUSE = 250  # milliseconds
PROBE_AFTER = 1000  # milliseconds that a message may wait for its announcement before Redis is probed
QUICK_PAUSE = 500  # milliseconds between two probes ...
QUICK_FOR = 3000  # ... for so long, if a channel may have only just begun to be recorded
PAUSE, LONGEST_PAUSE = 1000, 16_000  # milliseconds between two probes if nobody records


def now_ms() -> int:
    """Unix milliseconds by a clock that is never set, counted from the start of this process."""
    return _BEGAN + round(1000 * now())


class LogWatch:
    """Sends PING on the subscriber's own connection, so the reply follows everything that Redis had pushed.

    Public methods are for the subscriber's thread; the timer wheel only sends.
    """

    def __init__(self, timers: TimerWheel) -> None:
        self._timers = timers
        self._subscriber: Subscriber | None = None
        self._is_ticking = False
        self._due: int | None = None  # when to probe; ``None``: no reason to
        self._probed_at: int | None = None  # when the unanswered probe was sent
        self._pause = PAUSE

    def begin(self, subscriber: Subscriber) -> None:
        """Start probing, by this subscriber; from any thread."""
        self._subscriber = subscriber
        if self._due is not None:
            self._tick()

    def end(self) -> None:
        """The page has left; from any thread."""
        self._subscriber = None

    def plan(self, feeds: Collection[ChannelFeed], states: States | None) -> None:
        """Decide after each batch whether to probe, and when."""
        due = self._find_due(feeds, states)
        if due is None or self._due is None or due < self._due:
            self._due = due if self._probed_at is None else None
        if self._due is not None and self._subscriber is not None and not self._is_ticking:
            self._tick()

    def answered(self) -> int:
        """Redis has replied: when the probe was sent; 0: on a connection that is gone."""
        at, self._probed_at = self._probed_at, None
        self._due = None
        self._pause = min(2 * self._pause, LONGEST_PAUSE)
        return at or 0

    def forget(self) -> None:
        """The connection is gone."""
        self._due = self._probed_at = None
        self._pause = PAUSE

    def _find_due(self, feeds: Collection[ChannelFeed], states: States | None) -> int | None:
        if states is not None:
            self._pause = PAUSE
            waiting = [settled.waiting[0].at for _, settled in states if settled.waiting]
            return min(waiting) + PROBE_AFTER if waiting else None
        if not feeds:
            return None
        if any(feed.state is not State.LIVE and feed.settled is None for feed in feeds):
            return now_ms() + OPENING_PAUSE
        if any(feed.state is State.LIVE and now_ms() - feed.live_since < QUICK_FOR for feed in feeds):
            self._pause = PAUSE
            return now_ms() + QUICK_PAUSE
        return now_ms() + self._pause

    def _tick(self) -> None:
        self._is_ticking = True
        self._timers.after(TICK, self._tick_once)

    def _tick_once(self) -> float | None:
        if self._subscriber is None:
            return None
        if self._due is not None and now_ms() >= self._due:
            self._probe(self._subscriber)
        if self._due is None and self._probed_at is None:
            self._is_ticking = False
            if self._due is None:  # or it was set meanwhile
                return None
            self._is_ticking = True
        return TICK

    def _probe(self, subscriber: Subscriber) -> None:
        self._probed_at, due, self._due = now_ms(), self._due, None
        if not subscriber.ping():
            self._probed_at, self._due = None, due
