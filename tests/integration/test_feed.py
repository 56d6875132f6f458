"""Events of a tab, on both workers and every Redis."""

import json
from contextlib import ExitStack
from unittest.mock import ANY

import pytest
from websockets.exceptions import ConnectionClosedError
from websockets.frames import Close

from tests.support.raw import TEXT, frame, raw_feed
from tests.support.redis_servers import RedisServer
from tests.support.servers import ArautoServer
from tests.support.tabs import Tab, open_tab
from tests.support.waiting import eventually


def test_a_message_arrives_as_published(arauto: ArautoServer, redis_server: RedisServer) -> None:
    text = "Olá, assinantes! 🎺\nsegunda linha\tשלום\x00<b>"
    with open_tab(arauto, "noticias") as tab:
        assert redis_server.client.publish("noticias", text) == 1
        event = tab.next()
    assert (event["type"], event["channel"], event["data"]) == ("message", "noticias", text)
    assert event["at"] == pytest.approx(redis_server.client.time()[0], abs=5)


def test_a_pattern_says_which_channel(arauto: ArautoServer, redis_server: RedisServer) -> None:
    with open_tab(arauto, patterns=("alertas.*",)) as tab:
        redis_server.client.publish("alertas.cpu", "99%")
        event = tab.next()
    assert (event["type"], event["pattern"], event["channel"]) == ("pmessage", "alertas.*", "alertas.cpu")


def test_a_star_in_a_channel_is_literal(arauto: ArautoServer, redis_server: RedisServer) -> None:
    with open_tab(arauto, "a*", "with space") as tab:
        assert redis_server.client.publish("ab", "not for us") == 0
        redis_server.client.publish("a*", "for us")
        redis_server.client.publish("with space", "too")
        assert tab.messages(2) == ["for us", "too"]


def test_ten_tabs_get_everything_in_order(arauto: ArautoServer, redis_server: RedisServer) -> None:
    numbers = [str(n) for n in range(500)]
    with ExitStack() as stack:
        tabs = [stack.enter_context(open_tab(arauto, "noticias")) for _ in range(10)]
        for number in numbers:
            assert redis_server.client.publish("noticias", number) == 10
        for tab in tabs:
            assert tab.messages(500) == numbers


def test_a_late_tab_receives_nothing_of_before(arauto: ArautoServer, redis_server: RedisServer) -> None:
    redis_server.client.publish("noticias", "before")
    with open_tab(arauto, "noticias") as tab:
        redis_server.client.publish("noticias", "after")
        assert tab.next()["data"] == "after"


def test_the_selection_changes_without_losing_a_message(
    arauto: ArautoServer, redis_server: RedisServer
) -> None:
    with open_tab(arauto, "stays") as tab:
        for n in range(200):
            redis_server.client.publish("stays", str(n))
            if n == 50:
                tab.say(subscribe=["new"], psubscribe=["p.*"])
            if n == 150:
                tab.say(unsubscribe=["new"], punsubscribe=["p.*"])
        redis_server.client.publish("stays", "end")
        seen = tab.take(200 + 1 + 4)  # the last confirmations may come after the last message
    kinds = [event["type"] for event in seen if "subscribe" in event["type"]]
    assert [event["data"] for event in seen if event["type"] == "message"] == [*map(str, range(200)), "end"]
    assert kinds == ["subscribe", "psubscribe", "unsubscribe", "punsubscribe"]


def test_what_is_added_is_received_and_what_is_removed_is_not(
    arauto: ArautoServer, redis_server: RedisServer
) -> None:
    with open_tab(arauto, "old") as tab:
        tab.say(subscribe=["new"], unsubscribe=["old"])
        assert {event["type"] for event in tab.take(2)} == {"subscribe", "unsubscribe"}
        assert redis_server.client.publish("old", "x") == 0
        redis_server.client.publish("new", "y")
        assert tab.messages(1) == ["y"]


def test_an_empty_selection_is_allowed_while_open(arauto: ArautoServer, redis_server: RedisServer) -> None:
    with open_tab(arauto, "only") as tab:
        tab.say(unsubscribe=["only"])
        assert tab.next() == {"type": "unsubscribe", "channel": "only", "at": ANY}
        tab.say(subscribe=["again"])
        assert tab.next() == {"type": "subscribe", "channel": "again", "at": ANY}


def test_too_many_names_are_refused_and_the_rest_stays(
    arauto: ArautoServer, redis_server: RedisServer
) -> None:
    with open_tab(arauto, "stays") as tab:
        tab.say(subscribe=[f"c{n}" for n in range(100)])
        assert tab.next() == {
            "type": "error",
            "error": "A feed can listen to at most 100 channels and patterns.",
        }
        redis_server.client.publish("stays", "here")
        assert tab.messages(1) == ["here"]


@pytest.mark.parametrize("data", [b"\xff\xfe\x00\x01", bytes(range(256)), b"\xed\xa0\x80"])
def test_bytes_that_are_not_text_come_in_base64(
    arauto: ArautoServer, redis_server: RedisServer, data: bytes
) -> None:
    import base64

    with open_tab(arauto, "raw") as tab:
        redis_server.client.publish("raw", data)
        redis_server.client.publish("raw", "and the next one")
        event = tab.next()
        assert (event["encoding"], event["size"]) == ("base64", len(data))
        assert base64.b64decode(event["data"]) == data
        assert tab.messages(1) == ["and the next one"]


def test_a_message_over_the_cap_is_cut_and_says_so(arauto: ArautoServer, redis_server: RedisServer) -> None:
    text = "é" * 1_500_000
    with open_tab(arauto, "big") as tab:
        redis_server.client.publish("big", text)
        redis_server.client.publish("big", "and the next one")
        event = tab.next()
        assert (event["truncated"], event["size"]) == (True, 3_000_000)
        assert event["data"] == "é" * (1024 * 1024 // 2)
        assert tab.messages(1) == ["and the next one"]


def test_a_megabyte_arrives_whole(arauto: ArautoServer, redis_server: RedisServer) -> None:
    text = "0123456789abcdef" * 65536
    with open_tab(arauto, "big") as tab:
        redis_server.client.publish("big", text)
        assert tab.messages(1) == [text]


@pytest.mark.parametrize(
    "nonsense",
    ["", "nonsense", "[]", "{}", "1", '{"subscribe":"a"}', '{"subscribe":[1]}', '{"x":[]}', b"\x00"],
)
def test_nonsense_from_the_page_closes_with_1008(arauto: ArautoServer, nonsense: str | bytes) -> None:
    with open_tab(arauto, "a") as tab:
        tab.socket.send(nonsense)
        assert _closed(tab).code == 1008


def test_deeply_nested_nonsense_closes_with_1008(arauto: ArautoServer) -> None:
    with open_tab(arauto, "a") as tab:
        tab.socket.send("[" * 60_000)
        assert _closed(tab).code == 1008


def test_a_bad_name_from_the_page_gets_a_sentence(arauto: ArautoServer, redis_server: RedisServer) -> None:
    with open_tab(arauto, "a") as tab:
        tab.say(subscribe=["a\nb"])
        assert tab.next() == {"type": "error", "error": "A channel name cannot have control characters."}
        redis_server.client.publish("a", "still here")
        assert tab.messages(1) == ["still here"]


def test_a_ten_megabyte_frame_closes_with_1009(arauto: ArautoServer) -> None:
    with raw_feed(arauto) as feed:
        feed.send_if_open(frame(TEXT, b"x" * 10_000_000))  # the server closes before all is sent
        last = feed.ending()
    assert last is not None
    assert last.code == 1009


def test_the_log_has_feeds_and_no_messages(arauto: ArautoServer, redis_server: RedisServer) -> None:
    with open_tab(arauto, "quiet channel", patterns=("p*",)) as tab:
        redis_server.client.publish("quiet channel", "the secret payload")
        tab.next()
    line = eventually(
        lambda: next((line for line in arauto.log.splitlines() if "closed channel='quiet" in line), "")
    )
    assert "pattern='p*'" in line
    assert "events=3 code=1000" in line
    assert "feed opened channel='quiet channel' pattern='p*' address=127.0.0.1" in arauto.log
    assert "secret payload" not in arauto.log


def test_no_compression_is_negotiated(arauto: ArautoServer) -> None:
    from websockets.sync.client import connect

    with connect(f"{arauto.ws}/feed?channel=a", compression="deflate") as socket:
        assert socket.protocol.extensions == []
        assert json.loads(socket.recv(10)) == [{"type": "subscribe", "channel": "a", "at": ANY}]


def _closed(tab: Tab) -> Close:
    """Read until the server closes, and return its close frame."""
    with pytest.raises(ConnectionClosedError) as caught:
        tab.until("nothing of this type comes")
    assert caught.value.rcvd is not None
    return caught.value.rcvd
