"""What one process does for all recorded channels, where the schedules of tests/simulator do not come."""

import pytest

from arauto.memory.candidate import Candidate, Follow, OfChannel
from arauto.memory.recorder import MAX_APPEND, MAX_BACKLOG, Append, Outcome, Take
from arauto.memory.words import Position, Resumed


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


def test_what_is_much_is_written_in_several_turns(candidate: Candidate) -> None:
    candidate.received(b"a", b"0", 0)
    [taken] = candidate.subscribed(b"a", 0)
    assert isinstance(taken, OfChannel)
    assert isinstance(taken.step, Take)
    for n in range(1, 10):
        candidate.received(b"a", b"%d" % n * 300_000, 0)
    todo, written = candidate.taken(b"a", taken.step, Position("e", 0)), list[bytes]()
    while todo:
        [write] = todo
        assert isinstance(write, OfChannel)
        assert isinstance(write.step, Append)
        assert sum(map(len, write.step.messages)) <= MAX_APPEND
        written += [data[:1] for data in write.step.messages]
        todo = candidate.appended(b"a", write.step, len(write.step.messages), Outcome.DONE, "")
    assert written == [b"%d" % n for n in range(10)]


def test_a_sign_of_life_tells_nothing_of_a_channel_that_is_not_heard_again_yet(candidate: Candidate) -> None:
    [taken] = candidate.subscribed(b"a", 0)
    assert isinstance(taken, OfChannel)
    candidate.announced(b"a", Resumed(Position("e", 1), 2000, 2000, 7))
    candidate.disconnected(0)
    candidate.connected()
    candidate.beaten(7, 3000, 0)
    [again] = candidate.subscribed(b"a", 0)
    assert isinstance(again, OfChannel)
    assert (again.until, candidate.until) == (0, 0)
