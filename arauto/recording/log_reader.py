"""Reads a log between two points: messages, and a hole wherever some are missing."""

from bisect import bisect_right
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from arauto.protocol.log_entries import FIRST, Hole, Id, LogEntry, Message, Volume
from arauto.protocol.log_position import Position
from arauto.protocol.log_query import Point
from arauto.recording.log_store import PAGE, Store
from arauto.recording_core.log_head import Head
from arauto.recording_core.missing_entries import why_missing

FIRST_PAGE = 10  # entries, as their size is unknown yet
PAGE_BYTES = 4_000_000

MOST_EPOCHS = 20  # whose gap entries are looked up at once; there may be 70

NO_NUMBER = 2**53  # in an id made from a time: greater than the number of every entry


class Log:
    """The log of a channel, up to its end at the time when this object was made.

    ``until``: everything published before was in it then, in Unix milliseconds (0: unknown).
    """

    def __init__(self, store: Store, channel: bytes, head: Head) -> None:
        self._store = store
        self._channel = channel
        self._epoch = head.end.epoch
        self._epoch_starts = head.starts or (0,)
        self.end = Id(head.end.ms, head.end.number)
        self.until = head.until

    @classmethod
    def open(cls, store: Store, channel: bytes) -> "Log | None":
        """``None``: there is no log."""
        head = store.head(channel)
        return cls(store, channel, head) if head else None

    def read(self, after: Id, until: Id) -> Iterator[list[LogEntry]]:
        """The entries after ``after``, up to and including ``until``, page by page.

        Where some are missing there is a hole: at the beginning, within, and at the end.
        """
        size = FIRST_PAGE
        read_to = after
        while read_to < until:
            page = self._store.entries(self._channel, f"({read_to}", str(until), size)
            ours = [entry for entry in page if _is_ours(entry[1])]
            found = self._find(ours, after)
            read_to = Id.read(page[-1][0]) if page else until
            after = Id.read(ours[-1][0]) if ours else after
            if len(page) < size:
                found += self._missing(after, until, until.n + 1)
                read_to = until
            if found:
                yield found
            weight = 1 + sum([sum(map(len, fields)) for _, fields in page])
            size = next_size(len(page), weight)

    def volume(self, since: Point, until: Point | None, parts: int) -> Volume | None:
        """Count by the numbers of entries, without reading them. ``None``: there are none.

        Entries of other clients of Redis count too.
        """
        start = since.ms
        if start is None:
            first = self._first(self.place(since, None if until is None else self.place(until)))
            if first is None:
                return None
            start = first.ms
        end = self.end.ms + 1 if until is None else self.place(until).ms + 1
        end = max(end, start + 1)
        numbers = self._epoch_starts[-MOST_EPOCHS:]
        places, gaps = self._store.places(self._channel, start, end, parts, numbers)
        counts = [self._between(*pair) for pair in pairwise(places)]
        for ms, _ in gaps:
            at = bisect_right(range(parts), ms, key=lambda part: start + (end - start) * part // parts) - 1
            counts[at] = max(0, counts[at] - 1)
        return Volume(start, end, counts, [(min(gap or ms, ms), ms) for ms, gap in gaps])

    def _between(self, number: int, other: int) -> int:
        """How many entries; where one log has replaced another, only those of the newer."""
        begun = self._epoch_starts[0]
        return other - (max(number, begun + 1) if number <= begun < other else number)

    def place(self, point: Point, until: Id | None = None) -> Id:
        """The id directly before ``point``; "last" counts back from ``until``, or else from the end."""
        if point.last is not None:
            return self._before_last(point.last, until)
        if point.ms is not None:
            return Id(max(0, point.ms - 1), NO_NUMBER)
        return point.id or FIRST

    def locate(self, point: Point) -> Position:
        """As :meth:`place`, as a position: every later entry of the log has a greater number."""
        id = min(self.place(point), self.end)
        if id.n in (0, NO_NUMBER):
            first = self._first(id)
            id = Id(first.ms, first.n - 1) if first else self.end
        return Position(self._epoch, id.n, id.ms)

    def hole_before(self, ms: int) -> Hole | None:
        """The hole at the beginning, if the log does not reach back to ``ms``."""
        first = self._first(FIRST)
        if first and first.ms > ms and first.n != self._epoch_starts[0] + 1:
            return Hole(first, ms, first.ms, "log")
        return None

    def _find(self, page: list[Any], after: Id) -> list[LogEntry]:
        """Parse our entries as Redis returns them: ids, each with one field and its value.

        Entries of other clients of Redis count as missing.
        """
        if not page:
            return []
        found: list[LogEntry] = [Message(raw, data) for raw, (_, data) in page]
        first, last = Id.read(page[0][0]).n, Id.read(page[-1][0]).n
        # Numbers rise, so these two show whether all are there.
        is_whole = first == after.n + 1 and last == after.n + len(page)
        if is_whole and b"gap" not in {field for _, (field, _) in page}:
            return found
        with_holes: list[LogEntry] = []
        for message, (raw, (field, data)) in zip(found, page, strict=True):
            id = Id.read(raw)
            if id.n <= after.n < NO_NUMBER:  # only a new log counts from one again
                with_holes.append(Hole(id, after.ms, id.ms, "replaced"))
            else:
                with_holes += self._missing(after, id, id.n)
            since = int(data) or after.ms or id.ms if field == b"gap" else 0
            with_holes.append(Hole(id, since, id.ms, "recorder") if since else message)
            after = id
        return with_holes

    def _missing(self, after: Id, before: Id, n: int) -> list[LogEntry]:
        """The hole between ``after`` and the number ``n``.

        There is none after a time or the beginning: then no number says what should be there.
        """
        if after.n in (0, NO_NUMBER) or before.n == NO_NUMBER:
            return []
        starts = self._epoch_starts
        why = why_missing(after.n, n, starts, lambda: self._store.reaches_back(self._channel, after))
        if not why:
            return []
        # Numbers may jump where an epoch begins.
        is_counted = why == "log" and not any(after.n < start < n for start in starts)
        return [Hole(before, after.ms, before.ms, why, n - after.n - 1 if is_counted else None)]

    def _first(self, after: Id) -> Id | None:
        """Our first entry behind ``after``."""
        size = 1
        while page := self._store.entries(self._channel, f"({after}", "+", size):
            for raw, fields in page:
                if _is_ours(fields):
                    return Id.read(raw)
            after, size = Id.read(page[-1][0]), min(2 * size, PAGE)
        return None

    def _before_last(self, many: int, until: Id | None) -> Id:
        """The id after which there are ``many`` messages up to ``until``, or all, without gap entries."""
        newest, left = str(until or self.end), many
        while True:
            size = min(left + FIRST_PAGE, PAGE)
            page = self._store.newest(self._channel, newest, size)
            for raw, fields in filter(lambda entry: _is_ours(entry[1]), page):
                if not left:
                    return Id.read(raw)
                left -= fields[0] != b"gap"
            if len(page) < size:
                return FIRST
            newest = f"({page[-1][0].decode()}"


def next_size(entries: int, weight: int) -> int:
    """How many entries to read next, if the last ``entries`` had ``weight`` bytes together."""
    return max(1, min(PAGE, entries * PAGE_BYTES // weight))


def _is_ours(fields: list[bytes]) -> bool:
    if len(fields) != 2:
        return False
    field, value = fields
    # o: as earlier versions wrote messages of other publishers
    return field in (b"m", b"o") or (field == b"gap" and value.isdigit() and len(value) <= 15)
