"""The promises that must hold after every schedule."""

import itertools
from collections.abc import Sequence

from arauto.recording_core.feed_steps import Entry, Gap, Show

Published = Sequence[tuple[bytes, int]]
Rows = Sequence[Show | Gap]


class Broken(AssertionError):
    """A promise was not kept."""


def rows_of(entries: Sequence[Entry]) -> Rows:
    """A log as a page would show it."""
    return [Gap(entry.since, entry.ms, "") if entry.data is None else Show(entry.data) for entry in entries]


def check_rows(name: str, rows: Rows, published: Published, is_from_first: bool = False) -> None:
    """Check that no message comes twice or out of order, and that missing ones were published within a gap.

    Nothing is promised before the first row. All messages must differ. A log that takes the place of another
    may repeat messages. The first messages of a log may have been published long before it began: a page
    that begins there does not know the start of a gap (``is_from_first``).
    """
    names = [data for data, _ in published]
    shown = [names.index(row.data) for row in rows if isinstance(row, Show)]
    if not shown or shown[-1] != len(names) - 1:
        raise Broken(f"{name} does not end with the last message")
    if len(shown) != len(set(shown)):
        raise Broken(f"{name}: one of {shown} came twice")
    stretches: list[list[int]] = [[]]
    for row in rows:
        if isinstance(row, Show):
            stretches[-1].append(names.index(row.data))
        elif row.reason == "replaced":
            stretches.append([])
    for before, after in itertools.chain.from_iterable(map(itertools.pairwise, stretches)):
        if after < before:
            raise Broken(f"{name}: {names[after]!r} came after {names[before]!r}")
    gaps = [(row.start, row.end) for row in rows if isinstance(row, Gap)]
    for missing in set(range(shown[0], len(names))) - set(shown):
        data, at = published[missing]
        behind = [(at, row.end) for row in _rows_behind(missing, rows, names) if isinstance(row, Gap)]
        if not any(start <= at <= end for start, end in gaps + (behind if is_from_first else [])):
            raise Broken(f"{name} lacks {data!r} of {at}, which is in none of {gaps}")


def _rows_behind(missing: int, rows: Rows, names: Sequence[bytes]) -> Rows:
    """The rows after the last message shown that was published before ``missing``."""
    before = [n for n, row in enumerate(rows) if isinstance(row, Show) and names.index(row.data) < missing]
    return rows[before[-1] :]


def check_equal_rows(name: str, rows: Rows, published: Published) -> None:
    """As :func:`check_rows`, for equal messages: the rows between two gaps must be consecutive messages."""
    contents = [data for data, _ in published]
    at = 0
    stretches: list[list[bytes]] = [[]]
    for row in rows:
        if isinstance(row, Show):
            stretches[-1].append(row.data)
        else:
            stretches.append([])
    for n, stretch in enumerate(stretches):
        at = _place(name, stretch, contents, at, is_last=n == len(stretches) - 1)


def _place(name: str, stretch: list[bytes], contents: list[bytes], at: int, is_last: bool) -> int:
    size = len(stretch)
    starts = [len(contents) - size] if is_last else range(at, len(contents) - size + 1)
    for start in starts:
        if start >= at and contents[start : start + size] == stretch:
            return start + size
    shown, rest = b" ".join(stretch).decode(), b" ".join(contents[at:]).decode()
    raise Broken(f"{name}: [{shown}] was not published then: {rest}")
