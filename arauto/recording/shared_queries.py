"""Marks and results of equal batches, shared by the followers of one process."""

import secrets
from collections.abc import Callable, Iterator
from itertools import count
from time import monotonic
from typing import NamedTuple

import redis

from arauto.protocol.events import Item
from arauto.recording.recorded_channels import Recording
from arauto.recording_core.announcements import Mark
from arauto.recording_core.backlog import Received
from arauto.recording_core.shared_states import Settled, Unannounced, are_alike, is_as_early
from arauto.redis_io.connection import error_text
from arauto.system.timer_wheel import TimerWheel

MARK_EVERY = 0.2  # seconds between two marks of one channel ...
MARK_SELDOM = 1.6  # ... or up to so many while nobody answers: each mark wakes all pages of the channel
REMEMBERED = 32  # batches; slow pages are in other states
TOGETHER = 512  # messages that are shown at once because their announcement is late
MANY = 1000  # channels whose last mark is remembered

States = tuple[tuple[bytes, Settled | Unannounced], ...]
"""The states of all followed channels of a page."""


class Turn(NamedTuple):
    """The result of a batch for a follower in the state ``before``.

    :param is_live: whether a feed is live afterwards.
    :param waits_since: when the oldest message was received that waits for its announcement, if one does.
    """

    batch: list[Item]
    before: States
    after: States
    out: list[Item]
    is_live: bool
    waits_since: int | None

    @classmethod
    def of(cls, batch: list[Item], before: States, after: States, out: list[Item]) -> "Turn":
        waiting = [one.waiting[0].at for _, one in after if isinstance(one, Settled) and one.waiting]
        is_live = any(isinstance(one, Unannounced) for _, one in after)
        return cls(batch, before, after, out, is_live, min(waiting, default=None))

    def is_for(self, states: States) -> bool:
        """Whether ``states`` are those before it; no message waits longer than it would by itself.

        A page that was slow received messages later, but may be the first one with the next batch.
        """
        if self.before != states:
            return False
        return all(
            is_as_early(known, state) for (_, known), (_, state) in zip(self.before, states, strict=True)
        )


class SharedQueries:
    """One per process.

    :param why_not: why a channel is not recorded, as far as the recorder of this process knows.
    """

    def __init__(self, recording: Recording, timers: TimerWheel, why_not: Callable[[bytes], str]) -> None:
        self.recording = recording
        self.timers = timers
        self._why_not = why_not
        self._refusal = ""  # why Redis refused a mark
        self._name = secrets.token_hex(8)
        self._marks = count(1)
        self._marked: dict[bytes, tuple[float, float]] = {}  # when, and the pause after it
        self._turns: tuple[Turn, ...] = ()
        self._batches: tuple[tuple[bytes, tuple[Received, ...], list[Item]], ...] = ()

    def why_not(self, channel: bytes) -> str:
        """Why the channel is not recorded, as far as this process knows; else empty."""
        return self._why_not(channel) or self._refusal

    def locate(self, channel: bytes) -> None:
        """Send a mark, which asks the recorder for a position, unless the last one is too recent."""
        now = monotonic()
        sent, pause = self._marked.get(channel, (0.0, 0.0))
        if now - sent < pause:
            return
        if len(self._marked) >= MANY:
            self._marked.clear()
        self._marked[channel] = now, min(max(MARK_EVERY, 2 * pause), MARK_SELDOM)
        try:
            # Recorders do not follow channels without messages yet.
            if self.recording.store.register(channel):
                self.recording.store.wake_recorders(channel)
            self.recording.store.announce(channel, Mark(f"{self._name}.{next(self._marks)}"))
            self._refusal = ""
        except redis.ResponseError as error:
            self._refusal = error_text(error)
        except redis.RedisError:
            pass  # the caller tries again

    def answered(self, channel: bytes) -> None:
        """The recorder has answered a mark."""
        marked = self._marked.get(channel)  # once: another thread may forget all
        if marked is not None:
            self._marked[channel] = marked[0], MARK_EVERY

    def find(self, batch: list[Item], before: States) -> Turn | None:
        """The result of this very batch for another follower in the same state."""
        for turn in self._turns:
            if turn.batch is batch and (turn.before is before or turn.is_for(before)):
                return turn
        return None

    def keep(self, turn: Turn) -> None:
        """Keep a result for other followers, unless it depends on more than the shared state."""
        pairs = zip(turn.before, turn.after, strict=True)
        if all(are_alike(before, after) for (_, before), (_, after) in pairs):
            self._turns = (turn, *self._turns[: REMEMBERED - 1])

    def batches(self, channel: bytes, messages: tuple[Received, ...]) -> Iterator[list[Item]]:
        """These messages as Redis pushed them, in lists that are shared by pages which show the same."""
        begin = 0
        while begin < len(messages):
            # Feeds that share messages share their serials.
            end = begin + TOGETHER - messages[begin].serial % TOGETHER
            yield self._batch(channel, messages[begin:end])
            begin = end

    def _batch(self, channel: bytes, messages: tuple[Received, ...]) -> list[Item]:
        for known_channel, known, batch in self._batches:
            if known == messages and known_channel == channel:
                return batch
        batch = list[Item]()
        for message in messages:
            batch.append([b"message", channel, message.data])
            batch += [[b"pmessage", copy.pattern, copy.channel, copy.data] for copy in message.copies]
        self._batches = ((channel, messages, batch), *self._batches[: REMEMBERED - 1])
        return batch
