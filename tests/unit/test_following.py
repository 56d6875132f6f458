"""What a feed does with what comes between its subscription and the answer to its question."""

from typing import Any

import pytest

from arauto import following as module
from arauto.following import Follower, Start
from arauto.logs import Entry, Id, Position, ids_of, to_feed
from arauto.messages import Followed, Item, Numbered, Refused
from arauto.names import Change, Selection

EPOCH = "0123456789abcdef"
END = Position(EPOCH, Id(9, 9))
SUBSCRIBED: Item = [b"subscribe", b"a", 1]


class Recording:
    """Records every channel, and notes who asks."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def covers(self, channel: bytes) -> bool:
        return True

    def sync(self, channel: bytes, asker: str) -> bool:
        self.asked.append(asker)
        return True


class Listening:
    def __init__(self, start: Start | None = None) -> None:
        self.recording: Any = Recording()
        self.out: list[Item] = []
        self.has_left = False
        starts = {b"a": start} if start else {}
        self.follower = Follower(
            self.recording, self.out.extend, Selection((b"a",), (b"*",)), starts, self.leave
        )

    def leave(self) -> None:
        self.has_left = True

    def hear(self, *batch: Item) -> list[Item]:
        """What the page gets of one batch."""
        del self.out[:]
        self.follower(list(batch))
        return list(self.out)

    def told(self, kind: bytes, number: int = -1) -> Item:
        asker = self.recording.asked[number].encode()
        own = to_feed(asker.decode().split(".")[0])
        return [b"smessage", own, b" ".join((kind, asker, str(END).encode(), b"a"))]


def message(data: bytes) -> Item:
    return [b"message", b"a", data]


def marker(words: bytes) -> Item:
    return [b"smessage", ids_of(b"a"), words]


NEXT = marker(f"next {EPOCH}.8-8".encode())
LATE = marker(f"late {EPOCH}.8-8 3".encode())


def test_a_new_page_is_held_up_only_between_question_and_answer() -> None:
    listening = Listening()
    assert listening.hear(SUBSCRIBED, message(b"1")) == [SUBSCRIBED, message(b"1")]
    assert listening.hear(listening.told(b"sync"), message(b"2"), LATE, NEXT, message(b"3")) == []
    # What has an id is not beyond the log's end; what has none is numbered from here on.
    expected = [message(b"2"), message(b"3"), Followed(b"a", END, pending=1)]
    assert listening.hear(listening.told(b"done")) == expected
    assert listening.hear(message(b"4"), LATE) == [message(b"4"), LATE]


@pytest.fixture
def back(monkeypatch: pytest.MonkeyPatch) -> Listening:
    """A page that was there and has missed one message."""
    monkeypatch.setattr(module, "read", lambda *_: [[Entry(b"9-9", b"missed")]])
    return Listening(Start(Position(EPOCH, Id(8, 8))))


MISSED = Numbered(b"a", Id(9, 9), b"missed")


def test_a_page_that_is_back_gets_nothing_twice(back: Listening) -> None:
    early: Item = [b"pmessage", b"*", b"a", b"1"]
    assert back.hear(SUBSCRIBED, message(b"1"), early) == [SUBSCRIBED]
    assert back.hear(back.told(b"sync"), NEXT, message(b"2"), message(b"3")) == []
    assert back.hear(back.told(b"done")) == [MISSED, Followed(b"a", END), message(b"3")]


def test_an_id_whose_message_was_not_heard_belongs_to_no_other(back: Listening) -> None:
    """Markers are heard from before the channel is."""
    back.hear(NEXT, SUBSCRIBED)
    back.hear(back.told(b"sync"), message(b"not in the log"))
    assert back.hear(back.told(b"done"))[-1] == message(b"not in the log")


def test_the_answer_to_an_old_question_is_none(back: Listening) -> None:
    back.hear(SUBSCRIBED)
    back.follower.expect(Change(unsubscribe=(b"a",)))
    back.follower.expect(Change(subscribe=(b"a",)))
    back.hear(SUBSCRIBED)
    assert back.hear(back.told(b"sync", 0), message(b"1"), back.told(b"done", 0)) == [message(b"1")]
    assert back.hear(back.told(b"sync"), back.told(b"done")) == [Followed(b"a", END)]


def test_a_new_recorder_takes_the_place_of_the_answer(back: Listening) -> None:
    back.hear(SUBSCRIBED)
    back.hear(back.told(b"sync"), message(b"1"))
    assert back.hear(marker(b"gap " + str(END).encode())) == [MISSED, Followed(b"a", END), message(b"1")]
    assert back.hear(back.told(b"done"), message(b"2"))[-1] == message(b"2")


def test_a_channel_that_redis_refuses_is_not_waited_for(back: Listening) -> None:
    refused = Refused("channel", b"a", "NOPERM")
    assert back.hear(refused) == [refused]
    assert back.hear(message(b"1")) == [message(b"1")]


def test_too_much_that_waits_sends_the_page_back(back: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_WAITING", 2)
    back.hear(SUBSCRIBED)
    with pytest.raises(ConnectionAbortedError):
        back.hear(back.told(b"sync"), message(b"1"), message(b"2"), message(b"3"))
    assert back.has_left


@pytest.mark.parametrize(
    "words", [b"done %b x a", b"done %b \xff a", b"alone %b " + str(END).encode() + b" x a",
              b"alone %b " + str(END).encode() + b" " + b"9" * 400 + b" a"],
)  # fmt: skip
def test_a_strangers_answer_is_none(words: bytes) -> None:
    """Whoever may publish at Redis sees where a feed waits for its answer."""
    listening = Listening()
    listening.hear(SUBSCRIBED)
    (asker,) = listening.recording.asked
    forged = [b"smessage", to_feed(asker.split(".")[0]), words.replace(b"%b", asker.encode())]
    assert listening.hear(forged) == []
    assert listening.hear(listening.told(b"sync"), listening.told(b"done")) == [Followed(b"a", END)]
