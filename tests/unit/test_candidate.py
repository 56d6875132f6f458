"""What one process does for all recorded channels, where the schedules of tests/simulator do not come."""

import pytest

from arauto.memory.candidate import Candidate, Follow, OfChannel
from arauto.memory.recorder import MAX_BACKLOG, Take


@pytest.fixture
def candidate() -> Candidate:
    """The recorder, which has given a sign of life."""
    candidate = Candidate("a", 0)
    candidate.connected()
    candidate.claimed(7, 0)
    candidate.beaten(7, 1000, 0)
    return candidate


@pytest.mark.parametrize(("many", "is_whole"), [(MAX_BACKLOG, True), (MAX_BACKLOG + 1, False)])
def test_too_many_messages_of_a_new_channel_end_in_a_gap(
    candidate: Candidate, many: int, is_whole: bool
) -> None:
    assert candidate.received(b"a", b"0", 0) == [Follow(b"a")]
    for n in range(1, many):
        candidate.received(b"a", b"%d" % n, 0)
    [taken] = candidate.subscribed(b"a", 0)
    assert taken == OfChannel(b"a", Take(7, None, is_first=is_whole), 1000)
