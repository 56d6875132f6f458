"""When a recorder writes what it has heard: at once, or gathered, and before every answer."""

from typing import Any

import pytest

from arauto import recorder as module
from arauto.messages import Item
from arauto.recorder import Hearing


class Recording:
    """Records every channel, and notes in which order it is asked for what."""

    globs = (b"*",)

    def __init__(self) -> None:
        self.done: list[Any] = []

    def glob_of(self, channel: bytes) -> bytes:
        return b"*"

    def take(self, token: int, since: int, *channels: bytes) -> dict[bytes, str]:
        return {}

    def append(self, channel: bytes, token: int, messages: list[bytes]) -> tuple[int, str]:
        self.done.append(messages)
        return len(messages), ""

    def answer(self, channel: bytes, token: int, asker: str, since: int | None) -> None:
        self.done.append(asker)


class Listening:
    def __init__(self) -> None:
        recording: Any = Recording()
        self.done = recording.done
        self.holds = 0
        self.hearing = Hearing(recording, 7, self._hold)
        self.hearing([[b"psubscribe", b"*", 1], told(b"taken 7 ")])

    def _hold(self) -> None:
        self.holds += 1

    def hear(self, *batch: Item) -> list[Any]:
        """What is done at once."""
        del self.done[:]
        self.hearing(list(batch))
        return list(self.done)


def told(words: bytes) -> Item:
    return [b"smessage", b"arauto:ids", words]


def message(data: bytes) -> Item:
    return [b"pmessage", b"*", b"a", data]


BEAT = told(b"beat 7 1700000000000")


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> Listening:
    """One message has just been written."""
    monkeypatch.setattr(module, "GATHER", 60.0)
    listening = Listening()
    assert listening.hear(message(b"1")) == [[b"1"]]
    return listening


def test_what_comes_one_after_another_is_written_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GATHER", -1.0)
    listening = Listening()
    assert listening.hear(message(b"1"), message(b"2")) == [[b"1", b"2"]]
    assert listening.hear(message(b"3")) == [[b"3"]]
    assert listening.holds == 0


def test_what_comes_and_comes_is_gathered_until_the_next_beat(busy: Listening) -> None:
    assert busy.hear(message(b"2")) == []
    assert busy.hear(message(b"3"), message(b"4")) == []
    assert busy.holds == 1  # that is when a beat is asked for
    assert busy.hear(BEAT) == [[b"2", b"3", b"4"]]
    assert busy.hear(message(b"5")) == []
    assert busy.holds == 2


def test_what_is_held_is_written_before_a_question_is_answered(busy: Listening) -> None:
    asked = told(b"sync feed.1 a")
    assert busy.hear(message(b"2")) == []
    assert busy.hear(message(b"3"), asked, message(b"4")) == [[b"2", b"3"], "feed.1"]
    assert busy.hear(BEAT) == [[b"4"]]


def test_much_is_not_held(busy: Listening) -> None:
    assert busy.hear(message(b"x" * module.MOST_HELD)) == [[b"x" * module.MOST_HELD]]
    many = [b"%d" % n for n in range(module.MOST_HELD // module.WEIGHT)]
    assert busy.hear(*map(message, many)) == [many]


def test_what_is_held_at_the_end_is_written(busy: Listening) -> None:
    assert busy.hear(message(b"2")) == []
    busy.hearing.finish()
    assert busy.done == [[b"2"]]


def test_what_was_held_when_the_link_was_lost_lies_in_the_gap(busy: Listening) -> None:
    assert busy.hear(message(b"2")) == []
    assert busy.hear(module.Lost(0.0, "")) == []
    assert busy.hear([b"psubscribe", b"*", 1], told(b"taken 7 "), message(b"3"), BEAT) == [[b"3"]]
