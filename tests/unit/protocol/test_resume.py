"""The positions from which a page or a reader resumes."""

import pytest

from arauto.protocol.log_entries import Id
from arauto.protocol.log_position import Position
from arauto.protocol.log_query import BadPoint, Point
from arauto.protocol.resume import ResumePoint, read_resume_points

NAMES = ["a", "b"]


def test_each_channel_has_a_place_of_its_own() -> None:
    points = read_resume_points(NAMES, ["", "0af1.1700000000000-41"], None)
    assert points == {b"b": ResumePoint(Position("0af1", 41))}
    assert isinstance(points[b"b"].at, Position)
    assert points[b"b"].at.ms == 1_700_000_000_000


def test_a_place_may_say_up_to_when_all_was_shown() -> None:
    points = read_resume_points(["a"], ["0af1.1700000000000-41.1699999990000"], None)
    assert points == {b"a": ResumePoint(Position("0af1", 41), 1_699_999_990_000)}


def test_a_point_is_for_those_that_have_no_place() -> None:
    points = {b"a": ResumePoint(Position("0af1", 2)), b"b": ResumePoint(Point(id=Id(0, 0)))}
    assert read_resume_points(NAMES, ["0af1.1-2"], "first") == points


def test_a_page_of_an_earlier_version_says_more_than_is_needed() -> None:
    assert read_resume_points(["a"], ["0af1.1700000000000-41.7"], None) == {
        b"a": ResumePoint(Position("0af1", 41))
    }


@pytest.mark.parametrize(
    "text",
    [
        "x", "0af1", "0af1.1", "0af1.1-", "0AF1.1-2", "0af1.1-2.", "0af1.1-2.3.4", "0af1.1-2.x", "0af1.-1-2",
        "0af1.1-2.1234567890123456", "0af1.1-1234567890123456", f"{'a' * 33}.1-2", "٣.1-2", "0af1.٣-2",
        "0af1.1-2\n",
    ],
)  # fmt: skip
def test_what_is_no_place(text: str) -> None:
    with pytest.raises(BadPoint, match="is not a position"):
        read_resume_points(["a"], [text], None)


def test_more_places_than_channels() -> None:
    with pytest.raises(BadPoint, match="one position for each channel"):
        read_resume_points(["a"], ["", ""], None)
