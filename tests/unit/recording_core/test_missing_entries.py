"""The reason why entries are missing between two entries of a log."""

import pytest

from arauto.protocol.log_position import Position
from arauto.recording_core.feed_steps import Entry, Pages
from arauto.recording_core.missing_entries import why_missing, with_missing

STARTS = (10, 900)


@pytest.mark.parametrize(
    ("after", "number", "reaches_back", "why"),
    [
        (12, 13, False, ""),
        (12, 14, True, "log"),
        (12, 901, True, ""),  # an epoch begins, whose gap entry covers the missing messages
        (12, 901, False, "log"),  # entries of the previous epoch may have been trimmed
        (12, 902, True, "log"),  # the gap entry may have been trimmed, too
        (9, 901, True, "replaced"),
        (9, 11, True, "replaced"),
        (10, 12, True, "log"),
    ],
)
def test_why_entries_are_missing(after: int, number: int, reaches_back: bool, why: str) -> None:
    assert why_missing(after, number, STARTS, lambda: reaches_back) == why


@pytest.mark.parametrize("reaches_back", [True, False])
def test_what_was_read_had_not_been_trimmed(reaches_back: bool) -> None:
    """Nor any later entry."""
    entries = (Entry(20, 1, b"a"), Entry(901, 2, None, 1), Entry(903, 3, b"b"))
    pages = Pages(entries, Position("e", 904), at=5, until=5)
    found = with_missing(pages, 12, STARTS, lambda: reaches_back)
    assert [entry.missing for entry in found.entries] == ["log", "", "log"]
    assert (found.missing, found.skipped) == ("log", 880)


def test_numbers_jump_at_the_end_too() -> None:
    """A page reads up to the start of the announced epoch."""
    pages = Pages((Entry(13, 1, b"a"),), Position("e", 900), at=5, until=5)
    found = with_missing(pages, 12, STARTS, lambda: False)
    assert (found.missing, found.skipped) == ("", 887)
