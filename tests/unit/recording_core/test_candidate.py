"""One process and all recorded channels, in cases beyond the schedules of tests/simulator."""

import pytest

from arauto.protocol.log_position import Position
from arauto.recording_core import candidate as candidate_module
from arauto.recording_core.announcements import Resumed
from arauto.recording_core.candidate import BEAT, DOUBT_LASTS, GRACE, NEVER, RESIGN_AFTER, SILENCE, Candidate
from arauto.recording_core.candidate_actions import Action, Claim, Follow, OfChannel, Release, Renew
from arauto.recording_core.channel_recorder import MAX_APPEND, MAX_BACKLOG, REST
from arauto.recording_core.recorder_steps import Append, Outcome, Take


@pytest.fixture
def candidate() -> Candidate:
    """The recorder, which has sent a beat."""
    candidate = Candidate("a", 0)
    candidate.connected()
    candidate.claimed(7, 0)
    candidate.beat_received(7, 1000, 0)
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
    todo, written = candidate.taken(b"a", taken.step, Position("e", 0), 0), list[bytes]()
    while todo:
        [write] = todo
        assert isinstance(write, OfChannel)
        assert isinstance(write.step, Append)
        assert sum(map(len, write.step.messages)) <= MAX_APPEND
        written += [data[:1] for data in write.step.messages]
        todo = candidate.appended(b"a", write.step, len(write.step.messages), Outcome.DONE, "", 100)
    assert written == [b"%d" % n for n in range(10)]


def test_a_sign_of_life_means_nothing_for_a_channel_that_is_not_received_again_yet(
    candidate: Candidate,
) -> None:
    [taken] = candidate.subscribed(b"a", 0)
    assert isinstance(taken, OfChannel)
    candidate.announced(b"a", Resumed(Position("e", 1), 2000, 2000, 7))
    candidate.disconnected(0)
    candidate.connected()
    candidate.beat_received(7, 3000, 0)
    [again] = candidate.subscribed(b"a", 0)
    assert isinstance(again, OfChannel)
    assert (again.until, candidate.until) == (0, 0)


@pytest.fixture
def recording(candidate: Candidate) -> Candidate:
    """The recorder of an empty log."""
    candidate.received(b"a", b"first", 0)
    [taken] = candidate.subscribed(b"a", 0)
    assert isinstance(taken, OfChannel)
    assert isinstance(taken.step, Take)
    write(candidate, candidate.taken(b"a", taken.step, Position("e", 0), 0), 0)
    return candidate


def write(candidate: Candidate, commands: list[Action], now: int) -> tuple[bytes, ...]:
    """Execute the one append among the commands, and return its messages."""
    [command] = commands
    assert isinstance(command, OfChannel)
    assert isinstance(command.step, Append)
    messages = command.step.messages
    assert candidate.appended(b"a", command.step, len(messages), Outcome.DONE, "", now) == []
    return messages


def test_a_message_that_comes_alone_is_written_at_once(recording: Candidate) -> None:
    for now in range(10):
        recording.received(b"a", b"%d" % now, now)
        assert write(recording, recording.flush(now), now) == (b"%d" % now,)


def test_after_messages_that_came_together_others_are_waited_for(recording: Candidate) -> None:
    for data in (b"1", b"2"):
        recording.received(b"a", data, 100)
    assert write(recording, recording.flush(100), 100) == (b"1", b"2")
    recording.received(b"a", b"3", 101)
    assert recording.flush(101) == []
    assert recording.rests_until == 100 + REST
    recording.received(b"a", b"4", 109)
    assert write(recording, recording.flush(100 + REST), 100 + REST) == (b"3", b"4")
    recording.flush(200)
    assert recording.rests_until is None
    recording.received(b"a", b"5", 200)
    assert write(recording, recording.flush(200), 200) == (b"5",)


def test_of_what_is_too_much_the_most_goes(recording: Candidate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candidate_module, "MAX_SIZE", 10_000)
    recording.received(b"b", b"little", 0)
    for _ in range(3):
        assert recording.received(b"a", b"x" * 3_000, 0) == []
    [again] = recording.received(b"b", b"little", 0)
    assert again == OfChannel(b"a", Take(7, None), 1000)
    assert recording.subscribed(b"b", 0) == [OfChannel(b"b", Take(7, None, is_first=True), 1000)]


def test_a_recorder_that_does_not_receive_itself_makes_room(candidate: Candidate) -> None:
    """Its connection is silent; and it claims no lease before it has received a beat."""
    for now in range(0, RESIGN_AFTER + 1, BEAT):
        for command in candidate.tick(now):
            assert isinstance(command, Renew)
            candidate.renewed(command, True)
    assert Release(7) in candidate.tick(RESIGN_AFTER + BEAT + 1)
    assert candidate.tick(100_000) == []
    candidate.beat_received(8, 5, 100_000)
    assert candidate.tick(100_000 + 2 * SILENCE) == [Claim(0)]


def test_a_recorder_that_has_much_to_receive_stays(candidate: Candidate) -> None:
    """Its own beats arrive after all messages that were published before them."""
    for now in range(0, 10 * RESIGN_AFTER, BEAT):
        for command in candidate.tick(now):
            if isinstance(command, Renew):
                candidate.renewed(command, True)
        candidate.received(b"a", b"much", now)
    assert candidate.token == 7


def test_a_recorder_that_does_not_receive_all_lets_others_go_first(candidate: Candidate) -> None:
    assert candidate.set_blocked(True) == [Release(7)]
    assert candidate.beat_received(0, 5, 0) == []
    assert candidate.tick(SILENCE + 1) == []
    assert candidate.tick(2 * SILENCE + 1) == [Claim(0)]


def test_a_recorder_that_does_not_know_what_the_logs_lack_lets_others_go_first() -> None:
    """A process that was just started must not precede one that has received all messages."""
    new = Candidate("b", 0)
    assert new.connected() == [Claim(0, NEVER)]
    new.subscribed(b"a", 0)
    assert new.beat_received(0, 5, 0) == []
    assert Claim(0, GRACE) in new.tick(SILENCE + 1)
    new.announced(b"a", Resumed(Position("e", 1), 2000, 2000, 7))
    assert new.tick(SILENCE + 2) == [Claim(0)]
    assert new.beat_received(0, 5, 0) == [Claim(0)]


def test_a_recorder_that_finds_a_loss_takes_each_log_anew(candidate: Candidate) -> None:
    """Its claim that the logs are complete ends at the loss, too."""
    for name in (b"a", b"b"):
        candidate.subscribed(name, 0)
        candidate.announced(name, Resumed(Position("e", 1), 2000, 2000, 7))
    candidate.beat_received(7, 3000, 0)
    assert candidate.until == 3000
    assert candidate.doubted(2500, 3100, 0) == [
        OfChannel(name, Take(7, None, doubt=2500), 2500) for name in (b"a", b"b")
    ]
    assert candidate.until == 2500


def test_a_channel_that_comes_after_a_loss_is_in_doubt_for_a_while(candidate: Candidate) -> None:
    candidate.doubted(2500, 3100, 0)
    assert candidate.subscribed(b"a", 0) == [OfChannel(b"a", Take(7, None, doubt=2500), 0)]
    candidate.tick(DOUBT_LASTS + 1)
    assert candidate.subscribed(b"b", 0) == [OfChannel(b"b", Take(7, None), 0)]


def test_a_recorder_that_cannot_write_for_long_does_not_forget_a_loss(candidate: Candidate) -> None:
    candidate.subscribed(b"a", 0)
    [doubted] = candidate.doubted(2500, 3100, 0)
    assert isinstance(doubted, OfChannel)
    assert isinstance(doubted.step, Take)
    candidate.refused(b"a", doubted.step, "OOM")
    candidate.beat_received(7, 9000, DOUBT_LASTS)
    candidate.tick(DOUBT_LASTS + 1)
    again = candidate.renewed(Renew(7, 0), is_recorder=True)
    assert [action.step for action in again if isinstance(action, OfChannel)] == [Take(7, None, doubt=2500)]
