"""Keyspace events of real servers: the setting, and the class of each event."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import redis

from arauto.redis_io.connection import RedisLink
from arauto.redis_io.keyspace_events import BESIDE_A, IN_A, keyspace_events
from arauto.text.glob import matches
from tests.support.http import get
from tests.support.redis_servers import RedisServer, binaries, free_port, release_port
from tests.support.rules import KEYSPACE, PERSON, rules, set_user
from tests.support.servers import ArautoServer
from tests.support.waiting import eventually

COMMANDS = """
SET a 1; SETEX a 9 1; INCR a; INCRBYFLOAT a 1.5; APPEND a 1; SETRANGE a 0 9; SETBIT b 1 1; BITOP NOT c a
PFADD d 1; MSET e 1 f 2; DEL a; EXPIRE b 9; PERSIST b; RENAME b g; COPY g h; MOVE h 1; SET short 1
EXPIRE short -1; GETEX g EX 9; RPUSH l 2 1; LPUSH l 0; LINSERT l BEFORE 1 5; LSET l 0 9; LREM l 0 5
LTRIM l 0 2; RPOP l; LPOP l; RPUSH k 1; LMOVE k j LEFT RIGHT; RPUSH n 2 1; SORT n STORE o; SADD s 1 2 3
SREM s 1; SPOP s; SADD r 2 3; SUNIONSTORE u r s; SINTERSTORE v r u; SDIFFSTORE w r absent; SMOVE r u 2
HSET x f 1; HINCRBY x f 1; HINCRBYFLOAT x f 1.5; HSETNX x g 1; HDEL x g; ZADD z 1 a 2 b 3 c
ZINCRBY z 1 a; ZREM z a; ZREMRANGEBYRANK z 0 0; ZREMRANGEBYSCORE z 0 9; ZADD y 1 a 2 b; ZADD q 1 b
ZUNIONSTORE p 2 y q; ZINTERSTORE i 2 y q; ZDIFFSTORE m 2 y q; ZPOPMIN y; ZRANGESTORE ya y 0 1
GEOADD geo 1 2 here; GEOSEARCHSTORE near geo FROMMEMBER here BYRADIUS 1 km; XADD t 1-1 a 1
XADD t MAXLEN 1 2-1 a 1; XTRIM t MAXLEN 1; XGROUP CREATE t all 0; XGROUP CREATECONSUMER t all one
XGROUP SETID t all 0; XGROUP DELCONSUMER t all one; XGROUP DESTROY t all; XSETID t 9-9; XDEL t 2-1
GET absent; SET soon 1 PX 1
"""


@pytest.fixture(scope="module", params=binaries())
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with closing(RedisServer(binaries()[request.param], tmp_path_factory.mktemp("events"))) as started:
        yield started


def test_each_event_is_of_the_class_that_redis_has_it_in(server: RedisServer) -> None:
    groups = IN_A + BESIDE_A
    seen = {letter: events_of(server.client, letter) for letter, _ in groups}
    for letter, globs in groups:
        assert all(is_of(globs, event) for event in seen[letter]), (letter, seen[letter])
        others = [event for other in seen if other != letter for event in seen[other] if is_of(globs, event)]
        assert others == [], letter
    # Modules and eviction are not tested here.
    assert [letter for letter, _ in groups if not seen[letter]] == ["d", "e"]


def events_of(client: "redis.Redis", letter: str) -> set[bytes]:
    client.flushall()
    client.config_set("notify-keyspace-events", f"E{letter}")
    received = set()
    with client.pubsub() as pubsub:
        pubsub.psubscribe("__keyevent@*__:*", "end")
        assert pubsub.get_message(timeout=5)
        assert pubsub.get_message(timeout=5)
        for command in COMMANDS.replace("\n", ";").split(";"):
            if command.strip():
                client.execute_command(*command.split())
        eventually(lambda: client.exists("soon") == 0)
        client.publish("end", "")
        while (message := pubsub.get_message(timeout=5)) and message["channel"] != b"end":
            received.add(message["channel"].partition(b":")[2])
    return received


def is_of(globs: str, event: bytes) -> bool:
    return any(matches(glob.encode(), event) for glob in globs.split())


def test_it_is_said_what_is_set_or_why_that_is_not_known(server: RedisServer, tmp_path: Path) -> None:
    server.client.config_set("notify-keyspace-events", "")
    with closing(RedisLink(f"{server.url}/3")) as link:
        found = keyspace_events(link)
        assert (found["flags"], found["database"], found["databases"]) == ("", 3, 16)
        assert "".join(one["letter"] for one in found["classes"]) == "g$lshztdxemn"
        assert found["classes"][0]["events"][:2] == ["del", "expire"]
        server.client.config_set("notify-keyspace-events", "KEA")
        assert keyspace_events(link)["flags"] == "AKE"
    set_user(server, "ana", "a long password", "+ping")
    with closing(RedisLink(server.url).as_user("ana", "a long password")) as link:
        found = keyspace_events(link)
        assert (found["flags"], found["has_config"], len(found["classes"])) == (None, True, 12)
        assert found["reason"].endswith("this user may not ask (CONFIG GET).")
    set_user(server, "bia", "a long password", *rules(PERSON, KEYSPACE, channels=()))
    with closing(RedisLink(server.url).as_user("bia", "a long password")) as link:
        assert keyspace_events(link)["flags"] == "AKE"
        for names in ({"p": "__keyevent@0__:*"}, {"p": "__keyspace@0__:*"}, {"c": "__keyevent@0__:expired"}):
            with link.client.pubsub() as pubsub:
                pubsub.psubscribe(names["p"]) if "p" in names else pubsub.subscribe(names["c"])
                assert pubsub.get_message(timeout=5)
    bus = free_port()
    cluster = ("--cluster-enabled", "yes", "--cluster-port", str(bus))
    with (
        closing(
            RedisServer(server._command[0], tmp_path, "--rename-command", "CONFIG", "", *cluster)
        ) as managed,
        closing(RedisLink(managed.url)) as link,
    ):
        found = keyspace_events(link)
        assert (found["flags"], found["has_config"]) == (None, False)
        assert "it has no CONFIG" in found["reason"]
        assert found["note"].startswith("In a cluster each node")
    release_port(bus)


def test_the_route_answers(plain_arauto: ArautoServer) -> None:
    answer = get(plain_arauto, "/channels/keyspace-events", Accept_Language="pt-BR")
    assert (answer.status, answer.json["flags"]) == (200, "")
    assert answer.json["classes"][1] == {
        "letter": "$", "name": "strings", "events": ["set*", "append", "incrby*", "pfadd"], "in_a": True,
    }  # fmt: skip
