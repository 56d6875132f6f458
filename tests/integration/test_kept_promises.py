"""Faults that once made recorded channels lose messages without a gap, each on the running program.

A client of Redis publishes numbers, tabs reconnect as the page does, and the checker does not depend on the
protocol.
"""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, closing
from functools import partial
from itertools import product
from pathlib import Path
from time import time

import pytest

from arauto.recording_core.log_keys import LEASE, stream_of
from arauto.settings import WORKERS
from tests.support.http import Answer, publish, request
from tests.support.logs import is_recording
from tests.support.machine_time import MachineTime
from tests.support.promises import LIVE_WITHIN, NotingTab, Published, check_kept, watching
from tests.support.recording import recorder_of
from tests.support.redis_servers import RedisServer, binaries
from tests.support.servers import ArautoServer, Start
from tests.support.waiting import eventually


@pytest.fixture(params=WORKERS)
def worker(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def own(worker: str, tmp_path: Path) -> Iterator[RedisServer]:
    """Each worker, with one of the two Redis servers."""
    found = binaries()
    binary = found["valkey"] if worker == "gevent" else found.get("redis", found["valkey"])
    with closing(RedisServer(binary, tmp_path)) as redis_server:
        yield redis_server


@pytest.fixture
def server(worker: str, own: RedisServer, start: Start) -> Iterator[ArautoServer]:
    started = start(REDIS_URL=own.url, ARAUTO_WORKER=worker, ARAUTO_RECORD="kept.*", ARAUTO_DELETE_LOGS="on")
    eventually(lambda: is_recording(own), why="a recorder is at work")
    yield started
    assert "Traceback" not in started.log


def shows_at_once(tabs: list[NotingTab], published: Published, machine: MachineTime) -> None:
    """Publish one more number, which all tabs must show in time."""
    began = machine()
    published.go_on()
    eventually(
        lambda: all(tab.data(published.channel)[-1:] == [published.last] for tab in tabs),
        why=f"{published.last} is shown",
    )
    assert machine() - began < LIVE_WITHIN


def follow_again(tabs: list[NotingTab], since: float) -> None:
    """Wait until each tab has been given a position since then, and has not lost it again."""
    eventually(
        lambda: all(tab.has_position_since(since) and tab.is_followed for tab in tabs),
        why="they have positions",
    )


def drop(tabs: list[NotingTab]) -> None:
    for tab in tabs:
        tab.drop()


def reasons(tab: NotingTab) -> str:
    """The reasons that the page received for a stop of recording."""
    return " ".join(event["error"] for kind in ("stopped", "error") for event in tab.events_of(kind))


def switch(server: ArautoServer, channel: str, on: bool) -> Answer:
    body = json.dumps({"recorded": on})
    path = f"/channels/recording?channel={channel}"
    return request(server, "PUT", path, body, Content_Type="application/json", Origin=server.url)


def delete(server: ArautoServer, channel: str) -> Answer:
    return request(server, "DELETE", f"/channels/messages?channel={channel}", Origin=server.url)


def test_the_recorder_is_killed_and_tabs_come_back_within_its_lease_and_later(
    server: ArautoServer, own: RedisServer, machine: MachineTime
) -> None:
    published = Published(own, "kept.a")
    published.go_on()
    with watching(server, published, tabs=4) as tabs:
        with published.keep_on():
            published.wait_for(20)
            os.kill(recorder_of(server).pid, signal.SIGKILL)
            for tab in tabs:
                tab.drop()
            published.wait_for(240)  # three seconds: another recorder has taken over by then
            with ExitStack() as stack:
                for tab in tabs:
                    stack.enter_context(tab.away())
                published.wait_for(20)
            published.wait_for(20)
        check_kept(server, published, tabs, machine)


def test_a_log_is_deleted_under_load_and_a_tab_is_away_afterwards(
    server: ArautoServer, own: RedisServer, machine: MachineTime
) -> None:
    published = Published(own, "kept.a")
    published.go_on()
    with watching(server, published, tabs=2) as tabs:
        with published.keep_on(0.002):
            for _ in range(5):
                published.wait_for(100)
                assert delete(server, "kept.a").status == 200
                at = len(published.moments)
            published.wait_for(100)
            with tabs[0].away():
                published.wait_for(300)
            published.wait_for(20)
        check_kept(server, published, tabs, machine, log_from=at)


@pytest.fixture
def other(worker: str, own: RedisServer, tmp_path: Path) -> Iterator[ArautoServer]:
    """A second server on the same Redis; the first one notices its switches within a second."""
    with closing(ArautoServer(tmp_path / "other", REDIS_URL=own.url, ARAUTO_WORKERS="1")) as started:
        yield started
        assert "Traceback" not in started.log


def test_recording_is_switched_off_and_on_and_sockets_drop_before_they_know(
    server: ArautoServer, other: ArautoServer, own: RedisServer, machine: MachineTime
) -> None:
    published = Published(own, "switched")
    assert switch(other, "switched", True).status == 200
    published.go_on()
    with watching(server, published, tabs=4) as tabs:
        with published.keep_on(0.005):
            for _ in range(3):
                published.wait_for(50)
                assert switch(other, "switched", False).status == 200
                published.wait_for(20)
                with tabs[0].away(), tabs[1].away():
                    assert switch(other, "switched", True).status == 200
                    tabs[2].drop()
                    published.wait_for(50)
                    again = time()
                follow_again(tabs[:2], again)
            published.wait_for(50)
        check_kept(server, published, tabs, machine)


@pytest.mark.parametrize("is_away_first", [True, False])
def test_sockets_drop_at_any_moment_of_a_switch(
    server: ArautoServer, own: RedisServer, is_away_first: bool, machine: MachineTime
) -> None:
    """Before recording is off, between off and on, and afterwards. Pauses are in messages published."""
    published = Published(own, "switched")
    assert switch(server, "switched", True).status == 200
    published.go_on()
    with watching(server, published, tabs=4) as tabs:
        with published.keep_on(0.004):
            for n, (first, second) in enumerate(product((0, 12), (0, 50))):
                dropped = tabs[: 1 + n % 4]
                published.wait_for(100)
                since = time()
                for is_switch in (not is_away_first, is_away_first):
                    if is_switch:
                        assert switch(server, "switched", False).status == 200
                    else:
                        drop(dropped)
                    published.wait_for(first if is_switch else second)
                assert switch(server, "switched", True).status == 200
                published.wait_for(75 * (n % 2))
                drop(dropped)
                follow_again(dropped, since)
        check_kept(server, published, tabs, machine)


def test_redis_takes_nothing_while_the_workers_restart(
    server: ArautoServer, own: RedisServer, machine: MachineTime
) -> None:
    published = Published(own, "kept.a")
    published.go_on()
    with watching(server, published, tabs=3) as tabs:
        published.go_on(20)
        eventually(lambda: all(tab.data("kept.a")[-1:] == [published.last] for tab in tabs))
        own.client.config_set("maxmemory", "1")
        for worker in server.workers():
            worker.kill()
        eventually(lambda: all(tab.sockets > 1 and len(tab.events_of("subscribe")) > 1 for tab in tabs))
        for _ in range(3):
            shows_at_once(tabs, published, machine)
        eventually(lambda: all("maxmemory" in reasons(tab) for tab in tabs), why="the page says why")
        again = time()
        own.client.config_set("maxmemory", "0")
        follow_again(tabs, again)
        published.go_on(20)
        check_kept(server, published, tabs, machine)


def test_redis_comes_back_from_an_older_snapshot(
    server: ArautoServer, own: RedisServer, machine: MachineTime
) -> None:
    published = Published(own, "kept.a")
    published.go_on()
    with watching(server, published, tabs=2) as tabs:
        with published.keep_on():
            published.wait_for(20)
            own.client.save()
            published.wait_for(20)
            with tabs[0].away():
                published.wait_for(80)
        with tabs[0].away():
            eventually(lambda: tabs[1].data("kept.a")[-1:] == [published.last])
            own.stop()
            again = time()
            own.start()
        published.go_on()
        follow_again(tabs, again)
        with published.keep_on():
            published.wait_for(20)
            # Without a position it would have a gap, and the last message might be within it.
            eventually(lambda: tabs[1].is_followed)
            with tabs[1].away():
                published.wait_for(20)
        check_kept(server, published, tabs, machine)


def test_two_servers_on_one_redis_record_other_channels(
    worker: str, own: RedisServer, tmp_path: Path, machine: MachineTime
) -> None:
    with ExitStack() as stack:
        for name in ("first", "second"):
            started = ArautoServer(
                tmp_path / name, REDIS_URL=own.url, ARAUTO_WORKER=worker, ARAUTO_RECORD=f"{name}.*"
            )
            stack.enter_context(closing(started))
            eventually(lambda: is_recording(own), why="a recorder is at work")
        published = Published(own, "second.a")
        published.go_on()
        with watching(started, published) as tabs:
            with published.keep_on():
                published.wait_for(20)
                with tabs[0].away():
                    published.wait_for(80)
            check_kept(started, published, tabs, machine, log_from=tabs[0].first)


def test_two_databases_of_one_redis(
    worker: str, own: RedisServer, tmp_path: Path, machine: MachineTime
) -> None:
    with ExitStack() as stack:
        published = Published(own, "kept.a")
        servers = [
            stack.enter_context(
                closing(
                    ArautoServer(
                        tmp_path / str(database), REDIS_URL=f"{own.url}/{database}", ARAUTO_WORKER=worker,
                        ARAUTO_RECORD="kept.*", ARAUTO_WORKERS="1",
                    )
                )
            )
            for database in (0, 1)
        ]  # fmt: skip
        published.go_on()
        watched = [(server, stack.enter_context(watching(server, published, tabs=2))) for server in servers]
        with published.keep_on(0.005):
            for _ in range(3):
                published.wait_for(50)
                for _, tabs in watched:
                    tabs[0].drop()
                for server in servers:
                    publish(server, "kept.else", "by the form")
            published.wait_for(50)
        for server, tabs in watched:
            check_kept(server, published, tabs, machine, log_from=tabs[0].first)


def beats(redis_server: RedisServer, many: int) -> None:
    """Wait for ``many`` beats of the recorder."""

    def differs(before: object) -> bool:
        return redis_server.client.hgetall(LEASE) != before

    for _ in range(many):
        eventually(partial(differs, redis_server.client.hgetall(LEASE)))


def test_what_redis_says_of_keys_is_not_recorded(
    worker: str, own: RedisServer, start: Start, machine: MachineTime
) -> None:
    """Otherwise each entry of a log would cause the next one."""
    own.client.config_set("notify-keyspace-events", "KEA")
    server = start(REDIS_URL=own.url, ARAUTO_WORKER=worker, ARAUTO_RECORD="*")
    eventually(lambda: is_recording(own), why="a recorder is at work")
    published = Published(own, "a")
    published.go_on()
    with watching(server, published) as tabs:
        published.go_on(20)
        before = own.client.info("stats")["total_commands_processed"]
        beats(own, 4)
        commands = own.client.info("stats")["total_commands_processed"] - before
        assert commands < 1000, "it goes on by itself"
        check_kept(server, published, tabs, machine)
    for name in ("__keyevent@0__:xadd", "__keyspace@0__:arauto:lease", "arauto:words"):
        answer = switch(server, name, True)
        assert answer.status == 409
        assert answer.error.startswith(f"{name} cannot be recorded")
    assert all(b"__key" not in key for key in own.client.keys("*"))


def test_each_key_of_ours_is_deleted(server: ArautoServer, own: RedisServer, machine: MachineTime) -> None:
    """As by eviction. The stream comes last, since its messages are lost with it."""
    published = Published(own, "kept.a")
    published.go_on()
    log_from = 0
    with watching(server, published, tabs=2) as tabs:
        with published.keep_on(0.005):
            published.wait_for(50)
            stream = stream_of(b"kept.a")
            for key in [*sorted(set(own.client.keys("arauto:*")) - {stream}), stream]:
                log_from = len(published.moments) if key == stream else log_from
                own.client.delete(key)
                published.wait_for(20)
                with tabs[0].away():
                    published.wait_for(50)
                published.wait_for(100)
        check_kept(server, published, tabs, machine, log_from)


def test_the_key_of_the_log_is_no_stream(
    server: ArautoServer, own: RedisServer, machine: MachineTime
) -> None:
    published = Published(own, "kept.a")
    published.go_on()
    with watching(server, published, tabs=2) as tabs:
        published.go_on(20)
        eventually(lambda: all(tab.data("kept.a")[-1:] == [published.last] for tab in tabs))
        with tabs[0].away():
            own.client.delete(stream_of(b"kept.a"))
            own.client.set(stream_of(b"kept.a"), "mine")
            sockets = tabs[0].sockets + 1
        eventually(lambda: tabs[0].sockets == sockets and len(tabs[0].events_of("subscribe")) > 1)
        for _ in range(3):
            shows_at_once(tabs, published, machine)
        eventually(lambda: all("WRONGTYPE" in reasons(tab) for tab in tabs), why="the page says why")
        assert tabs[0].sockets == sockets
        log_from = len(published.moments)
        again = time()
        own.client.delete(stream_of(b"kept.a"))
        follow_again(tabs, again)
        published.go_on(20)
        check_kept(server, published, tabs, machine, log_from)


@pytest.mark.parametrize(
    ("id", "fields"),
    [
        ("4000000000000-7", {"foreign": "1", "entry": "2"}),
        ("4000000000000-4000000000000", {"gap": "9" * 30}),
        ("4000000000000-4000000000000", {"gap": "soon"}),
    ],
)
def test_somebody_else_writes_into_the_log(
    server: ArautoServer, own: RedisServer, id: str, fields: dict[str, str], machine: MachineTime
) -> None:
    published = Published(own, "kept.a")
    published.go_on()
    with watching(server, published, tabs=2) as tabs:
        with published.keep_on(0.005):
            published.wait_for(20)
            with tabs[0].away():
                published.wait_for(20)
                own.client.xadd(stream_of(b"kept.a"), fields, id=id)  # type: ignore[arg-type]
                published.wait_for(20)
                sockets = tabs[0].sockets + 1
            eventually(lambda: tabs[0].sockets == sockets, why="it is back")
            published.wait_for(100)
            assert tabs[0].sockets == sockets
            tabs[1].drop()
            published.wait_for(20)
        check_kept(server, published, tabs, machine)


def test_the_form_and_another_client_publish_in_turn(
    server: ArautoServer, own: RedisServer, machine: MachineTime
) -> None:
    """Each waits for the reply to the one before."""
    published = Published(own, "kept.a")
    published.go_on()
    with watching(server, published, tabs=2) as tabs:
        for n in range(40):
            publish(server, "kept.a", published.note())
            published.go_on()
            if n == 20:
                tabs[0].drop()
        check_kept(server, published, tabs, machine)
