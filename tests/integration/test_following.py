"""A tab that reconnects to a recorded channel receives exactly the missed messages, then live ones."""

import itertools
import json
import os
import random
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from http.client import HTTPException
from threading import Event, Thread
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from arauto.recording_core.log_keys import stream_of
from arauto.settings import WORKERS
from tests.support.http import handshake, publish
from tests.support.logs import is_recording, logged
from tests.support.recording import recorder_of
from tests.support.redis_servers import RedisServer, binaries
from tests.support.returning import ReturningTab
from tests.support.servers import ArautoServer, Start
from tests.support.tabs import Tab, open_tab
from tests.support.waiting import eventually

RETURNS = 200
# A busy machine must not cause a gap.
PATIENT = "import arauto.recording_core.channel_feed as feed; feed.PATIENCE = 60_000"


SETTINGS: dict[str, Any] = {"ARAUTO_RECORD": "kept.*", "ARAUTO_RECORD_MESSAGES": "100000", "ALTER": PATIENT}
numbers = itertools.count()


@pytest.fixture(scope="module")
def redis_of_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(binaries()["valkey"], tmp_path_factory.mktemp("valkey"))
    yield server
    server.close()


@pytest.fixture(scope="module", params=WORKERS)
def server_of_all(
    request: pytest.FixtureRequest, redis_of_all: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ArautoServer]:
    log = tmp_path_factory.mktemp("following") / "log"
    server = ArautoServer(log, REDIS_URL=redis_of_all.url, ARAUTO_WORKER=request.param, **SETTINGS)
    yield server
    server.close()


@pytest.fixture
def recording(server_of_all: ArautoServer, redis_of_all: RedisServer) -> Iterator[ArautoServer]:
    """The server of all tests that do not break it; each test has its own channel."""

    def is_alone() -> bool:
        return is_recording(redis_of_all) and redis_of_all.subscribers() == server_of_all.workers_wanted

    eventually(is_alone, why="there are a recorder and a stand-by")
    yield server_of_all
    eventually(is_alone, why="no tab is left at Redis")


@pytest.fixture
def channel() -> str:
    return f"kept.{next(numbers)}"


@pytest.fixture(params=WORKERS)
def own_recording(request: pytest.FixtureRequest, start: Start, own_redis: RedisServer) -> ArautoServer:
    server = start(REDIS_URL=own_redis.url, ARAUTO_WORKER=request.param, **SETTINGS)
    eventually(lambda: is_recording(own_redis), why="a recorder is at work")
    return server


@contextmanager
def returning(
    server: ArautoServer, tabs: int, *channels: str, since: str = ""
) -> Iterator[list[ReturningTab]]:
    with ExitStack() as stack:
        there = [ReturningTab(server.ws, list(channels), since) for _ in range(tabs)]
        for tab in there:
            stack.callback(tab.join, 10)
            stack.callback(tab.leave)
            tab.start()
        eventually(lambda: all(tab.is_followed for tab in there))
        yield there


class Load:
    """Publishes numbers with the form (``i``) and directly to Redis (``o``) within its block."""

    def __init__(self, server: ArautoServer, redis_server: RedisServer, channel: str) -> None:
        self.published = {"i": 0, "o": 0}
        self._server = server
        self._redis = redis_server
        self._channel = channel
        self._ended = Event()
        self._threads = [Thread(target=self._inside), Thread(target=self._outside)]

    def __enter__(self) -> "Load":
        eventually(self._has_log)
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _has_log(self) -> bool:
        return "recorded" in publish(self._server, self._channel, "first").json

    def _inside(self) -> None:
        while not self._ended.wait(0.005):
            number = self.published["i"]
            self.published["i"] += 1
            # A worker that is killed meanwhile sends no response, or part of one.
            with suppress(ConnectionError, HTTPException):
                answer = publish(self._server, self._channel, f"i{number}")
                assert answer.json.get("recorded"), answer.json

    def _outside(self) -> None:
        while not self._ended.wait(0.003):
            for _ in range(3):
                self._redis.client.publish(self._channel, f"o{self.published['o']}")
                self.published["o"] += 1


def check_whole(tab: ReturningTab, channel: str, published: dict[str, int]) -> None:
    """The tab has all numbers of each publisher from the first it received, without hole or duplicate."""
    for side, many in published.items():
        numbers = [int(data[1:]) for data in tab.data(channel, side)]
        assert numbers, side
        assert numbers == list(range(numbers[0], many)), side
    assert tab.faults == []


def test_two_hundred_returns_at_random_moments_under_load(
    recording: ArautoServer, channel: str, redis_of_all: RedisServer
) -> None:
    with returning(recording, 8, channel) as tabs:
        with Load(recording, redis_of_all, channel) as load:
            dropped = dict.fromkeys(tabs, 0)  # the count of sockets of a tab at its last drop

            def has_returned(tab: ReturningTab) -> bool:
                return tab.sockets > dropped[tab]

            for _ in range(RETURNS):
                tab = random.choice(tabs)
                eventually(partial(has_returned, tab), why="it has returned")
                dropped[tab] = tab.sockets
                tab.drop()
                Event().wait(random.uniform(0, 0.05))
        last = {side: f"{side}{many - 1}" for side, many in load.published.items()}

        def has_all(tab: ReturningTab) -> bool:
            return all(tab.ends_with(last[side], channel, side) for side in last)

        for tab in tabs:
            eventually(partial(has_all, tab))
            check_whole(tab, channel, load.published)
            assert tab.gaps == []
        eventually(lambda: sum(tab.sockets for tab in tabs) >= len(tabs) + RETURNS)


def publish_and_see(server: ArautoServer, tab: Tab, channel: str, data: str) -> str:
    """Publish a message, and return its id from the tab's event."""
    publish(server, channel, data)
    event = tab.until("message")[-1]
    assert event["data"] == data
    return str(event["id"])


def test_a_tab_that_was_away_is_whole_again(
    recording: ArautoServer, channel: str, redis_of_all: RedisServer
) -> None:
    with open_tab(recording, channel) as tab:
        following = tab.until("following")[-1]
        ids = [publish_and_see(recording, tab, channel, "inside")]
        redis_of_all.client.publish(channel, "outside")
        ids.append(tab.until("message")[-1]["id"])
    for n in range(2500):
        redis_of_all.client.publish(channel, str(n))
    eventually(lambda: redis_of_all.client.xlen(stream_of(channel.encode())) == 2502)
    for seen, missed in ((ids[1], 2500), (ids[0], 2501)):
        after = f"{following['epoch']}.{seen}"
        with open_tab(recording, channel, query={"after": after}) as tab:
            events = tab.through("2499")
            messages = [event["data"] for event in events if event["type"] == "message"]
            assert len(messages) == missed
            assert messages[-2500:] == [str(n) for n in range(2500)]
            assert all(event["past"] for event in events if event["type"] == "message")
            assert [event for event in events if event["type"] == "gap"] == []


def test_what_the_first_message_asks_for_is_as_in_an_address(
    recording: ArautoServer, channel: str, redis_of_all: RedisServer
) -> None:
    with open_tab(recording, channel) as tab:
        epoch = tab.until("following")[-1]["epoch"]
        ids = [publish_and_see(recording, tab, channel, str(n)) for n in range(4)]
    names = [f"{number:03}".ljust(200, "x") for number in range(98)]
    with connect(f"{recording.ws}/feed?selection=follows", compression=None) as socket:
        tab = Tab(socket)
        tab.say(channel=[channel, *names], pattern=["p.*"], after=[f"{epoch}.{ids[1]}"])
        seen = [tab.next() for _ in range(len(names) + 5)]
        missed = [event["data"] for event in seen if event["type"] == "message"]
        assert missed == ["2", "3"]
        assert sorted(event["channel"] for event in seen if event["type"] == "subscribe") == [
            *names,
            channel,
        ]
        redis_of_all.client.publish("p.1", "by pattern")
        assert tab.next()["data"] == "by pattern"


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({"channel": [str(n) for n in range(101)]}, "A feed can listen to at most 100"),
        ({"channel": ["x" * 257]}, "A channel name can have at most 256 bytes."),
        ({"channel": ["a"], "after": ["x"]}, "x is not a position"),
        ({"channel": []}, "Choose a channel or a pattern"),
        ({"subscribe": ["a"]}, "Invalid message: expected channels and patterns."),
        ({"channel": "a"}, "Invalid message: expected channels and patterns."),
    ],
)
def test_what_cannot_be_received_is_refused_in_the_first_message_too(
    recording: ArautoServer, message: dict[str, object], reason: str
) -> None:
    with connect(f"{recording.ws}/feed?selection=follows", compression=None) as socket:
        socket.send(json.dumps(message))
        with pytest.raises(ConnectionClosed) as caught:
            socket.recv(15)
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 1008
    assert caught.value.rcvd.reason.startswith(reason)


def test_what_cannot_be_made_whole_is_a_gap(
    recording: ArautoServer, channel: str, redis_of_all: RedisServer
) -> None:
    with open_tab(recording, channel) as tab:
        epoch = tab.until("following")[-1]["epoch"]
        ids = [publish_and_see(recording, tab, channel, str(n)) for n in range(10)]
    redis_of_all.client.xtrim(stream_of(channel.encode()), maxlen=4, approximate=False)

    def returned(after: str, channel: str = channel) -> list[object]:
        with open_tab(recording, channel, query={"after": after}) as tab:
            redis_of_all.client.publish(channel, "after")
            shown = tab.through("after")[:-1]
            return [
                event.get("reason") or event["data"] for event in shown if event["type"] in ("gap", "message")
            ]

    assert returned(f"{epoch}.{ids[5]}") == ["6", "7", "8", "9"]  # nothing is missing
    assert returned(f"{epoch}.{ids[3]}") == ["log", "6", "7", "8", "9"]
    assert returned(f"{epoch}.{ids[9]}") == []
    assert returned(f"{'0' * 16}.{ids[7]}") == [
        "replaced",
        "8",
        "9",
    ]  # the others are older than the messages it has
    assert returned(f"{epoch}.{ids[7]}", "other") == ["unrecorded"]


@pytest.mark.parametrize("is_published", [False, True])
def test_a_tab_on_a_channel_without_a_log_follows_it_soon(
    recording: ArautoServer, channel: str, is_published: bool
) -> None:
    """Meanwhile no event says that no process records it."""
    with open_tab(recording, channel) as tab:
        if is_published:
            publish(recording, channel, "first")
        events = tab.until("following")
    assert "stopped" not in {event["type"] for event in events}
    assert events[-1]["id"]


@pytest.mark.parametrize("since", ["2", "10m", "first"])
def test_since(recording: ArautoServer, channel: str, redis_of_all: RedisServer, since: str) -> None:
    for n in range(3):
        publish(recording, channel, str(n))
    eventually(lambda: len(logged(redis_of_all, channel)) == 3, why="the last two are those of the log")
    with open_tab(recording, channel, query={"since": since}) as tab:
        tab.until("following")  # it has a position to resume from if it is cut off
        events = tab.until("following")
    assert [event["data"] for event in events[:-1]] == ["0", "1", "2"][-2 if since == "2" else 0 :]


@pytest.mark.parametrize(
    "query",
    ["after=x", "after=xyz.1-2", "after=abcdabcd.1-2.x", "after=&after=", "since=soon", "since=9999999999"],
)
def test_a_place_that_cannot_be_read(recording: ArautoServer, channel: str, query: str) -> None:
    answer = handshake(recording, f"/feed?channel={channel}&{query}")
    assert (answer.status, answer.error[-1]) == (400, ".")


def test_a_recorder_that_is_killed_under_load(own_recording: ArautoServer, own_redis: RedisServer) -> None:
    """Tabs of the other worker stay live; the others receive all messages or a gap."""
    with returning(own_recording, 4, "kept.a") as tabs:
        with Load(own_recording, own_redis, "kept.b"):
            for round in range(60):
                own_redis.client.publish("kept.a", f"o{round}")
                if round == 20:
                    os.kill(recorder_of(own_recording).pid, signal.SIGKILL)
                Event().wait(0.1)
        for tab in tabs:
            eventually(partial(tab.ends_with, "o59", "kept.a"))
            numbers = [int(data[1:]) for data in tab.data("kept.a")]
            assert numbers == sorted(set(numbers))
            assert len(numbers) == 60 or tab.gaps
            assert tab.faults == []


def test_redis_that_cuts_its_subscribers(own_recording: ArautoServer, own_redis: RedisServer) -> None:
    with returning(own_recording, 3, "kept.a") as tabs:
        with Load(own_recording, own_redis, "kept.a") as load:
            for _ in range(5):
                Event().wait(0.5)
                own_redis.client.execute_command("CLIENT KILL TYPE pubsub")
        last = f"i{load.published['i'] - 1}"
        for tab in tabs:
            eventually(partial(tab.ends_with, last, "kept.a", "i"))
            inside = [int(data[1:]) for data in tab.data("kept.a", "i")]
            # Publications by the form need no recorder.
            assert inside == list(range(inside[0], load.published["i"]))
            outside = [int(data[1:]) for data in tab.data("kept.a", "o")]
            assert len(outside) == len(set(outside))
            assert tab.gaps  # the recorder was cut too


def test_a_hundred_recorded_channels(
    recording: ArautoServer, channel: str, redis_of_all: RedisServer
) -> None:
    names = [f"{channel}.{n:05d}" for n in range(100)]

    def has_all(tab: ReturningTab) -> bool:
        return all(tab.ends_with("19", name) for name in names)

    with returning(recording, 2, *names) as tabs:
        for n in range(20):
            for name in names:
                redis_of_all.client.publish(name, str(n))
            tabs[n % 2].drop()
        for tab in tabs:
            eventually(partial(has_all, tab))
            assert all(tab.data(name) == [str(n) for n in range(20)] for name in names)
            assert tab.faults == []
            assert tab.gaps == []
            assert tab.sockets > 1
