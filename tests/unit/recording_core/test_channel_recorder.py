"""One process and one recorded channel, in cases beyond the schedules of tests/simulator."""

from collections import deque

from arauto.protocol.log_position import Position
from arauto.recording_core.announcements import Appended, Mark, Marked, Renewed, Resumed
from arauto.recording_core.channel_recorder import ChannelRecorder, Standing
from arauto.recording_core.recorder_steps import AnswerMark, SendMark, Take

LATE = 10  # beats


def test_an_answer_that_comes_late_is_waited_for() -> None:
    recorder = ChannelRecorder("a")
    pending = deque([[*recorder.subscribed()], *[[] for _ in range(LATE)]])
    marks = 0
    for _ in range(10 * LATE):
        pending.append(recorder.tick())
        for step in pending.popleft():
            assert isinstance(step, SendMark)
            marks += 1
            recorder.announced(Mark(step.name))
            recorder.announced(Marked(step.name, Position("e", 5), 5))
    assert recorder.standing is Standing.STANDBY
    assert marks < LATE


def test_a_log_that_is_deleted_while_one_asks_where_it_is() -> None:
    """The answer counts a message that is not written yet: the deleted log ends before it."""
    recorder = ChannelRecorder("a")
    [mark] = recorder.subscribed()
    assert isinstance(mark, SendMark)
    recorder.announced(Mark(mark.name))
    recorder.announced(Renewed(Position("f", 4, 20)))
    recorder.announced(Marked(mark.name, Position("e", 5, 10), 4))
    assert recorder.position == Position("f", 5, 20)
    recorder.received(b"later", 0)
    recorder.announced(Appended("f", 5, (1,), 7, 0, 30))
    assert (recorder.position, recorder.waiting) == (Position("f", 5, 20), 1)
    assert recorder.standing is Standing.STANDBY


def test_a_log_that_is_deleted_while_one_takes_it() -> None:
    """The announcement is newer than the reply: marks are answered with the new epoch."""
    recorder = ChannelRecorder("a")
    [mark] = recorder.subscribed()
    assert isinstance(mark, SendMark)
    recorder.announced(Mark(mark.name))
    recorder.announced(Marked(mark.name, Position("e", 4, 10), 4))
    [take] = recorder.appointed(7)
    assert isinstance(take, Take)
    recorder.announced(Renewed(Position("f", 4, 20)))
    recorder.taken(take, Position("e", 4, 10))
    assert recorder.standing is Standing.RECORDING
    assert recorder.announced(Mark("m")) == [AnswerMark("m", Position("f", 4, 20), 4)]


def standby() -> ChannelRecorder:
    """A stand-by that knows the end of the log."""
    recorder = ChannelRecorder("a")
    [mark] = recorder.subscribed()
    assert isinstance(mark, SendMark)
    recorder.announced(Mark(mark.name))
    recorder.announced(Marked(mark.name, Position("e", 5), 5))
    return recorder


def resumed(since: int, at: int, is_lossy: bool = True) -> Resumed:
    return Resumed(Position("f", 6), since, at, token=3, is_lossy=is_lossy)


def test_a_recorder_takes_the_log_anew_where_messages_may_be_missing() -> None:
    recorder = standby()
    recorder.appointed(7)
    assert recorder.doubted(100, 200) == [Take(7, None, doubt=100)]
    assert recorder.doubted(150, 300) == [Take(7, None, doubt=100)]
    assert recorder.doubted(50, 400) == [Take(7, None, doubt=50)]


def test_the_next_recorder_writes_the_gap_unless_that_was_done() -> None:
    recorder = standby()
    assert recorder.doubted(100, 200) == []
    for other in (resumed(100, 199), resumed(101, 200), resumed(100, 200, is_lossy=False)):
        recorder.announced(other)
        assert recorder.appointed(7) == [Take(7, None, doubt=100)]
        recorder.dismissed()
    recorder.announced(resumed(100, 200))
    assert recorder.appointed(7) == [Take(7, Position("f", 6))]


def test_what_was_lost_long_ago_is_known_to_the_recorder_of_then() -> None:
    recorder = standby()
    recorder.doubted(100, 200)
    recorder.trust()
    assert recorder.appointed(7) == [Take(7, Position("e", 5))]
