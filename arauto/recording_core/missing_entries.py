"""Whether and why entries are missing between two entries of a log, for pages and for the API (pure)."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from arauto.recording_core.feed_steps import Pages


def why_missing(after: int, number: int, starts: Sequence[int], reaches_back: Callable[[], bool]) -> str:
    """The reason of the gap between two entries, by their numbers; empty: none is missing.

    :param starts: the number before each epoch, oldest first.
    :param reaches_back: whether nothing behind ``after`` has been trimmed.
    """
    if number <= after + 1:
        return ""
    if starts and after < starts[0] < number:
        return "replaced"
    # Numbers may jump where an epoch begins: its gap entry says what is missing.
    return "" if number - 1 in starts and reaches_back() else "log"


def with_missing(pages: Pages, after: int, starts: Sequence[int], reaches_back: Callable[[], bool]) -> Pages:
    """Pages that were read behind ``after``, with the reasons of missing entries filled in."""
    entries, skipped = [], 0
    for entry in pages.entries:
        why = why_missing(after, entry.number, starts, reaches_back)
        entries.append(replace(entry, missing=why) if why else entry)
        skipped += 0 if why else entry.number - after - 1
        after, reaches_back = entry.number, _is_read
    why = why_missing(after, pages.end.number + 1, starts, reaches_back)
    skipped += 0 if why else pages.end.number - after
    return replace(pages, entries=entries, missing=why, skipped=skipped)


def _is_read() -> bool:
    """Nothing behind an entry that was just read has been trimmed."""
    return True
