"""Announcements as text: those of a recorder can be read, text of other programs is ignored."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from arauto.protocol.log_position import Position
from arauto.recording_core.announcement_text import read_announcement, write_announcement
from arauto.recording_core.announcements import Appended, Closed, Mark, Marked, Renewed, Resumed


@pytest.mark.parametrize(
    ("text", "announcement"),
    [
        (b"appended 5f3a 9 7 3 8 1,22", Appended("5f3a", 7, (1, 22), 3, 8)),
        (b"resumed 5f3a 9 7 5 8 3 1,22", Resumed(Position("5f3a", 7), 5, 8, 3, (1, 22))),
        (b"resumed 5f3a 9 7 5 8 3 ", Resumed(Position("5f3a", 7), 5, 8, 3)),
        (b"resumed 5f3a 9 7 5 8 3 1 lossy", Resumed(Position("5f3a", 7), 5, 8, 3, (1,), is_lossy=True)),
        (b"resumed 5f3a 9 7 5 8 3  lossy", Resumed(Position("5f3a", 7), 5, 8, 3, is_lossy=True)),
        (b"renewed 5f3a 9 7", Renewed(Position("5f3a", 7))),
        (b"closed e1 2000 5", Closed(Position("e1", 5, 2000))),
        (b"mark 5f3a.1", Mark("5f3a.1")),
        (b"marked 5f3a.1 5f3a 9 7 6", Marked("5f3a.1", Position("5f3a", 7), 6)),
    ],
)
def test_each_announcement_has_its_text(text: bytes, announcement: object) -> None:
    assert read_announcement(text) == announcement
    if isinstance(announcement, Mark | Marked):
        assert read_announcement(write_announcement(announcement)) == announcement


def test_it_is_said_when_something_was_written() -> None:
    announcement = read_announcement(b"appended 5f3a 9 7 3 8 1,22")
    assert isinstance(announcement, Appended)
    assert (announcement.last, announcement.last.ms) == (Position("5f3a", 8), 9)


@given(st.binary())
@example(b"appended 5f3a 9 7 3 8 ")
@example(b"appended 5f3a 9 7 3 8 1,,2")
@example(b"appended 5f3a 9 -7 3 8 1")
@example(b"appended 5F3A 9 7 3 8 1")
@example(b"marked 5f3a.1 5f3a 9 7 1e9")
@example("mark 5f3a.١".encode())
@example(b"closed ")
@example(b"renewed 5f3a 9 " + b"9" * 16)
def test_the_words_of_strangers_are_ignored(data: bytes) -> None:
    assert read_announcement(data) is None or data == b"closed"
