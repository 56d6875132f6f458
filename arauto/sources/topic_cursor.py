"""The position of one page in one topic: at the ring that pages share, or behind it, reading by itself."""

from collections.abc import Callable
from itertools import takewhile

from arauto.kafka_io.connection import KafkaFailed, KafkaLink, Trouble
from arauto.kafka_io.topic_list import Bounds, find_bounds, partitions_of
from arauto.kafka_io.topic_pages import read_page
from arauto.kafka_io.topic_ring import Batch, Now, TopicRing, covers
from arauto.kafka_io.truncation import find_truncated
from arauto.protocol.events import ErrorNotice, Item
from arauto.protocol.topic_events import Produced, TopicAway, TopicChosen, TopicFollowed, TopicGap
from arauto.protocol.topic_names import TopicName
from arauto.protocol.topics import (
    BEGINNING,
    NONE,
    Offsets,
    Start,
    TopicEntry,
    TopicPlace,
    Trimmed,
    write_places,
)
from arauto.sources.topic_reading import offsets_at

PAGE = 2000  # messages that are read at a time
MOST_LEADERS = 20  # partitions up to which a place includes leader epochs: it is part of a URL
MOST_BEHIND = 20_000  # messages; of more than these a page is sent the newest

Say = Callable[[Trouble], str]
"""Makes a sentence of it."""


class TopicCursor:
    """Returns the items that the page has not been sent yet, in order, and none twice.

    :param start: where to begin; ``None``: from now on.
    """

    # Thousands of pages may each have some.
    __slots__ = (
        "_epoch", "_gone", "_is_sent", "_joined", "_leaders", "_link", "_number", "_only", "_places", "_ring",
        "_say", "_sent", "_settled", "_start", "_topic", "is_chosen",
    )  # fmt: skip

    def __init__(self, link: KafkaLink, topic: str, ring: TopicRing, start: Start | None, say: Say) -> None:
        self._link = link
        self._topic = topic
        self._ring = ring
        self._start = start
        self._say = say
        self._number: int | None = None  # of the next batch; None: the page is behind
        self._joined = 0  # batches before this number are past messages
        self._places: Offsets | None = None  # None: still to be found
        self._epoch = ""
        self._gone: str | None = None  # the topic's id when the page found it missing; "" if it never had one
        self._only: frozenset[int] | None = None
        self.is_chosen = False
        """Whether the page was sent the confirmation of the topic."""
        self._is_sent = False  # whether the page has the current state
        self._sent: tuple[Trouble | None, frozenset[int]] = None, frozenset()
        self._settled: object = None  # the ring's state that the page was sent, at the end of the ring
        self._leaders = NONE  # as last sent

    @property
    def is_behind(self) -> bool:
        """Whether there is more to read without a change of the ring."""
        return self._number is None and _can_be_read(self._ring.now)

    @property
    def is_done(self) -> bool:
        """Whether the page was sent everything up to now."""
        now = self._ring.now
        return self._is_sent and self._number == now.number and now.state is self._settled

    @property
    def is_gone(self) -> bool:
        """Whether the topic does not exist."""
        return _is_gone(self._ring.now)

    def show(self, only: frozenset[int] | None) -> None:
        """Select partitions; ``None``: all."""
        if only != self._only:
            self._only, self._is_sent = only, False  # the page has no place in others yet

    def next(self) -> list[Item]:
        """The next items, which must not be changed; empty: there are no more now."""
        now = self._ring.now
        if self._is_sent and self._number is not None and now.state is self._settled:
            return self._pass_on(now)
        if not self.is_chosen:
            self.is_chosen = now.ends is not None or now.trouble is not None
            return [TopicChosen(self._topic, is_added=True)] if self.is_chosen else []
        if self._number is None:
            try:
                if items := self._catch_up(now):
                    return items
            except KafkaFailed:
                self._begin_again()
        now = self._ring.now
        return self._state(now) or self._pass_on(now)

    # Behind

    def _catch_up(self, now: Now) -> list[Item]:
        """The next items, until the page is at the ring."""
        if _is_gone(now):
            self._gone = now.epoch
        while now.ends is not None and _can_be_read(now):
            gaps: list[Item] = []
            if self._places is not None and (now.epoch != self._epoch or _behind(self._places, now.ends)):
                self._begin_again()
            if self._places is None:
                if self._start is None and self._gone not in (None, now.epoch):
                    self._start = BEGINNING  # the topic was created since
                places, gaps = self._locate(self._start, now, now.ends)
                self._places, self._epoch = places, now.epoch
            self._joined = self._ring.now.number  # first: a batch that comes meanwhile is new
            self._number = self._ring.find(self._places, self._epoch)
            if self._number is not None:
                return gaps
            if items := gaps or (now.epoch == self._ring.now.epoch and self._read(self._places, now.ends)):
                return items
            now = self._ring.now
        return []

    def _begin_again(self) -> None:
        if self._places is not None:
            self._start, self._places = TopicPlace(self._epoch, self._places, self._leaders), None
        self._number, self._is_sent = None, False

    def _locate(self, start: Start | None, now: Now, ends: Offsets) -> tuple[Offsets, list[Item]]:
        """The offsets to go on from, and gaps for what is missing before them."""
        if start is None:
            return ends, []
        is_replaced = isinstance(start, TopicPlace) and start.epoch not in ("", now.epoch)
        if isinstance(start, TopicPlace) and not is_replaced and self._is_in_ring(start, now):
            return start.offsets, []
        newer, gaps = ({}, []) if is_replaced else self._newer(start, ends)
        found = find_bounds(self._link, [(self._topic, one) for one in ends | newer])
        bounds = {one: bound for (_, one), bound in found.items()}
        beyond: Offsets = {}  # ends of partitions that end before the offset in the URL
        if is_replaced:
            gaps.append(TopicGap(self._topic, "replaced"))
            wanted: Offsets = {}
        elif isinstance(start, TopicPlace):
            wanted = start.offsets
        elif isinstance(start, dict):
            wanted = ends | start
        else:
            wanted = offsets_at(self._link, self._topic, start, bounds)
        truncated = self._truncated(start, now, bounds) if isinstance(start, TopicPlace) else set()
        places: Offsets = {}
        for one, end in ends.items():
            if not self._shows(one):
                places[one] = end
                continue
            if one not in bounds:
                places[one] = end
                if (at := wanted.get(one, end)) < end:
                    gaps.append(TopicGap(self._topic, "leaderless", one, at, end - at))
                continue
            low, high = bounds[one]
            at = wanted.get(one, low)  # a new partition begins at low
            places[one] = min(max(at, low), high)
            if at < low:
                gaps.append(TopicGap(self._topic, "retention", one, at, low - at))
            elif at > high and isinstance(start, dict):  # named by a person, so nothing was lost
                beyond[one] = high
            elif at > high or one in truncated:
                gaps.append(TopicGap(self._topic, "truncated", one, min(at, high)))
        if beyond:
            gaps.append(self._note(Trouble("beyond", write_places(beyond))))
        # Without a leader now, the offset is checked once there is one.
        places |= {one: at for one, at in newer.items() if one not in bounds or at <= bounds[one].high}
        return places, gaps + self._leave_out(places, ends)

    def _newer(self, start: Start, ends: Offsets) -> tuple[Offsets, list[Item]]:
        """Places in partitions that our reader has not seen yet, but that of another process has."""
        named = start.offsets if isinstance(start, TopicPlace) else start
        if not isinstance(named, dict) or named.keys() <= ends.keys():
            return {}, []
        there = partitions_of(self._link, self._topic)
        newer = {one: at for one, at in named.items() if one in there and one not in ends}
        is_wrong = isinstance(start, dict) and not named.keys() <= set(there)
        return newer, [self._note(Trouble("partition", str(there[-1])))] if is_wrong and there else []

    def _note(self, found: Trouble) -> Item:
        return ErrorNotice(f"{self._topic}: {self._say(found)}")

    def _is_in_ring(self, start: TopicPlace, now: Now) -> bool:
        places, is_same = start.offsets, start.leaders.items() <= now.leaders.items()
        return is_same and self._ring.find(places, now.epoch) is not None and covers(now.ends or {}, places)

    def _truncated(self, start: TopicPlace, now: Now, bounds: dict[int, Bounds]) -> set[int]:
        """Partitions whose leader has changed since, and that have lost messages which the page was sent."""
        if start.epoch != now.epoch:
            return set()
        left = {
            one: at
            for one, at in start.offsets.items()
            if now.leaders.get(one) != start.leaders.get(one, now.leaders.get(one))
            and one in bounds
            and bounds[one].low <= at <= bounds[one].high
        }
        return find_truncated(self._link, self._topic, left, start.leaders) if left else set()

    def _leave_out(self, places: Offsets, ends: Offsets) -> list[Item]:
        """Advance ``places`` to the newest messages where catching up would take too long."""
        if not _behind(places, ends):
            return []
        left = {one: end - places[one] for one, end in ends.items() if end > places[one]}
        each = MOST_BEHIND // len(left)
        gaps: list[Item] = []
        for one, n in left.items():
            if n > each:
                gaps.append(TopicGap(self._topic, "behind", one, places[one], n - each))
                places[one] = ends[one] - each
        return gaps

    def _read(self, places: Offsets, ends: Offsets) -> list[Item]:
        left = {one: places.get(one, 0) for one, end in ends.items() if places.get(one, 0) < end}
        if not left:
            return []
        wanted = dict.fromkeys(left)
        entries = read_page(self._link, self._topic, left, ends, PAGE)
        self._places = places | {one: left.get(one, ends[one]) for one in wanted}
        return [self._item(entry) for entry in entries if self._shows(entry.partition)]

    def _shows(self, partition: int | None) -> bool:
        return self._only is None or partition is None or partition in self._only

    def _item(self, entry: TopicEntry) -> Item:
        if isinstance(entry, Trimmed):
            return TopicGap(self._topic, "retention", entry.partition, entry.offset, entry.low - entry.offset)
        return Produced(self._topic, entry, is_past=True)

    # At the ring

    def _pass_on(self, now: Now) -> list[Item]:
        """The next items up to ``now``: those of a later batch wait for their state, which is sent first."""
        while self._number is not None and self._number < now.number:
            is_newest = self._number == now.number - 1
            batch = now.newest if is_newest else self._ring.get(self._number)
            has_gap = batch is not None and _begins_with_gap(batch)
            if (
                batch is None
                or self._epoch != self._ring.now.epoch
                or (has_gap and self._knows_better(batch))
            ):
                self._number = None  # the page is slow, the topic was created again, or the page knows more
                if batch is None and self._leaders != _if_few(self._ring.now.leaders):
                    self._begin_again()  # the gap of a new leader was in a batch that was dropped
                return self.next()
            self._number += 1
            self._is_sent = self._is_sent and not has_gap
            is_past = self._number <= self._joined
            if items := self._shown(self._new_in(batch, is_past, has_gap)):
                return items
        return []

    def _knows_better(self, batch: Batch) -> bool:
        """Whether the page is ahead of the reader in a partition that has just got a leader."""
        late = _late(batch)
        places = self._places or {}
        return any(places.get(one, at) < at for one, at in batch.starts.items() if one in late)

    def _shown(self, items: list[Item]) -> list[Item]:
        """The items of selected partitions; the same list if all are selected."""
        return items if self._only is None else [one for one in items if self._shows(_partition_of(one))]

    def _new_in(self, batch: Batch, is_past: bool, has_gap: bool) -> list[Item]:
        places = self._places or {}
        if places == batch.starts and not is_past and not (has_gap and _late(batch)):
            self._places = batch.ends
            return batch.items
        ends = {one: max(places.get(one, 0), end) for one, end in batch.ends.items()}
        items: list[Item] = []
        for item in batch.items:
            if isinstance(item, TopicGap):
                if item.reason == "leaderless" and item.partition in places:
                    continue
                items.append(item)
                if item.reason == "truncated" and item.partition is not None:
                    ends[item.partition] = batch.ends[item.partition]
            elif isinstance(item, Produced) and item.record.offset >= places.get(item.record.partition, 0):
                items.append(item._replace(is_past=is_past))
        self._places = places | ends
        return items

    # The state of the topic

    def _state(self, now: Now) -> list[Item]:
        """The state, if it differs from the one that was sent last."""
        is_behind = self._number is None or self._number < self._joined or self._epoch != now.epoch
        if is_behind and _can_be_read(now):
            return []  # it is sent after the past messages
        missing = frozenset() if now.trouble else (self._only or frozenset()) - (now.ends or {}).keys()
        leaders = self._leaders_of_next(now)
        if self._is_sent and (self._sent, self._leaders) == ((now.trouble, missing), leaders):
            if self._number == now.number:
                self._settled = now.state
            return []
        self._is_sent, self._sent, self._leaders = True, (now.trouble, missing), leaders
        if now.trouble is not None:
            return [TopicAway(self._topic, self._say(now.trouble))]
        followed = TopicFollowed(self._topic, self._epoch, dict(self._places or {}), leaders)
        why = self._say(Trouble("unknown", ""))
        return [followed, *(TopicAway(TopicName(self._topic, one).text, why) for one in sorted(missing))]

    def _leaders_of_next(self, now: Now) -> Offsets:
        """The leaders of the next batch, sent before it: if the page loses the batch, they show that.

        A gap is sent before its leaders: the messages that replace the lost ones are of another leader.
        """
        if self._number is None or self._number >= now.number:
            return _if_few(now.leaders)
        batch = self._ring.get(self._number)
        if batch is None or _begins_with_gap(batch):
            return self._leaders
        return _if_few(batch.leaders)


def _if_few(leaders: Offsets) -> Offsets:
    return leaders if len(leaders) <= MOST_LEADERS else NONE


def _is_gone(now: Now) -> bool:
    return now.trouble is not None and now.trouble.kind == "unknown"


def _can_be_read(now: Now) -> bool:
    return now.ends is not None and (now.trouble is None or now.trouble.kind == "leaderless")


def _late(batch: Batch) -> set[int | None]:
    """The partitions whose messages before ``batch`` the reader does not know."""
    if not _begins_with_gap(batch):
        return set()
    gaps = takewhile(lambda one: isinstance(one, TopicGap), batch.items)
    return {one.partition for one in gaps if isinstance(one, TopicGap) and one.reason == "leaderless"}


def _begins_with_gap(batch: Batch) -> bool:
    return bool(batch.items) and isinstance(batch.items[0], TopicGap)


def _partition_of(item: Item) -> int | None:
    if isinstance(item, Produced):
        return item.record.partition
    return item.partition if isinstance(item, TopicGap) else None


def _behind(places: Offsets, ends: Offsets) -> bool:
    return sum(max(0, end - places.get(one, 0)) for one, end in ends.items()) > MOST_BEHIND
