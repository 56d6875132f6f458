"""The connection of each channel of a page on a cluster, and the page's events when that changes."""

from collections.abc import Iterable
from typing import Any

import pytest

from arauto.protocol.events import Gap, Item, LogGap, Lost, Numbered
from arauto.protocol.log_position import Position
from arauto.protocol.resume import ResumePoint
from arauto.protocol.selection import Change, Selection
from arauto.recording import cluster_tail
from arauto.recording.cluster_tail import ClusterTail
from arauto.recording.shard_follower import ShardFollower

A, B = ("a.example", 1), ("b.example", 2)
HERE = ResumePoint(Position("0123456789ab", 9, 1000))


class FakeSubscriber:
    """A double of a subscriber: its selection, and the methods that the tail uses."""

    def __init__(self, channels: Iterable[bytes]) -> None:
        self.channels = list(channels)
        self.is_quiet, self.lost_since = True, None
        self.is_running = False

    @property
    def is_empty(self) -> bool:
        return not self.channels

    def change(self, change: Change) -> None:
        self.channels = [
            name for name in [*self.channels, *change.subscribe] if name not in change.unsubscribe
        ]

    def join(self, patience: float) -> None:
        pass


class Rest:
    def __init__(self, link: Any, selection: Selection, deliver: Any, *more: Any) -> None:
        self.own, self.deliver = FakeSubscriber(selection.channels), deliver

    def __enter__(self) -> None:
        self.own.is_running = True

    def __exit__(self, *error: object) -> None:
        self.own.is_running = False


class Shard(ShardFollower):
    def __init__(self, means: Any, address: Any, points: Any, deliver: Any, move: Any, lacks: Any) -> None:
        self.address, self.points = address, dict(points)
        self.subscriber = FakeSubscriber(points)  # type: ignore[assignment]
        self.deliver, self.move = deliver, move

    def begin(self) -> None:
        self.subscriber.is_running = True  # type: ignore[attr-defined]

    def end(self) -> None:
        self.subscriber.is_running = False  # type: ignore[attr-defined]

    def reconcile(self) -> None:
        pass

    def add(self, points: Any) -> None:
        self.points |= points
        self.subscriber.change(Change(subscribe=tuple(points)))

    def remove(self, channels: Iterable[bytes]) -> dict[bytes, ResumePoint | None]:
        ours = [name for name in channels if name in self.subscriber.channels]
        self.subscriber.change(Change(unsubscribe=tuple(ours)))
        return {name: self.points.get(name) for name in ours}


class Means:
    """A cluster: channels that begin with b are at B, the others at A."""

    def __init__(self) -> None:
        self.link, self.timers, self.explain = self, self, None
        self.settle, self.looks = 0.5, list[Any]()

    def on_fault(self) -> None:
        raise AssertionError

    def after(self, seconds: float, look: Any) -> None:
        self.looks.append(look)

    def owners(self, channels: Iterable[bytes]) -> Any:
        return {name: B if name.startswith(b"b") else A for name in channels}


class Page:
    def __init__(self, *channels: bytes, recorded: Iterable[bytes] = ()) -> None:
        self.recorded, self.sent, self.means = set(recorded), list[list[Item]](), Means()
        self.tail = ClusterTail(
            self.means,  # type: ignore[arg-type]
            Selection(channels),
            dict.fromkeys(recorded, HERE),
            self.sent.append,
            self.recorded.__contains__,
        )
        self.tail.__enter__()

    @property
    def rest(self) -> Any:
        return self.tail._rest

    @property
    def shards(self) -> list[Any]:
        return list(self.tail._followers)

    def events_of(self, by: Any, *batch: Item) -> list[Item]:
        del self.sent[:]
        by.deliver(*([by] if isinstance(by, Shard) else []), list(batch))
        return [item for one in self.sent for item in one]

    def look(self) -> None:
        """Call the timer once."""
        if self.means.looks[-1]() is None:
            self.means.looks.pop()


@pytest.fixture(autouse=True)
def _doubles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_tail, "Subscribers", Rest)
    monkeypatch.setattr(cluster_tail, "ShardFollower", Shard)


def confirmed(channel: bytes) -> Item:
    return [b"subscribe", channel, 1]


def test_each_connects_where_it_has_something_to_listen_to() -> None:
    page = Page(b"a1", b"a2", b"b1", recorded=(b"a1", b"a2", b"b1"))
    assert {one.address: one.subscriber.channels for one in page.shards} == {A: [b"a1", b"a2"], B: [b"b1"]}
    assert not page.rest.own.is_running
    page.tail.change(Change(subscribe=(b"plain",)))
    assert page.rest.own.is_running
    only_rest = Page(b"plain")
    assert (only_rest.rest.own.is_running, only_rest.shards) == (True, [])
    assert Page().rest.own.is_running


def test_a_channel_that_is_switched_on_is_followed_once_the_rest_is_done_with_it() -> None:
    page = Page(b"a", b"plain")
    page.events_of(page.rest, confirmed(b"a"), confirmed(b"plain"))
    page.recorded.add(b"a")
    page.tail.reconcile()
    assert page.rest.own.channels == [b"plain"]
    page.rest.own.is_quiet = False
    page.look()
    page.look()
    assert page.shards == []
    page.rest.own.is_quiet = True
    page.look()
    assert page.shards == []  # the last messages may still be on their way to other nodes
    assert page.events_of(page.rest, [b"message", b"a", b"1"], [b"unsubscribe", b"a", 0]) == [
        [b"message", b"a", b"1"]
    ]
    page.look()
    (shard,) = page.shards
    gap, confirmation = page.events_of(shard, confirmed(b"a"))
    assert (gap.channel, gap.hole.reason, confirmation) == (b"a", "recorder", confirmed(b"a"))  # type: ignore[union-attr]
    assert page.events_of(shard, confirmed(b"a")) == [confirmed(b"a")]


def test_a_channel_that_is_removed_on_its_way_is_not_followed() -> None:
    page = Page(b"a")
    page.recorded.add(b"a")
    page.tail.reconcile()
    page.look()
    page.tail.change(Change(unsubscribe=(b"a",)))
    page.look()
    assert page.shards == []
    assert page.events_of(page.rest, [b"unsubscribe", b"a", 0]) == [[b"unsubscribe", b"a", 0]]


@pytest.mark.parametrize(("point", "gaps"), [(HERE, 0), (None, 1)])
def test_a_channel_whose_slot_moves_without_a_place_may_lack_messages(
    point: ResumePoint | None, gaps: int
) -> None:
    page = Page(b"a1", b"a2", recorded=(b"a1", b"a2"))
    (one,) = page.shards
    one.points[b"a1"], one.subscriber.lost_since = point, 1000.0
    one.move(one, {b"a1": B})
    other = page.shards[1]
    assert (one.subscriber.channels, other.subscriber.channels) == ([b"a2"], [b"a1"])
    items = page.events_of(other, confirmed(b"a1"))
    assert [item.hole.start for item in items if isinstance(item, LogGap)] == [1_000_000] * gaps


def test_a_follower_without_channels_ends_and_gets_none_any_more() -> None:
    page = Page(b"a", recorded=(b"a",))
    (one,) = page.shards
    page.tail.change(Change(unsubscribe=(b"a",)))
    one.move(one, {})
    assert (page.shards, one.subscriber.is_running) == ([], False)
    page.tail.change(Change(subscribe=(b"a",)))
    assert page.shards != [one]


def test_a_shard_that_is_lost_leaves_the_others_confirmed() -> None:
    page = Page(b"a", b"b", b"plain", recorded=(b"a", b"b"))
    one, other = page.shards
    for by, name in ((one, b"a"), (other, b"b"), (page.rest, b"plain")):
        page.events_of(by, confirmed(name))
    lost = Lost(1.0, "gone")
    assert page.events_of(one, lost) == [lost, confirmed(b"b"), confirmed(b"plain")]
    items = page.events_of(one, Gap(1.0, 2.0), confirmed(b"a"))
    assert [item.channel for item in items if isinstance(item, LogGap)] == [b"a"]


def test_one_loss_is_one_row() -> None:
    page = Page(b"a", recorded=(b"a",))
    (one,) = page.shards
    (gap,) = page.events_of(one, Gap(1.0, 2.0))
    assert page.events_of(one, gap) == []


def test_a_batch_of_messages_is_handed_on_as_it_is() -> None:
    page = Page(b"a", recorded=(b"a",))
    batch: list[Item] = [Numbered(b"a", Position("0123456789ab", 10, 1000), b"1")]
    page.shards[0].deliver(page.shards[0], batch)
    assert page.sent[-1] is batch


def test_nothing_begins_or_comes_once_the_page_has_left() -> None:
    page = Page(b"a", b"b", recorded=(b"b",))
    page.recorded.add(b"a")
    page.tail.reconcile()
    (one,) = page.shards
    page.tail.__exit__(None, None, None)
    page.look()
    one.move(one, {b"b": A})
    assert page.events_of(one, [b"message", b"b", b"1"]) == []
    assert not any(each.subscriber.is_running for each in page.shards)
