"""What one process does for one recorded channel, where the schedules of tests/simulator do not come."""

from collections import deque

from arauto.memory.recorder import Ask, ChannelRecorder, Standing
from arauto.memory.words import Mark, Marked, Position

LATE = 10  # beats


def test_an_answer_that_comes_late_is_waited_for() -> None:
    recorder = ChannelRecorder("a")
    asked = deque([[*recorder.subscribed()], *[[] for _ in range(LATE)]])
    marks = 0
    for _ in range(10 * LATE):
        asked.append(recorder.tick())
        for step in asked.popleft():
            assert isinstance(step, Ask)
            marks += 1
            recorder.announced(Mark(step.name))
            recorder.announced(Marked(step.name, Position("e", 5), 5))
    assert recorder.standing is Standing.STANDBY
    assert marks < LATE
