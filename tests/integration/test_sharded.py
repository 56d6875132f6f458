"""Sharded channels: their events in a tab, publishing to them, and a Redis that lacks or refuses them."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from unittest.mock import ANY
from urllib.parse import urlencode

from tests.support.http import FORM, get, handshake, publish_json, request
from tests.support.logs import is_recording
from tests.support.redis_servers import RedisServer, binaries, free_port, release_port
from tests.support.rules import ACTS, PROGRAM, SHARDED, as_program, refused
from tests.support.servers import ArautoServer, Start
from tests.support.tabs import Event, open_tab
from tests.support.waiting import eventually

TOO_OLD = "This Redis has no sharded channels: use Redis 7 or later, or Valkey."
UNSERVED = "No node of the cluster serves the sharded channel {} now: it is shown as soon as one does."
NO_SLOT = "CLUSTERDOWN Hash slot not served"
NOT_RECORDED = "A sharded channel is not recorded: give a channel."
RESERVED = "Sharded channels that begin with arauto: are reserved for recordings."


def test_a_sharded_channel_is_another_than_the_channel_of_its_name(
    arauto: ArautoServer, redis_server: RedisServer
) -> None:
    with open_tab(arauto, "a", patterns=("a*",), shards=("a", "a*")) as tab:
        assert redis_server.client.spublish("a", "sharded") == 1
        assert redis_server.client.publish("a", "plain") == 2
        sharded, *plain = tab.take(3)
        assert sharded == {"type": "smessage", "shard": "a", "at": ANY, "data": "sharded"}
        assert {event["type"] for event in plain} == {"message", "pmessage"}
        assert redis_server.client.spublish("ab", "no pattern is meant") == 0
        answer = publish_json(arauto, json.dumps({"shard": "a*", "message": "by the form"}))
        assert answer.json == {"shard": "a*", "receivers": 1, "tabs": 1}
        assert tab.next()["shard"] == "a*"
        tab.say(ssubscribe=["new"], sunsubscribe=["a*"])
        assert {(event["type"], event["shard"]) for event in tab.take(2)} == {
            ("ssubscribe", "new"),
            ("sunsubscribe", "a*"),
        }
        listed = get(arauto, "/channels").json
        assert listed["channels"] == [{"channel": "a", "subscribers": 1}]
        assert listed["shards"] == [{"shard": name, "subscribers": 1} for name in ("a", "new")]
        assert (listed["total"], get(arauto, "/channels?match=n*").json["total"]) == (3, 1)
        found = get(arauto, "/channels/listeners?shard=a").json
        assert found == {"shard": "a", "receivers": 1, "tabs": 1, "patterns": 0}
    eventually(lambda: get(arauto, "/channels").json["total"] == 0)


def test_a_name_that_cannot_be(plain_arauto: ArautoServer) -> None:
    for name, sentence in (
        ("", "Channel is required."),
        ("x" * 257, "A channel name can have at most 256 bytes."),
        ("arauto:words:0:{a}", RESERVED),
    ):
        for answer in (
            handshake(plain_arauto, "/feed?" + urlencode({"shard": name})),
            get(plain_arauto, "/channels/listeners?" + urlencode({"shard": name})),
            publish_json(plain_arauto, json.dumps({"shard": name, "message": ""})),
            publish_form(plain_arauto, channel=name, kind="shard", message=""),
        ):
            assert (answer.status, answer.error) == (400, sentence)
    many = handshake(plain_arauto, "/feed?channel=a&pattern=a&" + "&".join(f"shard={n}" for n in range(99)))
    assert many.error == "A feed can listen to at most 100 channels and patterns."
    for path in ("/channels/messages?shard=a", "/channels/volume?shard=a", "/channels/a/messages?shard=a"):
        assert (get(plain_arauto, path).status, get(plain_arauto, path).error) == (400, NOT_RECORDED)
    assert get(plain_arauto, "/channels/listeners?shard=a&channel=a").error == "Give one channel."


def publish_form(server: ArautoServer, **fields: str):  # type: ignore[no-untyped-def]
    return request(server, "POST", "/publish", urlencode(fields), Content_Type=FORM)


def test_the_form_without_scripts_says_of_which_kind_its_channel_is(
    plain_arauto: ArautoServer, valkey: RedisServer
) -> None:
    with open_tab(plain_arauto, "a", shards=("a",)) as tab:
        assert publish_form(plain_arauto, channel="a", kind="shard", message="1").json["shard"] == "a"
        assert publish_form(plain_arauto, channel="a", kind="channel", message="2").json["channel"] == "a"
        assert [event["type"] for event in tab.take(2)] == ["smessage", "message"]


def test_beside_a_recorded_channel_of_its_name(own_redis: RedisServer, own_arauto: ArautoServer) -> None:
    """After a break the channel catches up and the sharded one has a gap; announcements are not shown."""
    put = request(
        own_arauto,
        "PUT",
        "/channels/recording?channel=a",
        b'{"recorded": true}',
        Content_Type="application/json",
    )
    assert put.status == 200
    eventually(lambda: is_recording(own_redis))
    with open_tab(own_arauto, "a", shards=("a",)) as tab:
        own_redis.client.publish("a", "plain")
        own_redis.client.spublish("a", "sharded")
        events: dict[str, Event] = {}
        while not events.keys() >= {"message", "smessage"} or "id" not in events.get("following", ()):
            event = tab.next()
            events[event["type"]] = event
        assert (events["message"]["data"], events["smessage"]["data"]) == ("plain", "sharded")
        assert "id" not in events["smessage"]
        listed = get(own_arauto, "/channels").json
        assert [one["shard"] for one in listed["shards"]] == ["a"]
        own_redis.client.execute_command("CLIENT KILL TYPE pubsub")
        assert tab.until("gap")[-1]["reason"] == "redis"
        tab.until("ssubscribe")
    stored = get(own_arauto, "/channels/messages?channel=a").body
    assert b'"plain"' in stored
    assert b"sharded" not in stored


OF_SHARDS = ("SSUBSCRIBE", "SUNSUBSCRIBE", "SPUBLISH")


def test_a_redis_without_sharded_channels(tmp_path: Path, start: Start) -> None:
    """A Redis without sharded channels: other channels work."""
    names = [word for name in OF_SHARDS for word in ("--rename-command", name, "")]
    with closing(RedisServer(binaries()["valkey"], tmp_path, *names)) as old:
        server = start(REDIS_URL=old.url, ARAUTO_WORKERS="1")
        with open_tab(server, "a", shards=()) as tab:
            tab.say(ssubscribe=["a"])
            assert tab.next() == {"type": "refused", "shard": "a", "error": TOO_OLD}
            old.client.publish("a", "here")
            assert tab.messages(1) == ["here"]
            tab.say(sunsubscribe=["a"])
            assert tab.next() == {"type": "sunsubscribe", "shard": "a", "at": ANY}
            old.client.publish("a", "still here")
            assert tab.next() == {"type": "message", "channel": "a", "data": "still here", "at": ANY}
        answer = publish_form(server, shard="a", message="x")
        assert (answer.status, answer.error) == (501, TOO_OLD)


@contextmanager
def two_nodes(tmp_path: Path) -> Iterator[tuple[RedisServer, RedisServer]]:
    """A cluster of two nodes; the first has the slots up to 8191."""
    with ExitStack() as stack:
        nodes, ports = [], []
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            ports.append(free_port())
            stack.callback(release_port, ports[-1])
            options = ("--cluster-enabled", "yes", "--cluster-port", str(ports[-1]))
            nodes.append(RedisServer(binaries()["valkey"], tmp_path / name, *options))
            stack.callback(nodes[-1].close)
        one, two = nodes
        one.client.execute_command("CLUSTER ADDSLOTSRANGE", 0, 8191)
        two.client.execute_command("CLUSTER ADDSLOTSRANGE", 8192, 16383)
        one.client.execute_command("CLUSTER MEET", "127.0.0.1", two.port, ports[1])
        eventually(lambda: all(node.client.cluster("INFO")["cluster_state"] == "ok" for node in nodes))
        yield one, two


def test_a_sharded_channel_of_another_node(tmp_path: Path, start: Start) -> None:
    """``a`` is in slot 15495, ``b`` in 3300, which then moves, too."""
    with two_nodes(tmp_path) as (one, two):
        server = start(REDIS_URL=one.url, ARAUTO_WORKERS="1", ARAUTO_RECORDING="off")
        elsewhere = (
            "The sharded channel {} belongs to another node of the cluster: "
            f"set REDIS_URL to 127.0.0.1:{two.port}."
        )
        answer = publish_form(server, shard="a", message="x")
        assert (answer.status, answer.error) == (502, elsewhere.format("a"))
        with open_tab(server, "c", shards=("b",)) as tab:
            tab.say(ssubscribe=["a"])
            assert tab.next() == {"type": "refused", "shard": "a", "error": elsewhere.format("a")}
            tab.say(sunsubscribe=["a"])
            assert tab.next() == {"type": "sunsubscribe", "shard": "a", "at": ANY}
            assert publish_form(server, shard="b", message="x").json == {
                "shard": "b",
                "receivers": 1,
                "tabs": 1,
            }
            assert tab.messages(1) == ["x"]
            there = two.client.execute_command("CLUSTER MYID")
            for node in (two, one):
                node.client.execute_command("CLUSTER SETSLOT", 3300, "NODE", there)
            refused = {"type": "refused", "shard": "b", "error": elsewhere.format("b")}
            assert tab.take(2) == [
                {"type": "gap", "shard": "b", "from": ANY, "to": ANY, "reason": "shard"},
                refused,
            ]
            two.client.publish("c", "still here")
            assert tab.messages(1) == ["still here"]
            tab.say(ssubscribe=["f"])
            assert tab.next() == {"type": "ssubscribe", "shard": "f", "at": ANY}
            one.client.execute_command("CLUSTER DELSLOTS", 3168)
            refused = {"type": "refused", "shard": "f", "error": f"{UNSERVED.format('f')} ({NO_SLOT})"}
            assert tab.next() == refused
            two.client.publish("c", "still here")
            assert tab.messages(1) == ["still here"]
            one.client.execute_command("CLUSTER ADDSLOTS", 3168)
            assert [event["type"] for event in tab.take(2)] == ["gap", "ssubscribe"]
            assert publish_form(server, shard="f", message="x").json["tabs"] == 1
            assert tab.messages(1) == ["x"]


def test_the_smallest_rules_for_it(own_redis: RedisServer, start: Start) -> None:
    """An ACL rule for a name covers the sharded channel of that name."""
    as_program(own_redis, PROGRAM, ACTS, SHARDED, channels=("news",))
    server = start(REDIS_URL=own_redis.url, ARAUTO_WORKERS="1", ARAUTO_RECORDING="off")
    with open_tab(server, shards=("news",)) as tab:
        answer = publish_form(server, shard="news", message="x")
        assert answer.json == {"shard": "news", "receivers": 1, "tabs": 1}
        assert tab.messages(1) == ["x"]
        assert get(server, "/channels").json["total"] == 1
        assert refused(own_redis) == []
        tab.say(ssubscribe=["secret"])
        assert tab.next()["error"].startswith("NOPERM")
    assert publish_form(server, shard="secret", message="x").status == 403
