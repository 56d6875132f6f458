"""A page in a topic, at any position and speed, with a fake Kafka in memory."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arauto.kafka_io import topic_ring
from arauto.kafka_io.connection import KafkaFailed, Trouble
from arauto.kafka_io.topic_list import Bounds
from arauto.kafka_io.topic_ring import Batch, TopicRing
from arauto.protocol.events import ErrorNotice, Item
from arauto.protocol.topic_events import (
    Produced,
    TopicAway,
    TopicChosen,
    TopicFollowed,
    TopicGap,
    topic_event,
)
from arauto.protocol.topics import Offsets, Record, Start, TopicEntry, TopicPlace
from arauto.sources import topic_cursor
from arauto.sources.topic_cursor import TopicCursor

EPOCH = "7Zk"
LINK: Any = None
AWAY = Trouble("away", "")


class Topic:
    """A topic of two partitions, and the ring of their reader; each record weighs 1."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, kept: int = 4) -> None:
        monkeypatch.setattr(topic_ring, "WEIGHT", kept)
        monkeypatch.setattr(topic_cursor, "PAGE", 3)
        monkeypatch.setattr(topic_cursor, "read_page", self._read_page)
        monkeypatch.setattr(topic_cursor, "find_bounds", self._bounds)
        monkeypatch.setattr(topic_cursor, "partitions_of", lambda link, topic: [*self.ends])
        self.ring = TopicRing()
        self.ends: Offsets = {0: 0, 1: 0}
        self.lows: Offsets = {0: 0, 1: 0}
        self.is_away = False
        self.ring.add(Batch([], self.ends, self.ends, 0), EPOCH, None)

    def come(self, partition: int, n: int = 1) -> Batch:
        start = self.ends[partition]
        items: list[Item] = [Produced("t", record(partition, at)) for at in range(start, start + n)]
        starts, self.ends = self.ends, self.ends | {partition: start + n}
        batch = Batch(items, starts, self.ends, n)
        self.ring.add(batch, EPOCH, None)
        return batch

    def page(self, start: Start | None = None) -> TopicCursor:
        return TopicCursor(LINK, "t", self.ring, start, lambda trouble: trouble.kind)

    def _bounds(self, link: Any, pairs: list[tuple[str, int]]) -> dict[tuple[str, int], Bounds]:
        self._answer()
        return {(topic, one): Bounds(self.lows[one], self.ends[one]) for topic, one in pairs}

    def _read_page(
        self, link: Any, topic: str, places: Offsets, ends: Offsets, most: int
    ) -> list[TopicEntry]:
        self._answer()
        entries: list[TopicEntry] = []
        for one in list(places):
            until = min(ends[one], places[one] + most - len(entries))
            entries += [record(one, at) for at in range(places[one], until)]
            places[one] = until
            if until == ends[one]:
                del places[one]
        return entries

    def _answer(self) -> None:
        if self.is_away:
            raise KafkaFailed("Kafka does not answer.")


def record(partition: int, offset: int) -> Record:
    return Record(partition, offset, None, [], b"", 1, False)


def drain(cursor: TopicCursor) -> list[Item]:
    found: list[Item] = []
    while items := cursor.next():
        found += items
    return found


def offsets(items: list[Item], partition: int) -> list[int]:
    records = [item.record for item in items if isinstance(item, Produced)]
    return [one.offset for one in records if one.partition == partition]


STEPS = st.lists(
    st.tuples(st.sampled_from(["come", "page", "fail", "return"]), st.integers(0, 1), st.integers(1, 6)),
    max_size=30,
)


@given(steps=STEPS)
def test_each_message_comes_once_and_in_order(steps: list[tuple[str, int, int]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        topic = Topic(patch)
        page, seen = topic.page(), []
        seen += drain(page)
        for step, partition, n in steps:
            match step:
                case "come":
                    topic.come(partition, n)
                case "page":  # a slow read
                    for _ in range(n):
                        seen += page.next()
                case "fail":
                    topic.is_away = True
                    seen += page.next()
                    topic.is_away = False
                case "return":  # with the place that the page writes
                    shown = {one: len(offsets(seen, one)) for one in (0, 1)}
                    page = topic.page(TopicPlace(EPOCH, shown))
        seen += drain(page)
        for one, end in topic.ends.items():
            assert offsets(seen, one) == list(range(end))
        assert isinstance(seen[-1], Produced | TopicFollowed)


class _Looking(TopicCursor):
    """Compares the whole state of the ring before each batch."""

    def next(self) -> list[Item]:
        self._settled = object()
        return super().next()


CHANGES = st.lists(
    st.tuples(
        st.sampled_from(
            ["come", "next", "next", "away", "leader", "truncated", "leaderless", "anew", "only"]
        ),
        st.integers(0, 1),
        st.integers(0, 3),
    ),
    max_size=40,
)


@given(changes=CHANGES)
def test_a_state_that_has_not_changed_need_not_be_compared(changes: list[tuple[str, int, int]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        topic = Topic(patch)
        patch.setattr(topic_cursor, "find_truncated", lambda link, topic, places, leaders: set())
        pages = [make(LINK, "t", topic.ring, None, lambda why: why.kind) for make in (TopicCursor, _Looking)]
        seen: list[list[Item]] = [drain(page) for page in pages]
        epoch, leaders, trouble = EPOCH, dict[int, int](), None

        def add(items: list[Item], starts: Offsets) -> None:
            topic.ring.add(Batch(items, starts, topic.ends, len(items), dict(leaders)), epoch, trouble)

        for change, partition, n in changes:
            starts = topic.ends
            match change:
                case "come":
                    first = starts[partition]
                    topic.ends = starts | {partition: first + n}
                    trouble = None
                    add([Produced("t", record(partition, at)) for at in range(first, first + n)], starts)
                case "next":
                    for page, items in zip(pages, seen, strict=True):
                        is_done, more = page.is_done, page.next()
                        assert not (is_done and more)
                        items += more
                case "away":
                    trouble = (None, AWAY, Trouble("leaderless", "1"), AWAY)[n]
                    if trouble is not None:
                        topic.ring.fail(trouble)
                case "leader":
                    leaders[partition] = n
                case "truncated" | "leaderless":
                    at = max(0, starts[partition] - n)
                    topic.ends = starts | {partition: at}
                    add([TopicGap("t", change, partition, at)], starts)
                case "anew":
                    epoch, topic.ends = f"{epoch}x", {0: 0, 1: 0}
                    add([], topic.ends)
                case "only":
                    for page in pages:
                        page.show(None if n else frozenset({partition}))
        for page, items in zip(pages, seen, strict=True):
            items += drain(page)
        assert seen[0] == seen[1]


def test_a_state_that_has_not_changed_is_compared_once(monkeypatch: pytest.MonkeyPatch) -> None:
    topic = Topic(monkeypatch)
    page = topic.page()
    drain(page)
    topic.come(0)
    drain(page)
    compared: list[Any] = []
    monkeypatch.setattr(TopicCursor, "_state", lambda _, now: compared.append(now))
    for _ in range(3):
        batch = topic.come(1)
        assert drain(page) == batch.items
    assert not compared
    topic.ring.fail(AWAY)
    drain(page)
    assert compared


@pytest.mark.parametrize("is_settled", [False, True])
def test_a_batch_that_comes_meanwhile_waits_for_its_state(
    monkeypatch: pytest.MonkeyPatch, is_settled: bool
) -> None:
    topic = Topic(monkeypatch)
    page = topic.page()
    drain(page)
    if is_settled:
        topic.come(0)
        drain(page)
    came: list[Item] = [Produced("t", record(1, 0))]
    places = dict(topic.ends)
    pass_on = TopicCursor._pass_on

    def pass_on_later(cursor: TopicCursor, *now: Any) -> list[Item]:
        monkeypatch.setattr(TopicCursor, "_pass_on", pass_on)
        topic.ring.add(Batch(came, places, places | {1: 1}, 1, {1: 8}), EPOCH, None)  # as another thread
        return pass_on(cursor, *now)

    monkeypatch.setattr(TopicCursor, "_pass_on", pass_on_later)
    assert page.next() == []
    assert drain(page) == [TopicFollowed("t", EPOCH, places, {1: 8}), *came]


def test_pages_at_the_end_are_given_the_very_same(monkeypatch: pytest.MonkeyPatch) -> None:
    topic = Topic(monkeypatch)
    pages = [topic.page(), topic.page(TopicPlace(EPOCH, {0: 0, 1: 0}))]
    for page in pages:
        assert drain(page) == [TopicChosen("t", True), TopicFollowed("t", EPOCH, {0: 0, 1: 0})]
    batch = topic.come(1)
    assert all(page.next() is batch.items for page in pages)


def test_who_is_too_far_behind_is_shown_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topic_cursor, "MOST_BEHIND", 10)
    topic = Topic(monkeypatch)
    page = topic.page()
    drain(page)
    for _ in range(8):
        topic.come(0, 2)
    topic.come(1, 1)
    seen = drain(page)
    assert seen[0] == TopicGap("t", "behind", 0, 0, 11)
    assert (offsets(seen, 0), offsets(seen, 1)) == ([11, 12, 13, 14, 15], [0])
    assert seen[-1] == TopicFollowed("t", EPOCH, {0: 16, 1: 1})


def test_another_topic_of_the_name_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    topic = Topic(monkeypatch)
    page = topic.page()
    topic.come(0, 3)
    drain(page)
    topic.ring.fail(Trouble("unknown", ""))
    assert drain(page) == [TopicAway("t", "unknown")]
    assert drain(page) == []
    topic.ends = {0: 1}
    topic.ring.add(Batch([], {0: 0}, {0: 0}, 0), "other", None)
    topic.ring.add(Batch([Produced("t", record(0, 0))], {0: 0}, {0: 1}, 1), "other", None)
    gap, *seen = drain(page)
    assert (gap, offsets(seen, 0)) == (TopicGap("t", "replaced"), [0])
    assert seen[-1] == TopicFollowed("t", "other", {0: 1})


def test_a_place_in_a_partition_that_the_reader_has_yet_to_see_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    topic = Topic(monkeypatch)
    seen_before = topic.ends
    topic.ends, topic.lows = topic.ends | {2: 3, 3: 1}, topic.lows | {2: 0, 3: 0}
    page = topic.page(TopicPlace(EPOCH, {0: 0, 1: 0, 2: 2, 3: 9, 99: 5}))
    assert drain(page)[-1] == TopicFollowed("t", EPOCH, {0: 0, 1: 0, 2: 2})
    begun = seen_before | {2: 0, 3: 0}
    items: list[Item] = [Produced("t", record(*one)) for one in ((2, 0), (2, 1), (2, 2), (3, 0))]
    topic.ring.add(Batch(items, begun, topic.ends, 4), EPOCH, None)
    seen = drain(page)
    assert (offsets(seen, 2), offsets(seen, 3)) == ([2], [0])


def test_what_the_reader_misses_is_shown_to_all(monkeypatch: pytest.MonkeyPatch) -> None:
    topic = Topic(monkeypatch)
    page = topic.page()
    topic.come(0, 3)
    drain(page)
    topic.ring.add(Batch([gap := TopicGap("t", "truncated", 0, 1)], topic.ends, {0: 1, 1: 0}, 0), EPOCH, None)
    topic.ends = {0: 1, 1: 0}
    topic.come(0)
    assert [items[0] for items in iter(page.next, [])] == [
        gap,
        TopicFollowed("t", EPOCH, {0: 1, 1: 0}),
        Produced("t", record(0, 1)),
    ]


def test_after_another_leader_kafka_is_asked_whether_it_has_what_a_page_was_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    topic, requests = Topic(monkeypatch), []

    def find_truncated(link: Any, name: str, places: Offsets, leaders: Offsets) -> set[int]:
        requests.append((places, leaders))
        return {0}

    monkeypatch.setattr(topic_cursor, "find_truncated", find_truncated)
    topic.come(0, 3)
    topic.ring.add(Batch([], topic.ends, topic.ends, 0, {0: 7, 1: 7}), EPOCH, None)
    followed = TopicFollowed("t", EPOCH, {0: 3, 1: 0}, {0: 7, 1: 7})
    assert topic_event(followed, 0, 0)["epoch"] == f"{EPOCH}.0:7,1:7"
    for leaders in ({0: 7, 1: 7}, {}):
        page = topic.page(TopicPlace(EPOCH, {0: 3, 1: 0}, leaders))
        assert drain(page) == [TopicChosen("t", True), followed]
    assert requests == []
    back = topic.page(TopicPlace(EPOCH, {0: 3, 1: 0}, {0: 6, 1: 7}))
    assert drain(back) == [TopicChosen("t", True), TopicGap("t", "truncated", 0, 3), followed]
    assert requests == [({0: 3}, {0: 6, 1: 7})]
    items: list[Item] = [Produced("t", record(0, 3))]
    topic.ring.add(Batch(items, topic.ends, {0: 4, 1: 0}, 1, {0: 8, 1: 7}), EPOCH, None)
    assert drain(page) == [followed._replace(leaders={0: 8, 1: 7}), *items], "its place is never without"


def test_a_page_has_the_leaders_of_what_it_was_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever it is disconnected or falls behind, its place shows that its messages were replaced."""
    topic = Topic(monkeypatch)
    monkeypatch.setattr(topic_cursor, "find_truncated", lambda *given: {0})
    topic.come(0, 3)
    topic.ring.add(Batch([], topic.ends, topic.ends, 0, {0: 7, 1: 7}), EPOCH, None)
    page, slow = topic.page(), topic.page()
    followed = TopicFollowed("t", EPOCH, {0: 3, 1: 0}, {0: 7, 1: 7})
    assert drain(page) == drain(slow) == [TopicChosen("t", True), followed]
    gap = TopicGap("t", "truncated", 0, 1)
    topic.ring.add(Batch([gap], topic.ends, {0: 1, 1: 0}, 0, {0: 8, 1: 7}), EPOCH, None)
    items: list[Item] = [Produced("t", record(0, at)) for at in range(1, 6)]
    topic.ends = {0: 6, 1: 0}
    topic.ring.add(Batch(items, {0: 1, 1: 0}, topic.ends, 1, {0: 9, 1: 7}), EPOCH, None)
    assert drain(page) == [gap, followed._replace(places={0: 1, 1: 0}, leaders={0: 9, 1: 7}), *items]
    for _ in range(6):
        topic.ring.add(Batch([], topic.ends, topic.ends, 1, {0: 9, 1: 7}), EPOCH, None)
    assert drain(slow)[0] == TopicGap("t", "truncated", 0, 3)


def test_trouble_is_reported_once_and_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    topic = Topic(monkeypatch)
    page = topic.page(TopicPlace(EPOCH, {0: 0, 1: 0}))
    topic.ring.fail(AWAY)
    assert drain(page) == [TopicChosen("t", True), TopicAway("t", "away")]
    topic.ring.fail(AWAY)
    assert page.next() == []
    assert not page.is_behind, "it waits for the ring"
    topic.ring.add(Batch([], topic.ends, topic.ends, 0), EPOCH, None)
    assert drain(page) == [TopicFollowed("t", EPOCH, topic.ends)]


def test_a_partition_that_gets_its_leader_late_has_no_gap_for_who_was_in_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    topic = Topic(monkeypatch)
    seen_before, bounds = topic.ends, topic._bounds
    topic.ends, topic.lows = topic.ends | {2: 7}, topic.lows | {2: 0}
    monkeypatch.setattr(topic_cursor, "find_bounds", lambda link, pairs: bounds(link, pairs[:2]))
    back = topic.page(TopicPlace(EPOCH, {0: 0, 1: 0, 2: 4}))
    level, new = topic.page(TopicPlace(EPOCH, {0: 0, 1: 0, 2: 7})), topic.page()
    assert [drain(page)[-1] for page in (back, level, new)] == [
        TopicFollowed("t", EPOCH, places) for places in ({0: 0, 1: 0, 2: 4}, {0: 0, 1: 0, 2: 7}, seen_before)
    ]
    monkeypatch.setattr(topic_cursor, "find_bounds", bounds)
    gap = TopicGap("t", "leaderless", 2, 7)
    topic.ring.add(Batch([gap], topic.ends, topic.ends, 0), EPOCH, None)
    topic.come(2)
    for page, gaps, shown in ((back, [], [4, 5, 6, 7]), (level, [], [7]), (new, [gap], [7])):
        seen = drain(page)
        assert ([one for one in seen if isinstance(one, TopicGap)], offsets(seen, 2)) == (gaps, shown)


def test_a_topic_that_is_made_anew_while_a_page_finds_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    topic = Topic(monkeypatch)
    topic.come(0, 3)
    bounds = topic._bounds

    def answer_late(link: Any, pairs: list[tuple[str, int]]) -> dict[tuple[str, int], Bounds]:
        found = bounds(link, pairs)
        monkeypatch.setattr(topic_cursor, "find_bounds", bounds)
        topic.ends = {0: 0}
        topic.ring.add(Batch([], topic.ends, topic.ends, 0), "other", None)
        return found

    monkeypatch.setattr(topic_cursor, "find_bounds", answer_late)
    assert drain(topic.page({0: 3})) == [
        TopicChosen("t", True), TopicGap("t", "replaced"), TopicFollowed("t", "other", {0: 0}),
    ]  # fmt: skip


def test_what_since_names_and_there_is_not_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    topic = Topic(monkeypatch)
    topic.come(0, 3)
    topic.lows[0] = 1
    page = TopicCursor(LINK, "t", topic.ring, {0: 0, 1: 5, 9: 1}, lambda found: f"{found.kind} {found.words}")
    _, *items = drain(page)
    assert items[:3] == [
        ErrorNotice("t: partition 1"),
        TopicGap("t", "retention", 0, 0, 1),
        ErrorNotice("t: beyond 1:0"),
    ]
    assert (offsets(items, 0), items[-1]) == ([1, 2], TopicFollowed("t", EPOCH, {0: 3, 1: 0}))
    topic.come(1)
    assert offsets(drain(page), 1) == [0]


@pytest.mark.parametrize("case", ["deleted", "never there", "there again"])
def test_a_page_of_a_missing_topic_begins_with_a_new_one(monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    """Also if the new one has messages before the page looks, and not if the old one is there again."""
    topic = Topic(monkeypatch)
    before, epoch = {0: 0, 1: 0}, "new"
    if case == "never there":
        topic.ring = TopicRing()
    elif case == "there again":
        before, epoch = topic.come(0, 3).ends, EPOCH
    else:
        topic.come(0, 3)
    topic.ring.fail(Trouble("unknown", ""))
    page = topic.page()
    drain(page)
    topic.ring.add(Batch([], before, before, 0), epoch, None)
    topic.ends = before | {0: before[0] + 2}
    came: list[Item] = [Produced("t", record(0, before[0] + n)) for n in range(2)]
    topic.ring.add(Batch(came, before, topic.ends, 2), epoch, None)
    assert offsets(drain(page), 0) == ([] if case == "there again" else [0, 1])
