"""One loss is one gap row, whichever connection reports it."""

import pytest

from arauto.protocol.events import LogGap
from arauto.protocol.log_entries import FIRST, Hole
from arauto.recording.reported_gaps import ReportedGaps


def gap(start: int, end: int, reason: str = "recorder") -> LogGap:
    return LogGap(b"a", Hole(FIRST, start, end, reason))


@pytest.mark.parametrize(
    ("start", "end", "parts"),
    [
        (100, 200, []),
        (120, 180, []),
        (150, 250, [(200, 250)]),
        (50, 150, [(50, 100)]),
        (50, 250, [(50, 100), (200, 250)]),
        (300, 400, [(300, 400)]),
        (10, 20, [(10, 20)]),
    ],
)
def test_only_what_was_not_reported_is_reported(start: int, end: int, parts: list[tuple[int, int]]) -> None:
    gaps = ReportedGaps()
    gaps.new_parts(gap(100, 200))
    assert [(one.hole.start, one.hole.end) for one in gaps.new_parts(gap(start, end))] == parts


def test_parts_add_up_to_one_row() -> None:
    gaps = ReportedGaps()
    for start, end in ((100, 200), (150, 250), (50, 110)):
        gaps.new_parts(gap(start, end))
    assert gaps.new_parts(gap(60, 240)) == []


def test_another_reason_or_an_older_subscription_is_another_loss() -> None:
    gaps = ReportedGaps()
    gaps.new_parts(gap(100, 200))
    assert gaps.new_parts(gap(100, 200, "replaced")) == [gap(100, 200, "replaced")]
    gaps.forget(b"a")
    assert gaps.new_parts(gap(100, 200)) == [gap(100, 200)]
