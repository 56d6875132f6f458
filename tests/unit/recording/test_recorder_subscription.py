"""The commands of a recording process for its subscriptions."""

import pytest

from arauto.protocol.events import Lost, Refused
from arauto.protocol.selection import Selection
from arauto.recording.recorder_subscription import RecorderSubscription
from arauto.recording_core.candidate import Candidate
from arauto.recording_core.candidate_actions import Action


def test_what_was_refused_before_a_connection_was_lost_is_asked_for_again() -> None:
    """A subscriber does not retry by itself."""
    subscription = RecorderSubscription(
        Candidate("a", 0), lambda channel: b"words:" + channel, b"beats", lambda *reported: None
    )
    subscription.cover(Selection((b"one",), (b"kept.*",)), ())
    subscription.handle(Refused("pattern", b"kept.*", "NOPERM"), 0)
    subscription.handle(Refused("channel", b"one", "NOPERM"), 0)
    subscription.handle(Lost(0.0, ""), 0)
    change, _ = subscription.retry_commands()
    assert (change.subscribe, change.psubscribe) == ((b"one",), (b"kept.*",))


class Noting(Candidate):
    """A candidate that notes its calls."""

    def __init__(self) -> None:
        super().__init__("a", 0)
        self.calls: list[bytes] = []

    def received(self, channel: bytes, data: bytes, now: int) -> list[Action]:
        self.calls.append(data)
        return []

    def subscribed(self, channel: bytes, now: int) -> list[Action]:
        self.calls.append(b"subscribed")
        return super().subscribed(channel, now)

    def unsubscribed(self, channel: bytes) -> None:
        self.calls.append(b"unsubscribed")
        super().unsubscribed(channel)


@pytest.mark.parametrize("one", [Selection((), (b"k*",)), Selection((), (b"*.a",)), Selection((b"k.a",), ())])
@pytest.mark.parametrize("is_last", [False, True])
def test_each_message_is_taken_once_while_a_channel_comes_in_two_ways(one: Selection, is_last: bool) -> None:
    """The selection changes at another moment than the pushes of Redis."""
    other = Selection((), (b"k.*",))
    ways = (other, one) if is_last else (one, other)
    candidate = Noting()
    subscription = RecorderSubscription(
        candidate, lambda channel: b"words:" + channel, b"beats", lambda *reported: None
    )

    def confirm(verb: bytes, selection: Selection) -> None:
        for name in selection.channels:
            subscription.handle([verb, name, b"1"], 0)
        for name in selection.patterns:
            subscription.handle([b"p" + verb, name, b"1"], 0)

    def push(data: bytes, *ways: Selection) -> None:
        for way in ways:
            for name in way.channels:
                subscription.handle([b"message", name, data], 0)
            for name in way.patterns:
                subscription.handle([b"pmessage", name, b"k.a", data], 0)

    subscription.cover(one, [b"k.a"])
    subscription.commands(b"SUBSCRIBE", one)
    subscription.handle([b"ssubscribe", b"words:k.a", b"1"], 0)
    confirm(b"subscribe", one)
    push(b"1", one)
    both = Selection(one.channels, one.patterns + other.patterns)
    subscription.cover(both, [b"k.a"])
    push(b"2", one)
    confirm(b"subscribe", other)
    push(b"3", one, other)
    push(b"4", other, one)
    push(b"5", ways[0])
    subscription.cover(other, [b"k.a"])  # between two pushes that Redis sent at once
    push(b"5", ways[1])
    push(b"6", *ways)
    confirm(b"unsubscribe", one)
    push(b"7", other)
    assert candidate.calls == [b"subscribed", *(b"%d" % n for n in range(1, 8))]
    subscription.cover(Selection((), ()), [b"k.a"])
    confirm(b"unsubscribe", other)
    assert candidate.calls[-1] == b"unsubscribed"
