"""Probes the subscriber's connection while a page waits for announcements."""

from collections.abc import Collection

from arauto.recording.shared_queries import States
from arauto.recording_core.channel_feed import PATIENCE, ChannelFeed, State
from arauto.recording_core.shared_states import Settled
from arauto.redis_io.elapsed import now_ms
from arauto.redis_io.subscriber import Subscriber
from arauto.system.timer_wheel import TimerWheel

TICK = 0.25  # seconds
OPENING_PAUSE = 250  # milliseconds
QUICK_PAUSE = 500  # milliseconds between two probes ...
QUICK_FOR = 3000  # ... for so long, as recording may have only just begun
PAUSE, LONGEST_PAUSE = 1000, 16_000  # milliseconds between two probes if no process records


class LogWatch:
    """Sends PING on the subscriber's own connection, so the reply follows everything that Redis had pushed.

    Public methods are for the subscriber's thread; the timer wheel only sends.
    """

    def __init__(self, timers: TimerWheel) -> None:
        self._timers = timers
        self._subscriber: Subscriber | None = None
        self._is_ticking = False
        self._due: int | None = None  # when to probe; ``None``: not needed
        self._rests_until: int | None = None  # when to probe if no message waits
        self._probed_at: int | None = None  # when the unanswered probe was sent
        self._opening = 0  # how many feeds are neither live nor settled ...
        self._opening_since = 0  # ... since the last one came
        self._pause = PAUSE

    def begin(self, subscriber: Subscriber) -> None:
        """Start probing with this subscriber; from any thread."""
        self._subscriber = subscriber
        if self._due is not None:
            self._tick()

    def end(self) -> None:
        """Stop probing; from any thread."""
        self._subscriber = None

    def plan(self, feeds: Collection[ChannelFeed], states: States | None) -> None:
        """Plan the next probe; call it after each batch.

        :param states: the shared states of ``feeds``, newer than their own; ``None``: use their own.
        """
        rest = self._find_rest(feeds, states)
        until = None if rest is None else now_ms() + rest
        if until is None or self._rests_until is None or until < self._rests_until:
            self._rests_until = until
        dues = [at + PATIENCE for at in _waiting_since(feeds, states)]
        if self._rests_until is not None:
            dues.append(self._rests_until)
        self._probe_at(min(dues, default=None))

    def expect(self, waits_since: int | None) -> None:
        """As :meth:`plan`, but quicker, if all feeds are settled and none is live.

        :param waits_since: when the oldest message was received that waits for its announcement, if one does.
        """
        self._pause, self._rests_until, self._opening = PAUSE, None, 0
        self._probe_at(None if waits_since is None else waits_since + PATIENCE)

    def _probe_at(self, due: int | None) -> None:
        self._due = due if self._probed_at is None else None
        if self._due is not None and self._subscriber is not None and not self._is_ticking:
            self._tick()

    def answered(self) -> int:
        """Redis has replied to a probe.

        :return: when the probe was sent; 0: on an earlier connection.
        """
        at, self._probed_at = self._probed_at, None
        self._due = self._rests_until = None
        self._pause = min(2 * self._pause, LONGEST_PAUSE)
        return at or 0

    def forget(self) -> None:
        """The connection was lost."""
        self._due = self._rests_until = self._probed_at = None
        self._pause, self._opening = PAUSE, 0

    def _find_rest(self, feeds: Collection[ChannelFeed], states: States | None) -> int | None:
        """Milliseconds until the next probe, if it is needed though no message waits."""
        here = now_ms()
        since = [feed.live_since for feed in feeds if feed.state is State.LIVE]
        before, self._opening = self._opening, 0 if states is not None else sum(map(_is_opening, feeds))
        if self._opening > before:
            self._opening_since = here
        if self._opening:
            since.append(self._opening_since)
        is_new = here - max(since, default=here) < QUICK_FOR
        if is_new:
            self._pause = PAUSE
        # It may stay so for as long as nobody answers a mark, as while Redis refuses to write.
        if self._opening and (is_new or any(feed.waits_since is not None for feed in feeds)):
            return OPENING_PAUSE
        if not since:
            return None
        return QUICK_PAUSE if is_new else self._pause

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


def _is_opening(feed: ChannelFeed) -> bool:
    """Whether it has not found its place in the log yet, and is not live."""
    return feed.state is not State.LIVE and feed.settled is None


def _waiting_since(feeds: Collection[ChannelFeed], states: States | None) -> list[int]:
    """When the oldest message of each channel was received that waits for its announcement."""
    if states is None:
        return [feed.waits_since for feed in feeds if feed.waits_since is not None]
    return [one.waiting[0].at for _, one in states if isinstance(one, Settled) and one.waiting]
