"""A log read back: the messages between two points, and a gap wherever something is missing."""

from collections.abc import Iterator
from typing import Any

from arauto.asking import Point
from arauto.logs import FIRST, GAP, HEADS, INSIDE, OUTSIDE, Entry, Hole, Id, Position, is_moment, log_of
from arauto.recording import Recording

PAGE = 1000  # entries read at a time, so that Redis is never busy for long
FIRST_PAGE = 10  # nobody knows yet how large they are
PAGE_BYTES = 4_000_000

NO_NUMBER = 2**53  # in the id of a moment, greater than the number of every entry

Found = Entry | Hole


def head(recording: Recording, channel: bytes) -> Position | None:
    """The end of the log; ``None`` if there never was one."""
    known: Any = recording.link.client.hget(HEADS, channel)
    return Position.read(known.partition(b" ")[0]) if known else None


def read(recording: Recording, channel: bytes, after: Id, until: Id) -> Iterator[list[Found]]:
    """What the log has after ``after``, up to and with ``until``, page by page.

    Where numbers are missing, a hole says so: at the beginning, within, and at the end.
    """
    client: Any = recording.link.client
    key, size = log_of(channel), FIRST_PAGE
    while after < until:
        page = client.xrange(key, f"({after}", str(until), count=size)
        found = _find(page, after)
        if page:
            after = Id.read(page[-1][0])
        if len(page) < size:
            found += _missing(after, until, until.n + 1)
            after = until
        if found:
            yield found
        weight = 1 + sum([sum(map(len, fields)) for _, fields in page])
        size = max(1, min(PAGE, len(page) * PAGE_BYTES // weight))


def _find(page: list[Any], after: Id) -> list[Found]:
    """What is in a page as Redis tells it: ids, each with its one field and that field's value.

    What others have written to the log is as if it were missing.
    """
    page = [entry for entry in page if _is_ours(entry[1])]
    if not page:
        return []
    found: list[Found] = [Entry(raw, data, field == OUTSIDE) for raw, (field, data) in page]
    first, last = Id.read(page[0][0]).n, Id.read(page[-1][0]).n
    # Numbers rise, so these two tell whether all are there.
    if first == after.n + 1 and last == after.n + len(page) and GAP not in {field for _, (field, _) in page}:
        return found
    with_holes: list[Found] = []
    for entry, (_, (field, data)) in zip(found, page, strict=True):
        id = entry.id
        if id.n <= after.n < NO_NUMBER:  # only a log that began anew counts from one again
            with_holes.append(Hole(id, after.ms, id.ms, "replaced"))
        else:
            with_holes += _missing(after, id, id.n)
        with_holes.append(Hole(id, int(data), id.ms, "recorder") if field == GAP else entry)
        after = id
    return with_holes


def _is_ours(fields: list[bytes]) -> bool:
    if len(fields) != 2:
        return False
    field, data = fields
    return field in (INSIDE, OUTSIDE) or (field == GAP and is_moment(data))


def _missing(after: Id, before: Id, n: int) -> list[Found]:
    missing = n - after.n - 1
    if after == FIRST or NO_NUMBER in (after.n, before.n) or missing <= 0:
        return []  # who asks for a time, or from the beginning, gets what there is
    return [Hole(before, after.ms, before.ms, "log", missing)]


def hole_before(recording: Recording, channel: bytes, ms: int) -> Hole | None:
    """What may be missing at the beginning, where the log does not reach back to this moment."""
    client: Any = recording.link.client
    oldest = client.xrange(log_of(channel), count=1)
    if oldest:
        id = Id.read(oldest[0][0])
        if id.n > 1 and id.ms > ms:
            return Hole(id, ms, id.ms, "log")
    return None


def _before_last(recording: Recording, channel: bytes, many: int) -> Id:
    """The id after which there are ``many`` messages, or all there are."""
    client: Any = recording.link.client
    key, newest, left = log_of(channel), "+", many + 1
    while left > 0:
        page = client.xrevrange(key, newest, count=min(left, PAGE))
        if len(page) < min(left, PAGE):
            return FIRST
        left -= len(page)
        newest = f"({page[-1][0].decode()}"
    return Id.read(newest.removeprefix("("))


def _moment(ms: int) -> Id:
    """The greatest id of what was written before this moment."""
    return Id(max(0, ms - 1), NO_NUMBER)


def place(recording: Recording, channel: bytes, point: Point | Position) -> Id:
    """The id behind which ``point`` is."""
    if isinstance(point, Position):
        return point.id
    if point.last is not None:
        return _before_last(recording, channel, point.last)
    if point.ms is not None:
        return _moment(point.ms)
    return point.id or FIRST
