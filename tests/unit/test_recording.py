"""What a process knows of the channels that are switched on."""

from threading import Event, Thread
from unittest.mock import MagicMock

from arauto.recording import Recording

OLD, NEW = {b"a": b""}, {b"a": b"1700000000000"}


def test_an_older_answer_does_not_take_the_place_of_a_newer_one() -> None:
    asked, may_answer = Event(), Event()

    def answer_late(key: str) -> dict[bytes, bytes]:
        link.client.hgetall = lambda key: NEW
        asked.set()
        may_answer.wait(10)
        return OLD

    link = MagicMock()
    link.client.hgetall = answer_late
    recording = Recording(link, MagicMock(recording=True, record=(), record_seconds=1))
    first, second = Thread(target=recording.refresh), Thread(target=recording.refresh)
    first.start()
    assert asked.wait(10)
    second.start()
    second.join(0.2)  # it would be there first, if it did not wait its turn
    may_answer.set()
    first.join(10)
    second.join(10)
    assert recording.switched == NEW
    assert recording.generation == 2
