"""Redis refuses, loads, is full or moves: pages show its own words, and reconnects are not too frequent."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Event
from time import time

import pytest

from arauto.protocol.selection import Selection
from arauto.redis_io.connection import RedisLink
from arauto.redis_io.subscriber import Subscriber
from arauto.system.timer_wheel import TimerWheel
from tests.support import faults
from tests.support.redis_servers import RedisServer, binaries
from tests.support.scenes import bad_network, promised, settle
from tests.support.servers import ArautoServer, Start
from tests.support.tabs import Tab, open_tab
from tests.support.waiting import eventually

DETECTED = 30.0  # seconds, by PING and the limit of silence
SECRET = "not for the log"


@pytest.fixture
def own(tmp_path: Path) -> Iterator[RedisServer]:
    """A redis-server if it is installed; the other tests break a Valkey."""
    found = binaries()
    server = RedisServer(found.get("redis", found["valkey"]), tmp_path)
    yield server
    server.close()


def refused_with(tab: Tab, words: str) -> None:
    """Wait until the tab is refused with Redis's own words, perhaps after a reconnect."""
    refused = tab.until("refused")[-1]
    assert "channel" not in refused
    assert words in refused["error"]


def test_a_password_that_changes_is_reported_and_not_tried_in_haste(own: RedisServer, start: Start) -> None:
    own.client.execute_command("ACL", "SETUSER", "viewer", "on", f">{SECRET}", "allchannels", "+@all")
    server = start(REDIS_URL=own.url.replace("//", f"//viewer:{SECRET.replace(' ', '%20')}@"))
    with open_tab(server, "a") as tab:
        own.client.execute_command("ACL", "SETUSER", "viewer", "resetpass", ">another")
        own.client.execute_command("CLIENT KILL TYPE pubsub")
        refused_with(tab, "invalid username-password pair")
        before = own.client.info("errorstats").get("errorstat_WRONGPASS", {"count": 0})["count"]
        Event().wait(3)  # seconds without an attempt; without the pause there would be ten
        after = own.client.info("errorstats")["errorstat_WRONGPASS"]["count"]
        assert after - before <= 1
        assert SECRET not in server.log


def test_a_permission_lost_while_connected_is_reported_for_its_channel(
    own: RedisServer, start: Start
) -> None:
    own.client.execute_command("ACL", "SETUSER", "viewer", "on", ">x", "&a", "&b", "+@all", "~*")
    server = start(REDIS_URL=own.url.replace("//", "//viewer:x@"))
    with open_tab(server, "a", "b") as tab:
        own.client.execute_command("ACL", "SETUSER", "viewer", "resetchannels", "&a")
        refused = tab.until("refused")[-1]
        assert refused["channel"] == "b"
        assert refused["error"].startswith("NOPERM")
        eventually(lambda: own.client.publish("a", "still received") == 1)
        assert tab.until("message")[-1]["data"] == "still received"


def test_a_redis_that_is_full_is_reported_and_lets_in_when_there_is_room(
    own: RedisServer, start: Start
) -> None:
    server = start(REDIS_URL=own.url)
    with open_tab(server, "a") as tab:
        own.client.config_set("maxclients", 1)
        own.client.execute_command("CLIENT KILL TYPE pubsub")
        lost = tab.until("reconnecting")[-1]
        assert lost["from"] <= time()
        own.client.config_set("maxclients", 1000)
        assert [event["type"] for event in tab.until("subscribe")][-2:] == ["gap", "subscribe"]


def test_a_redis_that_is_loading_is_waited_for(own: RedisServer, start: Start) -> None:
    with own.client.pipeline() as pipe:
        for number in range(3000):
            pipe.set(f"key {number}", "x" * 100)
        pipe.execute()
    own.client.save()
    server = start(REDIS_URL=own.url)
    with open_tab(server, "a") as tab:
        own.stop()
        assert tab.until("reconnecting")
        own.start("--key-load-delay", "1000", "--loading-process-events-interval-bytes", "1024")
        assert [event["type"] for event in tab.until("subscribe")][-2:] == ["gap", "subscribe"]
        assert own.said_loading


def test_an_address_that_changes_behind_a_name(own: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every new connection resolves the name again."""
    native = socket.getaddrinfo
    address = ["127.0.0.9"]  # nothing listens there

    def resolve(host: str, *rest: object, **named: object) -> object:
        return native(address[0] if host == "redis.test" else host, *rest, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    link = RedisLink(f"redis://redis.test:{own.port}")
    received: list[object] = []
    with Subscriber(link.connect, received.extend, lambda: None, TimerWheel(), Selection((b"a",), ())):
        eventually(lambda: received, why="the loss is reported")
        address[0] = "127.0.0.1"
        eventually(lambda: own.client.publish("a", "here"), why="the subscriber has found it")


@pytest.mark.long
def test_long_outages(tmp_path: Path) -> None:
    """A minute without Redis, a frozen Redis and a pulled cable, tested at the same time."""
    failures: list[BaseException] = []

    def run(name: str, fault: faults.Fault, seconds: float, worker: str, binary: str) -> None:
        directory = tmp_path / name
        directory.mkdir()
        try:
            redis_server = RedisServer(binary, directory)
            with closing(redis_server), bad_network(redis_server) as proxy:
                url = f"redis://127.0.0.1:{proxy.port}"
                with (
                    closing(ArautoServer(directory / "log", REDIS_URL=url, ARAUTO_WORKER=worker)) as server,
                    promised(redis_server, proxy, server, tabs=4, pause=0.05) as (scene, numbers),
                ):
                    _endure(fault, seconds, scene)
                    settle(scene, numbers)
                    assert all(len(witness.record.gaps) == 1 for witness in scene.witnesses)
        except BaseException as error:
            failures.append(error)

    found = list(binaries().values())
    cases = [
        ("away", faults.restart_redis, 60.0, "gevent", found[0]),
        ("frozen", faults.freeze_redis, 40.0, "gthread", found[-1]),
        ("cable", faults.pull_cable, 40.0, "gevent", found[-1]),
    ]
    threads = [threading.Thread(target=run, args=case) for case in cases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def _endure(fault: faults.Fault, seconds: float, scene: faults.Scene) -> None:
    """Cause the fault; no tab may stay live for longer than it takes to notice."""
    breaking = threading.Thread(target=fault, args=(scene, seconds))
    breaking.start()
    eventually(
        lambda: not any(witness.is_live for witness in scene.witnesses),
        within=DETECTED,
        why="the fault is noticed",
    )
    breaking.join()
