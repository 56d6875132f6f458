"""Recording of a channel is switched on and off, for all processes and pages at once."""

import json
import os
import signal
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import quote

import pytest

from arauto.recording_core.log_keys import LEASE, SWITCHED, head_of, stream_of
from arauto.settings import WORKERS
from tests.support.http import Answer, get, publish, request
from tests.support.logs import entries, gaps, head, is_recording, logged
from tests.support.processes import connections
from tests.support.redis_servers import RedisServer, binaries, free_port
from tests.support.returning import ReturningTab
from tests.support.servers import ArautoServer, Start
from tests.support.tabs import Tab, open_tab
from tests.support.waiting import eventually


@pytest.fixture(params=WORKERS)
def server(request: pytest.FixtureRequest, start: Start, own_redis: RedisServer) -> Iterator[ArautoServer]:
    server = start(REDIS_URL=own_redis.url, ARAUTO_WORKER=request.param, ARAUTO_DELETE_LOGS="on")
    yield server
    assert "Traceback" not in server.log


def switch(server: ArautoServer, channel: str, recorded: object, **headers: Any) -> Answer:
    body = json.dumps({"recorded": recorded})
    return request(server, "PUT", f"/channels/recording?channel={quote(channel)}", body, **headers)


def switch_on(server: ArautoServer, channel: str = "a") -> None:
    answer = switch(server, channel, True)
    assert (answer.status, answer.json) == (200, {"channel": channel, "recorded": True})


def switch_off(server: ArautoServer, channel: str = "a") -> None:
    answer = switch(server, channel, False)
    assert (answer.status, answer.json) == (200, {"channel": channel, "recorded": False})


def forget(server: ArautoServer, channel: str = "a") -> Answer:
    return request(server, "DELETE", f"/channels/messages?channel={channel}")


def lines(server: ArautoServer, channel: str = "a") -> list[Any]:
    """The lines of the log: data, or the reason of a gap."""
    answer = get(server, f"/channels/{quote(channel)}/messages")
    assert answer.status == 200
    return [line.get("data", line.get("reason")) for line in map(json.loads, answer.body.splitlines())]


def place_of(following: dict[str, Any]) -> dict[str, str]:
    return {"after": f"{following['epoch']}.{following['id']}"}


def shown(tab: Tab, n: int) -> list[dict[str, Any]]:
    """The next ``n`` messages and gaps."""
    rows = (event for event in iter(tab.next, None) if event["type"] in ("message", "gap"))
    return list(islice(rows, n))


def resumed(tab: Tab) -> None:
    """Wait for the event after which messages are in the log."""
    while tab.until("stopped")[-1]["error"]:
        pass


def test_what_is_switched_on_is_recorded_from_every_publisher(
    server: ArautoServer, own_redis: RedisServer
) -> None:

    def has_both(name: str) -> bool:
        return len(logged(own_redis, name)) >= 2

    for name in ("a*", "/topic//b?#é", "[b]\\"):
        own_redis.client.publish(name, "before")
        switch_on(server, name)
        own_redis.client.publish("ab", "no channel of that name")
        own_redis.client.publish(name, "outside")
        publish(server, name, "inside")  # whether its process has noticed the switch or not
        eventually(partial(has_both, name))
        assert set(logged(own_redis, name)) == {b"outside", b"inside"}
        assert gaps(own_redis, name) == 0
        assert sorted(lines(server, name)) == ["inside", "outside"]
    assert own_redis.client.exists(stream_of(b"ab"), head_of(b"ab")) == 0


def test_all_processes_know_it_and_a_restart_keeps_it(
    start: Start, server: ArautoServer, own_redis: RedisServer
) -> None:
    def all_say(word: str) -> bool:
        return all(word in publish(server, "a", "x").json for _ in range(20))

    switch_on(server)
    eventually(lambda: all_say("recorded"))
    server.stop()
    server = start(REDIS_URL=own_redis.url)
    eventually(lambda: all_say("recorded"))
    eventually(lambda: gaps(own_redis, "a") == 1)
    switch_off(server)
    n = len(entries(own_redis, "a"))
    own_redis.client.publish("a", "outside")
    for _ in range(10):
        publish(server, "a", "inside")  # also through a process that has not noticed the switch yet
    eventually(
        lambda: all(
            publish(server, "a", "x").json.keys() == {"channel", "receivers", "tabs"} for _ in range(20)
        )
    )
    assert len(entries(own_redis, "a")) == n
    assert not own_redis.client.exists(SWITCHED)
    eventually(lambda: not is_recording(own_redis), why="no recorder is needed")


@pytest.mark.parametrize("slot", [0, 1])
def test_a_process_that_learns_late_of_a_stop_leaves_no_gap_of_its_own(
    start: Start, own_redis: RedisServer, slot: int
) -> None:
    """One of the two processes is not the recorder, and must not become it for a moment."""
    late = (
        "from time import sleep; from arauto.workers.drain import Drain; close = Drain.close_all; "
        f"Drain.close_all = lambda self: (self._worker_states._slot == {slot} and sleep(2.5), close(self))"
    )
    server = start(REDIS_URL=own_redis.url, ARAUTO_RECORD="a", ALTER=late)
    eventually(lambda: is_recording(own_redis))
    publish(server, "a", "x")
    eventually(lambda: logged(own_redis, "a") == [b"x"])
    assert server.stop() == 0
    start(REDIS_URL=own_redis.url, ARAUTO_RECORD="a")
    eventually(lambda: gaps(own_redis, "a") > 0)
    assert gaps(own_redis, "a") == 1


def test_open_tabs_begin_to_follow_without_a_hole_or_a_duplicate(
    server: ArautoServer, own_redis: RedisServer
) -> None:

    def toggle() -> None:
        switch_on(server)
        switch_off(server)
        switch_on(server)

    def follows(tab: ReturningTab) -> bool:
        return tab.number("a") > 0

    tabs = [ReturningTab(server.ws, ["a", "b"]) for _ in range(4)]
    for tab in tabs:
        tab.start()
    eventually(lambda: own_redis.client.pubsub_numsub("a", "b") == [(b"a", 4), (b"b", 4)])
    try:
        toggling = Thread(target=toggle)
        for n in range(300):
            publish(server, "a", f"i{n}")
            own_redis.client.publish("a", f"o{n}")
            if n == 50:
                toggling.start()
        toggling.join()
        opened = int(head(own_redis, "a")["number"])
        eventually(lambda: all(tab.number("a") >= opened for tab in tabs), why="all follow the log again")
        for n in range(300, 600):
            publish(server, "a", f"i{n}")
            own_redis.client.publish("a", f"o{n}")
            if n % 20 == 0:
                tabs[n // 20 % 4].drop()
        for tab in tabs:
            for side in "io":
                eventually(partial(tab.ends_with, f"{side}599", "a", side))
                assert tab.data("a", side) == [f"{side}{n}" for n in range(600)]
            eventually(partial(follows, tab))
            assert tab.number("b") == 0
            assert tab.faults == []
            assert [gap["reason"] for gap in tab.gaps] == []
    finally:
        for tab in tabs:
            tab.leave()
            tab.join(10)


def test_switched_off_and_on_again_leaves_a_gap(server: ArautoServer, own_redis: RedisServer) -> None:
    with open_tab(server, "a") as tab:
        switch_on(server)
        place = place_of(tab.until("following")[-1])
        publish(server, "a", "1")
        eventually(lambda: logged(own_redis, "a") == [b"1"])
        switch_off(server)
        assert tab.until("unrecorded")[-1] == {"type": "unrecorded", "channel": "a"}
        own_redis.client.publish("a", "outside")
        publish(server, "a", "inside")
        assert [tab.next().keys() & {"data", "id"} for _ in range(2)] == [{"data"}, {"data"}]
    assert lines(server) == ["1"]  # it can still be read
    with open_tab(server, "a", query=place) as tab:
        # The process has noticed the switch, or reads the log first.
        events = tab.until("unrecorded")
        assert [event["reason"] for event in events if event["type"] == "gap"] in (
            ["unrecorded"],
            ["recorder"],
        )
        switch_on(server)
        tab.until("following")
    publish(server, "a", "2")
    eventually(lambda: lines(server) == ["1", "recorder", "2"])
    with open_tab(server, "a", query=place) as tab:
        first, gap, second = shown(tab, 3)
    assert (first["data"], gap["reason"], second["data"]) == ("1", "recorder", "2")
    assert gap["to"] > gap["from"] >= first["at"] - 2


def test_a_recorder_that_is_killed_is_replaced(server: ArautoServer, own_redis: RedisServer) -> None:
    switch_on(server)
    switch_on(server, "off")
    publish(server, "off", "x")
    eventually(lambda: logged(own_redis, "off") == [b"x"])
    switch_off(server, "off")
    eventually(lambda: own_redis.client.pubsub_numsub("a") == [(b"a", 2)], why="the other process stands by")
    own_redis.client.publish("a", "before")
    eventually(lambda: logged(own_redis, "a") == [b"before"])
    with own_redis.client.monitor() as monitor:
        command: dict[str, Any] = {}
        for _ in range(3):  # within three beats the stand-by has located the log
            while " arauto:lease renew " not in (command := monitor.next_command())["command"]:
                pass
    port = int(command["client_port"])
    (holder,) = [worker for worker in server.workers() if connections(worker.pid, local=port)]
    os.kill(holder.pid, signal.SIGKILL)
    own_redis.client.publish("a", "after")
    eventually(lambda: logged(own_redis, "a") == [b"before", b"after"])
    assert gaps(own_redis, "a") == 0
    assert len(entries(own_redis, "off")) == 1  # nothing is written to a closed log


def test_off_is_off(server: ArautoServer, own_redis: RedisServer) -> None:
    """Redis has no keys of the program and receives only the commands of live feeds; so does the page."""
    with own_redis.client.monitor() as monitor, open_tab(server, "a") as tab:
        publish(server, "a", "inside")
        own_redis.client.publish("a", "outside")
        events = [tab.next(), tab.next()]
        own_redis.client.ping()
        commands = []
        while (command := monitor.next_command()["command"]) != "PING":
            if not command.startswith("CLIENT "):  # of the test itself
                commands.append(command)
    assert [event.keys() for event in events] == [{"type", "channel", "data", "at"}] * 2
    # Once a second each process reads which channels are recorded in this database.
    commands = [one for one in commands if "arauto:logs:" not in one and one != "TIME"]
    assert sorted(set(commands)) == [
        "PUBLISH a inside",
        "PUBLISH a outside",
        "PUBSUB NUMPAT",
        "PUBSUB NUMSUB arauto:tabs:channel:a",
        "SUBSCRIBE a",
        "SUBSCRIBE arauto:tabs:channel:a",
    ]
    assert own_redis.client.keys("*") == []


def test_a_log_that_is_off_goes_when_it_is_old(start: Start, own_redis: RedisServer) -> None:
    alter = "import arauto.recording.recorder_thread as thread; thread.TRIM_EVERY = 0.5"
    server = start(REDIS_URL=own_redis.url, ARAUTO_RECORD_SECONDS="1", ALTER=alter)
    switch_on(server)
    publish(server, "a", "x")
    switch_off(server)
    eventually(lambda: own_redis.client.keys("*") in ([], [LEASE]))


@pytest.fixture
def plain(start: Start, own_redis: RedisServer) -> ArautoServer:
    return start(REDIS_URL=own_redis.url, ARAUTO_WORKERS="1", ARAUTO_RECORD="kept.*")


def test_recording_can_be_forbidden(start: Start, own_redis: RedisServer) -> None:
    own_redis.client.sadd(SWITCHED, "a")
    own_redis.client.config_resetstat()
    server = start(REDIS_URL=own_redis.url, ARAUTO_RECORDING="off", ARAUTO_DELETE_LOGS="on")
    for answer in (switch(server, "a", True), switch(server, "a", False), forget(server)):
        assert answer.status == 403
        assert answer.error.endswith(".")
    assert publish(server, "a", "x").json == {"channel": "a", "receivers": 0, "tabs": 0}
    assert "cmdstat_smembers" not in own_redis.client.info("commandstats")


def test_what_the_setting_records_stays_recorded(plain: ArautoServer) -> None:
    assert switch(plain, "kept.a", True).json == {"channel": "kept.a", "recorded": True}
    answer = switch(plain, "kept.a", False)
    assert answer.status == 409
    assert "ARAUTO_RECORD " in answer.error
    eventually(lambda: "recorded" in publish(plain, "kept.a", "x").json)


def test_a_channel_whose_glob_is_gone_is_closed(start: Start, own_redis: RedisServer) -> None:
    def run(globs: str) -> ArautoServer:
        alter = (
            "import arauto.recording.log_store as store; store.GLOBS_LAST = 2000; "
            "import arauto.recording.recorder_thread as thread; thread.TRIM_EVERY = 0.5"
        )
        return start(REDIS_URL=own_redis.url, ARAUTO_WORKERS="1", ARAUTO_RECORD=globs, ALTER=alter)

    server = run("kept.*,other")
    eventually(lambda: is_recording(own_redis))
    publish(server, "kept.a", "1")
    eventually(lambda: logged(own_redis, "kept.a") == [b"1"])
    server.stop()
    server = run("other")
    eventually(lambda: head(own_redis, "kept.a")["closed"])
    publish(server, "kept.a", "lost")
    server.stop()
    server = run("kept.*,other")
    publish(server, "kept.a", "in the gap, if no recorder is there yet")
    eventually(lambda: head(own_redis, "kept.a")["closed"] == "")
    publish(server, "kept.a", "2")
    eventually(lambda: lines(server, "kept.a") == ["1", "recorder", "2"])


def test_notifications_about_keys_are_not_recorded(start: Start, own_redis: RedisServer) -> None:
    """Otherwise each entry would cause the next one, without end."""
    own_redis.client.config_set("notify-keyspace-events", "KEA")
    server = start(REDIS_URL=own_redis.url, ARAUTO_WORKERS="1", ARAUTO_RECORD="*")
    eventually(lambda: is_recording(own_redis))
    for name in ("arauto:words:0:{a}", "__keyspace@0__:a", "__keyevent@0__:xadd"):
        for on in (True, False):
            answer = switch(server, name, on)
            assert (answer.status, answer.error) == (
                409,
                f"{name} cannot be recorded: each entry would cause another message there, without end.",
            )
        answer = switch(server, name, True, Accept_Language="pt-BR")
        assert (
            answer.error == f"{name} não pode ser gravado: cada entrada causaria outra mensagem lá, sem fim."
        )
        assert get(server, f"/channels/messages?channel={quote(name)}").status == 404
        assert publish(server, name, "x").json.keys() == {"channel", "receivers", "tabs"}
    own_redis.client.publish("a", "x")
    eventually(lambda: logged(own_redis, "a") == [b"x"])
    assert own_redis.client.keys("arauto:stream:*") == [stream_of(b"a")]


def test_what_cannot_be_read_switches_nothing(plain: ArautoServer, own_redis: RedisServer) -> None:
    for body in ("", "{", "[]", "{}", '{"recorded": 1}', '{"recorded": "on"}'):
        answer = request(plain, "PUT", "/channels/a/recording", body)
        assert (answer.status, answer.error[-1]) == (400, "."), body
        assert not own_redis.client.exists(SWITCHED)


def test_who_may_not_publish_may_not_switch(plain: ArautoServer) -> None:
    assert switch(plain, "a\n", True).status == 400
    assert switch(plain, "x" * 257, True).status == 400
    assert switch(plain, "a", True, Origin="https://evil.example").status == 403
    assert switch(plain, "a", True, Sec_Fetch_Site="cross-site").status == 403
    assert forget(plain).status == 403  # no setting allows it


def test_redis_that_is_away_or_refuses(start: Start, own_redis: RedisServer) -> None:
    user = ["on", ">secret", "~*", "&*", "+@all", "-xadd"]
    own_redis.client.execute_command("ACL", "SETUSER", "poor", *user)
    url = own_redis.url.replace("//", "//poor:secret@")
    alter = "from arauto.recording.recorded_channels import Recording; Recording.MAX_SWITCHED = 1"
    server = start(REDIS_URL=url, ARAUTO_WORKERS="1", ALTER=alter)
    answer = switch(server, "a", True)
    assert answer.status == 403
    assert "permission" in answer.error
    own_redis.client.execute_command("ACL", "SETUSER", "poor", "+xadd")
    own_redis.client.set(stream_of(b"a"), "mine")
    answer = switch(server, "a", True)
    assert answer.status == 502
    assert "WRONGTYPE the key arauto:stream:{a} is no stream" in answer.error
    switch_on(server, "b")
    answer = switch(server, "c", True)
    assert answer.status == 409
    assert "1 channels are switched on" in answer.error
    own_redis.client.config_set("maxmemory", "1")
    switch_off(server, "b")
    answer = switch(server, "b", True)
    assert answer.status == 502
    assert "maxmemory" in answer.error
    own_redis.stop()
    assert switch(server, "b", True).status == 503


def test_a_deleted_log_is_another_log_afterwards(server: ArautoServer, own_redis: RedisServer) -> None:
    assert forget(server).status == 404
    switch_on(server)
    with open_tab(server, "a") as tab:
        old = tab.until("following")[-1]
        publish(server, "a", "1")
        # A recorder that has not noticed the deletion may write this message, but must not do so later.
        eventually(lambda: logged(own_redis, "a") == [b"1"])
        assert forget(server).json == {"channel": "a", "deleted": True}
        new = tab.until("following")[-1]
        assert new["epoch"] != old["epoch"]
        publish(server, "a", "2")
        own_redis.client.publish("a", "3")
        eventually(lambda: lines(server) == ["2", "3"])
    for place, wanted in ((old, ["replaced", "2", "3"]), (new, ["2", "3"])):
        with open_tab(server, "a", query=place_of(place)) as tab:
            events = shown(tab, len(wanted))
            assert [event.get("data", event.get("reason")) for event in events] == wanted
            tab.until("following")
    switch_off(server)
    assert forget(server).status == 200
    assert own_redis.client.keys("*{a}*") == [head_of(b"a")]
    assert head(own_redis, "a") == {"off": "1"}  # until all processes have noticed; then the key is deleted
    assert forget(server).status == 404


def test_a_tab_shows_that_recording_has_stopped_and_goes_on(
    server: ArautoServer, own_redis: RedisServer
) -> None:
    with open_tab(server, "a") as tab:
        switch_on(server)
        tab.until("following")
        own_redis.client.config_set("maxmemory", "1")
        assert publish(server, "a", "x").status == 200
        assert tab.until("stopped")[-1]["error"].startswith("OOM ")
        tab.through("x")
        with open_tab(server, "a") as late:  # a new page gets the event too
            assert late.until("stopped")[-1]["channel"] == "a"
        # Until the lease expires too: then no process can be the recorder.
        eventually(lambda: "recorder blocked why=" in server.log)
        own_redis.client.config_set("maxmemory", "0")
        resumed(tab)
        eventually(lambda: "recorded" in publish(server, "a", "y").json)
        own_redis.client.replicaof("127.0.0.1", str(free_port()))
        eventually(lambda: server.log.count("read only replica") >= 2)
        own_redis.client.publish("a", "z")
        assert any("read only replica" in tab.until("stopped")[-1]["error"] for _ in range(10))
        own_redis.client.replicaof("NO", "ONE")
        resumed(tab)
    assert [line for line in lines(server) if line != "recorder"][:2] == [
        "x",
        "y",
    ]  # the recorder kept the message meanwhile


def test_a_command_that_redis_does_not_have_is_reported_in_a_few_words(start: Start, tmp_path: Path) -> None:
    missing = [part for name in ("EVAL", "PUBSUB", "INFO") for part in ("--rename-command", name, "")]
    redis_server = RedisServer(binaries()["valkey"], tmp_path, *missing)
    try:
        server = start(REDIS_URL=redis_server.url, ARAUTO_WORKERS="1")
        assert publish(server, "a", "x").json == {"channel": "a", "receivers": 0, "tabs": None}
        answer = request(
            server,
            "PUT",
            "/channels/recording?channel=a",
            b'{"recorded":true}',
            Content_Type="application/json",
        )
        assert (answer.status, answer.error) == (502, "Redis refuses it: unknown command 'EVAL'")
        answer = get(server, "/channels")
        assert (answer.status, answer.error) == (
            502,
            "Redis refuses to list its channels: unknown command 'PUBSUB'",
        )
    finally:
        redis_server.close()
