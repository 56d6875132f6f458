"""GET /channels: the active channels of Redis; and the tabs among the receivers of a message."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import quote

import pytest
from redis.client import PubSub

from tests.support.http import get, publish, request
from tests.support.redis_servers import RedisServer
from tests.support.servers import ArautoServer, Start
from tests.support.tabs import open_tab
from tests.support.waiting import eventually


@contextmanager
def listening(redis_server: RedisServer, *channels: str | bytes, pattern: str = "") -> Iterator[PubSub]:
    """A subscriber that is not a tab."""
    with redis_server.client.pubsub() as pubsub:
        if channels:
            pubsub.subscribe(*channels)
        if pattern:
            pubsub.psubscribe(pattern)
        for _ in (*channels, *[pattern] * bool(pattern)):
            assert pubsub.get_message(timeout=5)
        yield pubsub


def receivers_and_tabs(server: ArautoServer, channel: str) -> tuple[int, int | None]:
    """Publish a message, and return its receivers and the tabs among them."""
    answer = publish(server, channel, "x").json
    return answer["receivers"], answer["tabs"]


# Active channels


def test_channels_are_listed_with_their_subscribers(arauto: ArautoServer, redis_server: RedisServer) -> None:
    before = get(arauto, "/channels").json
    assert (before["total"], before["cut"], before["channels"]) == (0, False, [])
    with (
        listening(redis_server, "b c", b"\xff", "noticias", pattern="x*"),
        open_tab(arauto, "noticias", patterns=("n*",)),
    ):
        answer = get(arauto, "/channels")
    assert answer.status == 200
    assert answer.json == {
        "channels": [
            {"channel": "b c", "subscribers": 1},
            {"channel": "noticias", "subscribers": 2},
            {"channel": "\\xff", "channel_base64": "/w==", "subscribers": 1},
        ],
        "shards": [],
        "total": 3,
        "cut": False,
        "patterns": 2,
    }
    eventually(lambda: get(arauto, "/channels").json["total"] == 0)


def test_a_glob_chooses_channels(plain_arauto: ArautoServer, valkey: RedisServer) -> None:
    with listening(valkey, "news.a", "news.b", "other", "á"):
        assert names(plain_arauto, "news.*") == ["news.a", "news.b"]
        assert names(plain_arauto, "[^n]*") == ["other", "á"]
        assert names(plain_arauto, "") == ["news.a", "news.b", "other", "á"]
        assert names(plain_arauto, "nothing") == []
    answer = get(plain_arauto, "/channels?match=" + "x" * 257)
    assert (answer.status, answer.error) == (400, "A channel name can have at most 256 bytes.")


def names(server: ArautoServer, match: str) -> list[str]:
    return [one["channel"] for one in get(server, f"/channels?match={quote(match)}").json["channels"]]


def test_a_long_list_is_cut_and_says_so(plain_arauto: ArautoServer, valkey: RedisServer) -> None:
    with listening(valkey, *[f"many {n:04}" for n in range(1200)]):
        answer = get(plain_arauto, "/channels?match=many*").json
    assert (len(answer["channels"]), answer["total"], answer["cut"]) == (1000, 1200, True)
    assert answer["channels"][-1] == {"channel": "many 0999", "subscribers": 1}


def test_a_number_that_cannot_be_is_unknown(arauto: ArautoServer, redis_server: RedisServer) -> None:
    """Valkey 9.1 returns wrong numbers for some sizes, Redis never does."""
    sockets = []
    try:
        for n in range(1, 34):
            sockets.append(subscribed(redis_server, "crowd"))
            (one,) = get(arauto, "/channels?match=crowd").json["channels"]
            assert one["subscribers"] in (n, None)
            assert one["subscribers"] == n or redis_server.client.pubsub_numsub("crowd")[0][1] > 1000
    finally:
        for sock in sockets:
            sock.close()


def subscribed(redis_server: RedisServer, channel: str) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", redis_server.port), timeout=5)
    sock.sendall(f"SUBSCRIBE {channel}\r\n".encode())
    assert sock.recv(999)
    return sock


def test_without_redis_it_is_503_and_without_permission_403(own_redis: RedisServer, start: Start) -> None:
    own_redis.client.execute_command("ACL SETUSER mute on >secret allchannels -@all +ping +publish")
    url = own_redis.url.replace("//", "//mute:secret@")
    server = start(REDIS_URL=url, ARAUTO_WORKERS="1")
    answer = get(server, "/channels")
    assert answer.status == 403
    assert answer.error.startswith("Redis refuses to list its channels: ")
    assert receivers_and_tabs(server, "a") == (0, None)  # publishing works without permission to count
    assert receivers_and_tabs(server, "a") == (0, None)
    own_redis.stop()
    answer = get(server, "/channels")
    assert (answer.status, answer.error) == (503, "Redis does not answer.")


def test_it_is_read_only(plain_arauto: ArautoServer) -> None:
    assert request(plain_arauto, "POST", "/channels").status == 405


# Listeners of a channel


def test_the_number_of_receivers_is_shown_before(arauto: ArautoServer, redis_server: RedisServer) -> None:
    none = {"channel": "split", "receivers": 0, "tabs": 0, "patterns": 0}
    assert listeners(arauto, "split") == none
    with (
        open_tab(arauto, "split"),
        open_tab(arauto, "split", patterns=("sp*", "other*")),
        listening(redis_server, "split"),
        listening(redis_server, pattern="spl*"),
    ):
        assert listeners(arauto, "split") == none | {"receivers": 4, "tabs": 3, "patterns": 1}
        assert receivers_and_tabs(arauto, "split") == (5, 3)  # the pattern of another client matched
    eventually(lambda: listeners(arauto, "split") == none)


def test_who_would_receive_is_refused_as_the_list_is(own_redis: RedisServer, start: Start) -> None:
    own_redis.client.execute_command("ACL SETUSER mute on >secret allchannels -@all +ping +publish")
    server = start(REDIS_URL=own_redis.url.replace("//", "//mute:secret@"), ARAUTO_WORKERS="1")
    refused = get(server, "/channels/listeners?channel=a")
    assert (refused.status, refused.error.partition(":")[0]) == (403, "Redis refuses to list its channels")
    assert get(server, "/channels/listeners").status == 400
    own_redis.stop()
    assert get(server, "/channels/listeners?channel=a").status == 503


def listeners(server: ArautoServer, channel: str) -> dict[str, Any]:
    return dict(get(server, f"/channels/listeners?channel={quote(channel)}").json)


def test_tabs_are_distinguished_from_others(arauto: ArautoServer, redis_server: RedisServer) -> None:
    assert receivers_and_tabs(arauto, "split") == (0, 0)
    with (
        open_tab(arauto, "split"),
        open_tab(arauto, "split", "other"),
        open_tab(arauto, "other"),
        listening(redis_server, "split"),
        listening(redis_server, pattern="spl*"),
    ):
        assert receivers_and_tabs(arauto, "split") == (4, 2)
        assert receivers_and_tabs(arauto, "other") == (2, 2)
        assert redis_server.client.publish("split", "x") == 4
    eventually(lambda: receivers_and_tabs(arauto, "split") == (0, 0))


def test_a_tab_counts_for_each_way_that_a_message_reaches_it(
    arauto: ArautoServer, redis_server: RedisServer
) -> None:
    with (
        open_tab(arauto, "a.b", patterns=("a.*", "[ab].b", "c*")),
        open_tab(arauto, patterns=("a.*",)),
        listening(redis_server, pattern="*"),
    ):
        assert receivers_and_tabs(arauto, "a.b") == (5, 4)
        assert receivers_and_tabs(arauto, "c") == (2, 1)
        assert receivers_and_tabs(arauto, "z") == (1, 0)


def test_a_change_of_the_selection_is_counted(arauto: ArautoServer) -> None:
    with open_tab(arauto, "old") as tab:
        tab.say(subscribe=["new"], psubscribe=["n?w"], unsubscribe=["old"])
        assert [event["type"] for event in tab.take(3)] == ["subscribe", "psubscribe", "unsubscribe"]
        assert receivers_and_tabs(arauto, "new") == (2, 2)
        assert receivers_and_tabs(arauto, "old") == (0, 0)
        tab.messages(2)
        tab.say(punsubscribe=["n?w"])
        assert [event["type"] for event in tab.take(1)] == ["punsubscribe"]
        assert receivers_and_tabs(arauto, "new") == (1, 1)


def test_the_count_is_right_or_unknown_for_any_number_of_tabs(
    arauto: ArautoServer, redis_server: RedisServer
) -> None:
    """See above: Valkey 9.1 returns wrong numbers for some sizes."""
    with ExitStack() as stack:
        for n in range(1, 13):
            stack.enter_context(open_tab(arauto, "grows"))
            receivers, tabs = receivers_and_tabs(arauto, "grows")
            assert receivers == n
            assert tabs in (n, None)


def test_a_viewer_who_may_not_be_counted_gets_the_feed(own_redis: RedisServer, start: Start) -> None:
    own_redis.client.execute_command(
        "ACL SETUSER viewer on >secret resetchannels &open* -@all +@pubsub +ping +info"
    )
    server = start(REDIS_URL=own_redis.url.replace("//", "//viewer:secret@"), ARAUTO_WORKERS="1")
    with open_tab(server, "open", patterns=("open*",)) as tab:
        assert receivers_and_tabs(server, "open") == (2, None)
        assert tab.messages(2) == ["x", "x"]
        own_redis.client.publish("open", "y")
        assert tab.messages(2) == ["y", "y"]


@pytest.mark.parametrize("kind", ["channel", "pattern"])
def test_our_own_names_cannot_be_chosen(plain_arauto: ArautoServer, kind: str) -> None:
    answer = get(plain_arauto, f"/feed?{kind}=arauto:tabs:channel:a")
    assert (answer.status, answer.error) == (
        400,
        "Names that begin with arauto:tabs: are reserved for counting pages.",
    )
