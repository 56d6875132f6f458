"""Redis is down and restarts: the events of tabs, and the responses to publishers and probes."""

from time import time
from unittest.mock import ANY

import pytest
from websockets.sync.client import connect

from arauto.settings import WORKERS
from tests.support.http import get, publish
from tests.support.machine_time import MachineTime
from tests.support.redis_servers import RedisServer
from tests.support.servers import ArautoServer, Start
from tests.support.tabs import Tab, open_tab
from tests.support.waiting import eventually


@pytest.fixture(params=WORKERS)
def arauto(request: pytest.FixtureRequest, start: Start, own_redis: RedisServer) -> ArautoServer:
    return start(REDIS_URL=own_redis.url, ARAUTO_WORKER=request.param)


def test_a_restart_of_redis_is_one_gap(arauto: ArautoServer, own_redis: RedisServer) -> None:
    with open_tab(arauto, "a", patterns=("b*",)) as tab:
        own_redis.client.publish("a", "before")
        assert tab.messages(1) == ["before"]
        stopped = time()
        own_redis.stop()
        lost = tab.next()
        assert (lost["type"], lost["reason"]) == ("reconnecting", "redis")
        back = time()
        own_redis.start()
        gap, *confirmed = tab.past("reconnecting"), *tab.take(2)
        assert (gap["type"], gap["reason"]) == ("gap", "redis")
        assert lost["from"] == pytest.approx(gap["from"], abs=0.001)
        assert gap["from"] <= stopped + 1
        assert back <= gap["to"] <= time()
        assert {event["type"] for event in confirmed} == {"subscribe", "psubscribe"}
        own_redis.client.publish("a", "after")
        assert tab.messages(1) == ["after"]


def test_a_killed_connection_comes_back_with_the_selection_as_it_is_now(
    arauto: ArautoServer, own_redis: RedisServer
) -> None:
    with open_tab(arauto, "old") as tab:
        tab.say(subscribe=["new"], unsubscribe=["old"])
        tab.take(2)
        own_redis.client.execute_command("CLIENT KILL TYPE pubsub")
        assert [event["type"] for event in tab.take(3)] == ["reconnecting", "gap", "subscribe"]
        assert own_redis.client.publish("old", "x") == 0
        own_redis.client.publish("new", "y")
        assert tab.messages(1) == ["y"]


def test_what_is_selected_while_redis_is_away_is_received_afterwards(
    arauto: ArautoServer, own_redis: RedisServer
) -> None:
    with open_tab(arauto, "a") as tab:
        own_redis.stop()
        assert tab.next()["type"] == "reconnecting"
        tab.say(subscribe=["b"])
        own_redis.start()
        assert tab.past("reconnecting")["type"] == "gap"
        assert [event["type"] for event in tab.take(2)] == ["subscribe", "subscribe"]
        own_redis.client.publish("b", "x")
        assert tab.messages(1) == ["x"]


def test_a_tab_opened_while_redis_is_away_has_no_gap(arauto: ArautoServer, own_redis: RedisServer) -> None:
    own_redis.stop()
    with connect(f"{arauto.ws}/feed?channel=a") as socket:
        tab = Tab(socket)
        assert tab.next()["type"] == "reconnecting"
        own_redis.start()
        assert tab.past("reconnecting") == {"type": "subscribe", "channel": "a", "at": ANY}


@pytest.mark.alone
def test_publishing_fails_within_two_seconds_and_says_so(
    arauto: ArautoServer, own_redis: RedisServer, machine: MachineTime
) -> None:
    assert publish(arauto, "a", "x").status == 200
    own_redis.stop()
    began = machine()
    answer = publish(arauto, "a", "x")
    assert answer.status == 503
    assert answer.error == "Redis is unreachable: the message was not published. Try again when it is back."
    assert machine() - began < 2
    assert get(arauto, "/healthz").status == 200
    unready = get(arauto, "/readyz")
    assert (unready.status, unready.headers["retry-after"]) == (503, "1")
    assert unready.json == {"status": "unready", "missing": ["redis"], "error": "Redis does not answer."}
    own_redis.start()
    assert publish(arauto, "a", "x").status == 200
    assert get(arauto, "/readyz").status == 200


@pytest.mark.alone
def test_publishing_to_a_frozen_redis_fails_within_two_seconds(
    arauto: ArautoServer, own_redis: RedisServer, machine: MachineTime
) -> None:
    own_redis.freeze()
    try:
        began = machine()
        answer = publish(arauto, "a", "x")
        assert machine() - began < 2
    finally:
        own_redis.thaw()
    assert answer.status == 503
    assert answer.error == "Redis did not answer: the message may have been published or not."
    eventually(lambda: get(arauto, "/readyz").status == 200)


def test_a_forbidden_channel_is_refused_alone(own_redis: RedisServer, start: Start) -> None:
    own_redis.client.execute_command(
        "ACL SETUSER viewer on >secret resetchannels &open &p.* -@all +@pubsub +ping +info"
    )
    url = own_redis.url.replace("//", "//viewer:secret@")
    server = start(REDIS_URL=url)
    with open_tab(server, "open") as tab:
        tab.say(subscribe=["closed"], psubscribe=["p.*", "*"])
        refused, confirmed, refused_too = tab.take(3)
        assert (refused["type"], refused["channel"]) == ("refused", "closed")
        assert refused["error"].startswith("NOPERM")
        assert confirmed == {"type": "psubscribe", "pattern": "p.*", "at": ANY}
        assert (refused_too["type"], refused_too["pattern"]) == ("refused", "*")
        own_redis.client.publish("open", "still received")
        assert tab.messages(1) == ["still received"]
    answer = publish(server, "closed", "x")
    assert answer.status == 403
    assert answer.error.startswith("Redis refused the message: ")
    assert "secret" not in server.log
