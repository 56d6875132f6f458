"""What a process that records asks of Redis."""

from arauto.memory.candidate import Candidate
from arauto.memory.hearing import Hearing
from arauto.messages import Lost, Refused
from arauto.names import Selection


def test_what_was_refused_before_a_connection_was_lost_is_asked_for_again() -> None:
    """A subscriber does not ask again by itself."""
    hearing = Hearing(Candidate("a", 0), lambda channel: b"words:" + channel, b"beats", lambda *told: None)
    hearing.cover(Selection((b"one",), (b"kept.*",)), ())
    hearing.take_in(Refused("pattern", b"kept.*", "NOPERM"), 0)
    hearing.take_in(Refused("channel", b"one", "NOPERM"), 0)
    hearing.take_in(Lost(0.0, ""), 0)
    change, _ = hearing.again()
    assert (change.subscribe, change.psubscribe) == ((b"one",), (b"kept.*",))
