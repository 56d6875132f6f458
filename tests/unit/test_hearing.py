"""What a recorder writes of what it has heard, and when it has the tabs told."""

from typing import Any
from unittest.mock import MagicMock

import pytest

from arauto.messages import Item, Lost
from arauto.recorder import Hearing


class Listening:
    """A recorder of every channel; ``done`` is in which order Redis is asked for what."""

    def __init__(self) -> None:
        self.done: list[Any] = []
        recording = MagicMock(globs=(b"*",))
        recording.glob_of.return_value = b"*"
        recording.take.return_value = {}
        recording.append = self._append
        recording.say = lambda token, channels: self.done.append(channels)
        recording.answer = lambda channel, token, asker, since: self.done.append(asker)
        self.hearing = Hearing(recording, 7, (), lambda: None)

    def _append(self, channel: bytes, token: int, tell: bool, messages: list[bytes]) -> tuple[int, str]:
        self.done.append((channel + b" told" * tell, *messages))
        return len(messages), ""

    def hear(self, *batch: Item) -> list[Any]:
        """What is done at once."""
        del self.done[:]
        self.hearing(list(batch))
        return list(self.done)


def told(words: bytes) -> Item:
    return [b"smessage", b"arauto:ids", words]


def message(data: bytes, channel: bytes = b"a") -> Item:
    return [b"pmessage", b"*", channel, data]


BEAT = told(b"beat 7 1700000000000")


@pytest.fixture
def listening() -> Listening:
    listening = Listening()
    assert listening.hear([b"psubscribe", b"*", 1], told(b"taken 7 ")) == []
    return listening


def test_all_is_written_at_once_and_told_of_at_each_beat(listening: Listening) -> None:
    assert listening.hear(message(b"1"), message(b"2")) == [(b"a told", b"1", b"2")]
    assert listening.hear(message(b"3")) == [(b"a", b"3")]
    assert listening.hear(message(b"4"), message(b"5", b"b")) == [(b"a", b"4"), (b"b told", b"5")]
    assert listening.hear(BEAT) == [{b"a"}]
    assert listening.hear(message(b"6"), message(b"7", b"b")) == [(b"a", b"6"), (b"b told", b"7")]
    assert listening.hear(BEAT) == [{b"a"}]
    assert listening.hear(BEAT) == []
    assert listening.hear(message(b"8")) == [(b"a told", b"8")]


def test_what_was_heard_before_a_question_is_written_before_its_answer(listening: Listening) -> None:
    asked = told(b"sync feed.1 a")
    expected = [(b"a told", b"1"), "feed.1", (b"a", b"2")]
    assert listening.hear(message(b"1"), asked, message(b"2")) == expected


def test_what_others_have_written_is_not_written_again(listening: Listening) -> None:
    assert listening.hear(told(b"next a"), message(b"1"), message(b"2")) == [(b"a told", b"2")]


def test_nothing_is_written_until_all_who_follow_know(listening: Listening) -> None:
    assert listening.hear(Lost(0.0, ""), [b"psubscribe", b"*", 1], message(b"1")) == []
    assert listening.hear(told(b"taken 6 "), message(b"2")) == []
    assert listening.hear(told(b"taken 7 "), message(b"3")) == [(b"a told", b"3")]


@pytest.mark.parametrize(
    "words",
    [
        b"sync \xff a",
        b"sync nobody a",
        b"sync",
        b"beat 7 soon",
        b"beat 7 " + b"9" * 5_000,
        b"taken",
        b"",
        b"\xff",
    ],
)
def test_the_words_of_a_stranger_change_nothing(listening: Listening, words: bytes) -> None:
    assert listening.hear(told(words), message(b"1"), told(words)) == [(b"a told", b"1")]
