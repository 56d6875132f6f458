from typing import Any

from arauto.bridge.listening import Listening
from arauto.protocol.events import Lost, Refused
from arauto.protocol.selection import Change
from arauto.text.bridge_rules import read_rules


def listening(rules: str) -> Listening:
    found = Listening([rule for rule in read_rules(rules) if rule.is_to_kafka])
    return found


def passed_on(one: Listening, *push: Any) -> list[tuple[str, bytes, bytes]]:
    return [(kept.topic, kept.channel, kept.data) for kept in one.take(list(push), 9)]


def test_it_knows_since_when_it_receives_all() -> None:
    one = listening("a.* -> kafka:t, b -> kafka:t, c -> kafka:u")
    one.take([b"psubscribe", b"a.*", 1], 1)
    one.take([b"subscribe", b"b", 2], 2)
    assert [one.since] == [None]
    one.take(Refused("channel", b"c", "NOPERM"), 3)
    assert (one.since, one.retry()) == (3, Change(subscribe=(b"c",)))
    one.take([b"subscribe", b"c", 3], 4)
    assert (one.since, one.lacks, one.retry()) == (4, False, Change())
    one.take(Lost(2.5, "why"), 3000)
    assert (one.since, one.lacks) == (None, True)
    for name in (b"b", b"c"):
        one.take([b"subscribe", name, 1], 4000)
    one.take([b"psubscribe", b"a.*", 1], 4001)
    assert (one.since, one.lacks) == (4001, True)
    one.lose()
    assert (one.since, one.lacks) == (None, True)
    one.reported()
    assert not one.lacks
    none = listening("kafka:a -> a")
    none.take(Lost(2.5, "why"), 3000)
    assert (none.since, none.lacks) == (0, False)


def test_a_message_that_comes_twice_goes_to_a_topic_once() -> None:
    one = listening("a.* -> kafka:t, a.b -> kafka:t, a.b -> kafka:u")
    assert passed_on(one, b"pmessage", b"a.*", b"a.b", b"x") == [("t", b"a.b", b"x")]
    assert passed_on(one, b"message", b"a.b", b"x") == [("u", b"a.b", b"x")]
    one.take(Refused("pattern", b"a.*", "NOPERM"), 3)
    assert passed_on(one, b"message", b"a.b", b"x") == [("t", b"a.b", b"x"), ("u", b"a.b", b"x")]


def test_what_is_ours_or_redis_s_own_stays_here() -> None:
    one = listening("* -> kafka:t, __keyevent@0__:* -> kafka:keys")
    assert passed_on(one, b"pmessage", b"*", b"arauto:x", b"x") == []
    assert passed_on(one, b"pmessage", b"*", b"__keyevent@0__:set", b"x") == []
    event = b"__keyevent@0__:set"
    assert passed_on(one, b"pmessage", b"__keyevent@0__:*", event, b"x") == [("keys", event, b"x")]


def test_it_knows_up_to_when_it_has_received_all() -> None:
    one = listening("a -> kafka:t")
    one.take([b"pong", b"look"], 1)
    one.take([b"subscribe", b"a", 1], 10)
    assert one.heard == 0  # there may be messages behind the confirmation
    one.asks(20)
    one.asks(30)  # the first is not answered yet
    (message,) = one.take([b"message", b"a", b"x"], 40)
    assert (message.at, message.after) == (40, 0)
    one.take([b"pong", b"look"], 50)
    assert one.heard == 20
    (message,) = one.take([b"message", b"a", b"y"], 60)
    assert message.after == 20
    one.asks(70)
    one.take(Lost(0.06, "max number of clients reached"), 80)
    assert (one.heard, one.outage) == (20, "max number of clients reached")
    one.take([b"subscribe", b"a", 1], 90)
    one.take([b"pong", b"look"], 91)
    assert (one.heard, one.outage) == (20, "")
    one.asks(100)
    one.take([b"pong", b"look"], 110)
    assert one.heard == 100
