"""The protocol of recorded channels keeps its promises in every schedule; a broken one fails."""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from arauto.protocol.log_position import Position
from arauto.recording_core import channel_feed as feed_module
from arauto.recording_core.announcements import Announcement, Closed, Resumed
from arauto.recording_core.candidate import Candidate
from arauto.recording_core.candidate_actions import Action, OfChannel
from arauto.recording_core.channel_feed import ChannelFeed
from arauto.recording_core.channel_recorder import ChannelRecorder
from arauto.recording_core.feed_steps import FeedStep, Gap
from arauto.recording_core.recorder_steps import RecorderStep, Take
from arauto.recording_core.shared_states import Settled, Unannounced
from tests.simulator import SCHEDULES
from tests.simulator.checker import Broken
from tests.simulator.protocol import Protocol
from tests.simulator.redis_double import RedisDouble
from tests.simulator.schedule import (
    BUS,
    FOREIGN,
    FROM_THE_FIRST,
    PROMISED,
    RETURNS,
    STEPS,
    WIDE,
    World,
    draw,
    play,
    shrink,
)
from tests.support.servers import ROOT

PARTS = 12  # tests that run in parallel
SEEDS = SCHEDULES // PARTS
ONCE_BROKEN = (
    2272,
    4296,
    6908,
    20009,
    20339,
    21922,
    23740,
    24538,
    100444,
    101709,
    200803,
    1_002_887,
    1_013_859,
    1022361,
    1055402,
    1_114_969,
    1_218_239,
    2_001_942,
    10_000_412,
    10_008_922,
    10_020_393,
    20_027_461,
    20_515_321,
    100_000_061,
    100_000_387,
    100_005_856,
    100_033_759,
    100_040_412,
    100_067_955,
    100_070_324,
    100_096_456,
    100_200_875,
    100_201_956,
    200_001_558,
    200_101_659,
    200_304_472,
    200_314_464,
    5_011_501,
    300_000_279,
    300_000_366,
    310_018_324,
    310_030_756,
    400_000_003,
    400_000_388,
    400_000_806,
    500_000_132,
    500_000_989,
    500_003_649,
    500_007_387,
    500_014_497,
)
FOUND_WITHIN = 2500  # seeds; only schedules with the fault are played


@pytest.mark.parametrize("part", range(PARTS))
def test_every_promise_is_kept(part: int) -> None:
    """One of seven schedules has one channel; the others have two, and more kinds of fault."""
    firsts = (0, WIDE, FROM_THE_FIRST, RETURNS, PROMISED, FOREIGN, BUS)
    for seed in range(part * SEEDS, (part + 1) * SEEDS):
        play(seed // 2 + firsts[seed % len(firsts)], Protocol())


@pytest.mark.parametrize("seed", ONCE_BROKEN)
def test_what_was_broken_once_is_not_again(seed: int) -> None:
    play(seed, Protocol())


def test_a_seed_is_a_schedule_and_always_the_same() -> None:
    assert draw(7) == draw(7) != draw(8)
    rows = [[tab.page.rows for tab in play(7, Protocol()).tabs] for _ in range(2)]
    assert rows[0] == rows[1]


PLAY = f"""
from tests.simulator.protocol import Protocol
from tests.simulator.schedule import play
for seed in range({WIDE}, {WIDE} + 40):
    print([tab.page.rows for tab in play(seed, Protocol()).tabs])
"""


def test_a_seed_is_played_alike_in_every_process() -> None:
    """Hashes differ between processes: a schedule that depends on them would not fail again."""
    first, second = (
        subprocess.run(
            [sys.executable, "-c", PLAY], cwd=ROOT, env=os.environ | {"PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE, check=True,
        ).stdout
        for seed in "01"
    )  # fmt: skip
    assert first == second


def test_the_first_message_of_a_channel_is_in_its_log() -> None:
    """Also if the channel is new and covered by a pattern."""
    world = World(Protocol(), seed=3)
    assert all(process.has_pattern for process in world.processes)
    for _ in range(8):
        world.settle(700)
    world.redis.publish(b"first")
    world.settle(700)
    assert [entry.data for entry in world.redis.data.entries] == [b"first"]


class TakeoverWritesNoGap(RedisDouble):
    """A recorder takes over from a killed one without a gap for the messages that were not written."""

    def take(
        self, token: int, known: Position | None, until: int, is_first: bool = False, doubt: int = 0
    ) -> Position | None:
        if self.data.position is None or self.data.closed is not None:
            return super().take(token, known, until, is_first, doubt)
        if token < self.data.owner:
            raise PermissionError
        self.data.owner, self.data.owner_run = token, self.run
        return self.data.position


class BelievesLogIsComplete(ChannelRecorder):
    """The recorder believes that the log lacks only its own backlog."""

    def taken(self, request: Take, end: Position | None) -> Sequence[RecorderStep]:  # type: ignore[override]
        if end is not None:
            self.position = end
        return super().taken(request, end)


class DeletingKeepsTheEpoch(RedisDouble):
    """The numbers of a deleted log begin again in the same epoch."""

    def delete(self) -> None:
        if self.data.position is not None:
            self.data.entries.clear()
            self.data.promised.clear()
            self.data.position = Position(self.data.position.epoch, 0)

    def take(
        self, token: int, known: Position | None, until: int, is_first: bool = False, doubt: int = 0
    ) -> Position | None:
        data = self.data
        is_same = known and data.position and known.epoch == data.position.epoch and data.closed is None
        if not is_same or token < data.owner or not data.is_wanted or self.refuses_writes:
            return super().take(token, known, until, is_first, doubt)
        data.owner, data.owner_run = token, self.run
        return data.position


class SwitchingOnWritesNoGap(RedisDouble):
    """Recording is switched off and on, and the log continues without a gap."""

    def take(
        self, token: int, known: Position | None, until: int, is_first: bool = False, doubt: int = 0
    ) -> Position | None:
        if self.data.closed is None or not self.data.is_wanted or self.refuses_writes:
            return super().take(token, known, until, is_first, doubt)
        self.data.owner, self.data.closed = token, None
        return self.data.position


class RestartWritesNoGap(RedisDouble):
    """Redis restarts with an older snapshot, and recording continues without a gap."""

    def take(
        self, token: int, known: Position | None, until: int, is_first: bool = False, doubt: int = 0
    ) -> Position | None:
        self.data.owner_run = self.run
        self.data.until = max(self.data.until, until)
        return super().take(token, known, until, is_first, doubt)

    def restart(self, data: Any, run: int) -> None:
        super().restart(data, run)
        self.data.until = self.now


class ReceivesNoMessages(ChannelRecorder):
    """The recorder is not subscribed to the channel, as if servers had different globs."""

    def received(self, data: bytes, now: int) -> list[RecorderStep]:
        return []


class LostHeadKeepsTheEpoch(RedisDouble):
    """After the head was evicted, the same epoch and numbers are used again."""

    _first: Position | None = None

    def _resume(self, token: int, known: Position | None, until: int, doubt: int) -> None:
        if self.data.position is None and self._first is not None:
            self.data.entries.clear()
            self.data.position, self._epochs = self._first, 0
        super()._resume(token, known, until, doubt)
        self._first = self._first or Position("e0", self.data.begins_at)


class UnreadableLogLeavesNoGap(ChannelFeed):
    """The log cannot be read, and the page continues with live messages without a gap."""

    def unreadable(self, now: int) -> list[FeedStep]:
        return [step for step in super().unreadable(now) if not isinstance(step, Gap)]


class ForgetsUnannouncedMessages(ChannelFeed):
    """A page takes the state of another without the messages whose numbers may still be announced."""

    @property
    def settled(self) -> Settled | Unannounced | None:
        state = super().settled
        return replace(state, since_mark=()) if isinstance(state, Unannounced) else state


class MixesUpChannels(Candidate):
    """If one channel's log is complete, all logs count as complete."""

    def _of_channel(self, channel: bytes, steps: list[RecorderStep]) -> list[Action]:
        until = max(log.until for log in self._logs.values())
        return [OfChannel(channel, step, until) for step in steps]


class ReconnectingMissesNothing(Candidate):
    """A new connection continues as if nothing had been published before it subscribed."""

    def disconnected(self, now: int) -> list[Action]:
        logs = {**self._logs}
        commands = super().disconnected(now)
        self._logs |= logs
        return commands

    def unsubscribed(self, channel: bytes) -> None:
        pass

    def subscribed(self, channel: bytes, now: int) -> list[Action]:
        return [] if channel in self._logs else super().subscribed(channel, now)


class TrustsTheEndOfALease(RedisDouble):
    """A lease given while Redis's clock was ahead blocks all others until that time."""

    def claim(self, above: int = 0, grace: int = 0) -> int:
        return 0 if self.now < self.data.lease_until else super().claim(above, grace)


class DropsAGapThatBeginsLater(RedisDouble):
    """After Redis's clock went back, a gap that begins later than now is left out."""

    def announce(self, announcement: Announcement) -> None:
        if isinstance(announcement, Resumed) and announcement.since == self.now - 1:
            announcement = replace(announcement, since=self.now)
        super().announce(announcement)


class MeasuresSilenceByRedisClock(Candidate):
    """A process whose clock differs waits too long for the next beat."""

    def beat_received(self, token: int, at: int, now: int) -> list[Action]:
        return super().beat_received(token, at, at)


class BelievesItReceivedAll(ChannelRecorder):
    """A new process believes that nothing was published before it subscribed."""

    def _take(self, is_first: bool = False) -> list[RecorderStep]:
        return super()._take(is_first=True)


class IgnoresLossesOfTheBus(Candidate):
    """The candidate ignores losses of the bus."""

    def doubted(self, since: int, found: int, now: int) -> list[Action]:
        return []


class AnyGapCoversTheLoss(ChannelRecorder):
    """A gap entry that was on its way when a loss was found is taken for the gap of that loss."""

    def announced(self, announcement: Announcement) -> list[RecorderStep]:
        if isinstance(announcement, Resumed):
            self._doubt = 0
        return super().announced(announcement)


# The act that reveals the fault, and the broken protocol.
BROKEN_WIDE = {
    "two channels": ("publish", Protocol(candidate=MixesUpChannels)),
    "links lost twice": ("unlink twice", Protocol(candidate=ReconnectingMissesNothing)),
    "a channel that comes back": ("leave", Protocol(candidate=ReconnectingMissesNothing)),
    "the clock of Redis": ("clock", Protocol(redis=TrustsTheEndOfALease)),
    "a gap and the clock": ("clock", Protocol(redis=DropsAGapThatBeginsLater)),
    "clocks that differ": ("clock", Protocol(candidate=MeasuresSilenceByRedisClock)),
}
BROKEN = {
    "a killed recorder": ("kill", Protocol(recorder=BelievesLogIsComplete, redis=TakeoverWritesNoGap)),
    "a deleted log": ("delete", Protocol(redis=DeletingKeepsTheEpoch)),
    "off and on": ("off", Protocol(recorder=BelievesLogIsComplete, redis=SwitchingOnWritesNoGap)),
    "an older snapshot": ("restart", Protocol(redis=RestartWritesNoGap)),
    "other globs": ("publish", Protocol(recorder=ReceivesNoMessages)),
    "lost metadata": ("forget head", Protocol(redis=LostHeadKeepsTheEpoch)),
    "the first messages": ("kill", Protocol(recorder=BelievesItReceivedAll)),
    "an unreadable log": ("unreadable", Protocol(feed=UnreadableLogLeavesNoGap)),
    "pages that are alike": ("kill", Protocol(feed=ForgetsUnannouncedMessages)),
}


BROKEN_BUS = {
    "losses of the bus": (BUS, Protocol(candidate=IgnoresLossesOfTheBus)),
    "a loss and another gap": (BUS + 980, Protocol(recorder=AnyGapCoversTheLoss)),  # it is rare
}


def find(protocol: Protocol, kind: str, first: int = 0) -> int:
    for seed in range(first, first + FOUND_WITHIN):
        if not any(act.kind == kind for act in draw(seed)):
            continue
        try:
            play(seed, protocol)
        except (Broken, IndexError):  # a state machine may fail on the state of its broken neighbour
            return seed
    raise AssertionError(f"nothing was found in {FOUND_WITHIN} schedules")


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_protocol_is_found_out(fault: str) -> None:
    kind, protocol = BROKEN[fault]
    find(protocol, kind)


@pytest.mark.parametrize("fault", BROKEN_WIDE)
def test_a_broken_protocol_is_found_out_where_more_happens(fault: str) -> None:
    kind, protocol = BROKEN_WIDE[fault]
    find(protocol, kind, first=WIDE)


@pytest.mark.parametrize("fault", BROKEN_BUS)
def test_a_broken_protocol_is_found_out_on_a_cluster(fault: str) -> None:
    first, protocol = BROKEN_BUS[fault]
    find(protocol, "lose", first)


class AnotherVersionCloses(RedisDouble):
    """Another version, which announces a stop in a form that this version does not know."""

    def announce(self, announcement: Announcement) -> None:
        if not isinstance(announcement, Closed):
            super().announce(announcement)


@pytest.mark.parametrize("first", [0, WIDE])
def test_a_log_that_another_version_closes_keeps_every_promise(first: int) -> None:
    """As in a rolling restart: a process that misses the announcement learns it from the log."""
    seeds = [seed for seed in range(first, first + 200) if any(act.kind == "off" for act in draw(seed))]
    for seed in seeds[:25]:
        play(seed, Protocol(redis=AnotherVersionCloses))


def test_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """While Redis refuses writes, a page without a deadline would be live and show nothing."""
    monkeypatch.setattr(feed_module, "PATIENCE", 1 << 40)
    find(Protocol(), "refuse")


def test_a_failing_schedule_is_shrunk() -> None:
    kind, protocol = BROKEN["a deleted log"]
    seed = find(protocol, kind)
    acts = shrink(seed, protocol)
    assert 0 < len(acts) < STEPS // 4
    with pytest.raises(Broken):
        play(seed, protocol, acts)
