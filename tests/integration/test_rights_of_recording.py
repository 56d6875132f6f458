"""Without one ACL rule of docs/security.md messages still come, and pages show which rule is missing."""

import re
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from arauto.settings import WORKERS
from tests.support.acknowledging import give_back, path_of, take
from tests.support.http import Answer, get, publish
from tests.support.logs import is_recording
from tests.support.machine_time import MachineTime
from tests.support.promises import LIVE_WITHIN, NotingTab, Published, check_kept, watching
from tests.support.redis_servers import RedisServer, binaries
from tests.support.rules import ACTS, PROGRAM, RECORDS, as_program, rules
from tests.support.servers import ArautoServer, Start
from tests.support.waiting import eventually

ALLOWED = dict.fromkeys(rules("+ping", ACTS, RECORDS, channels=("kept.*",)))
COMMANDS = ["+ping", *(right for right in ALLOWED if right.startswith("+"))]
NAMES = [right for right in ALLOWED if right.startswith("&arauto:")] + ["~arauto:*"]

# Connections are cut often: the back-off would be as long as for a failing Redis.
SOON = "import arauto.redis_io.subscriber as s; s.BACKOFF_CAP, s.REFUSED_PAUSE = 0.25, 1.0"

Stage = tuple[RedisServer, ArautoServer]


@pytest.fixture(scope="module", params=WORKERS)
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Each worker, with one of the two Redis servers."""
    found = binaries()
    binary = found["valkey"] if request.param == "gevent" else found.get("redis", found["valkey"])
    directory = tmp_path_factory.mktemp("rights")
    with closing(RedisServer(binary, directory)) as redis_server:
        as_program(redis_server, PROGRAM, ACTS, RECORDS, channels=("kept.*",))
        server = ArautoServer(
            directory / "log",
            REDIS_URL=redis_server.url, ARAUTO_WORKER=request.param, ARAUTO_RECORD="kept.*", ALTER=SOON,
        )  # fmt: skip
        with closing(server):
            yield redis_server, server
            assert "Traceback" not in server.log


@contextmanager
def without(redis_server: RedisServer, right: str) -> Iterator[None]:
    """Remove the right within the block, also for open connections."""
    every = list(dict.fromkeys(rules(PROGRAM, ACTS, RECORDS, channels=("kept.*",))))
    set_rights(redis_server, [one for one in every if one != right])
    try:
        yield
    finally:
        set_rights(redis_server, every)


def set_rights(redis_server: RedisServer, rights: list[str]) -> None:
    redis_server.client.execute_command("ACL", "SETUSER", "arauto", "reset", "on", ">program", *rights)
    redis_server.client.script_flush()
    redis_server.client.execute_command("CLIENT", "KILL", "USER", "arauto")


def errors(tab: NotingTab) -> str:
    """All error sentences that the page received."""
    return " ".join(str(event["error"]) for event in list(tab.events) if "error" in event)


def names(words: str, right: str) -> bool:
    """Whether ``words`` name the right. Redis does not name the refused key or channel."""
    kind = {
        "~": ("access a key", "access one of the keys", " on arauto:"),
        "&": ("access a channel", "access one of the channels", " on arauto:"),
    }.get(right[0], ())
    return right[1:] in words.lower() or any(one in words for one in kind)


def is_last_recorded(tab: NotingTab, published: Published) -> bool:
    last = tab.messages(published.channel)[-1:]
    return bool(last) and last[0]["data"] == published.last and "id" in last[0]


def shows_at_once(tab: NotingTab, published: Published, machine: MachineTime) -> None:
    began = machine()
    eventually(lambda: tab.data(published.channel)[-1:] == [published.last], why=f"{published.last} is shown")
    assert machine() - began < LIVE_WITHIN


def acknowledging(server: ArautoServer, channel: str, shown: list[dict[str, Any]]) -> Iterator[Answer]:
    """Read the acknowledgements; acknowledge the last message of the log, if any, and take that back."""
    yield get(server, path_of(channel))
    for id in [event["id"] for event in shown if "id" in event][-1:]:
        taken = take(server, channel, id)
        yield taken
        if taken.status == 200:
            yield give_back(server, channel, id)


@pytest.mark.parametrize("right", [*COMMANDS, *NAMES])
def test_with_one_right_less(stage: Stage, right: str, machine: MachineTime) -> None:
    redis_server, server = stage
    eventually(lambda: is_recording(redis_server), why="there is a recorder")
    name = right.lstrip("+&~").rstrip("*")
    published = Published(redis_server, f"kept.{re.sub('[^a-z]', '', name)}")
    published.go_on()
    with ExitStack() as stack:
        (before,) = stack.enter_context(watching(server, published))
        stack.enter_context(without(redis_server, right))
        after = NotingTab(server.ws, published)
        stack.callback(after.join, 10)
        stack.callback(after.leave)
        after.start()
        if right == "+subscribe":
            eventually(lambda: names(errors(after), right), why="the page says what is missing")
            return
        eventually(lambda: after.events_of("subscribe") and len(before.events_of("subscribe")) > 1)
        unrecorded = ""
        for _ in range(3):
            published.go_on()
            for tab in (before, after):
                shows_at_once(tab, published, machine)
            answer = publish(server, published.channel, published.note())
            if right == "+publish":
                assert answer.status == 403
                del published.moments[published.last]
                break
            assert answer.status == 200, answer.body
            unrecorded = answer.json.get("unrecorded", "")
            for tab in (before, after):
                shows_at_once(tab, published, machine)

        def is_recorded_or_refused() -> bool:
            sentences = [errors(tab) + unrecorded for tab in (before, after)]
            if all(names(words, right) for words in sentences):
                return True
            published.go_on()
            for tab in (before, after):
                shows_at_once(tab, published, machine)
            return all(is_last_recorded(tab, published) for tab in (before, after))

        eventually(is_recorded_or_refused, within=30, why="the page says what is missing")
        for answer in acknowledging(server, published.channel, before.messages(published.channel)):
            assert answer.status == 200 or names(answer.body.decode(), right)


@pytest.mark.parametrize("gone", [["EVAL", "EVALSHA"], ["EVALSHA"]])
def test_scripts_that_are_renamed_away(
    tmp_path: Path, start: Start, gone: list[str], machine: MachineTime
) -> None:
    options = [word for command in gone for word in ("--rename-command", command, "")]
    with closing(RedisServer(binaries()["valkey"], tmp_path, *options)) as redis_server:
        server = start(REDIS_URL=redis_server.url, ARAUTO_RECORD="kept.*")
        published = Published(redis_server, "kept.a")
        tab = NotingTab(server.ws, published)
        tab.start()
        try:
            eventually(lambda: tab.events_of("subscribe"))
            for _ in range(3):
                published.go_on()
                shows_at_once(tab, published, machine)
                assert publish(server, "kept.a", published.note()).status == 200
                shows_at_once(tab, published, machine)
            eventually(lambda: "'EVAL" in errors(tab).upper(), why="the page says why")
        finally:
            tab.leave()
            tab.join(10)
        assert "Traceback" not in server.log


def test_a_channel_of_another_servers_glob(
    tmp_path: Path, own_redis: RedisServer, machine: MachineTime
) -> None:
    """The recorder's server did not know the glob at first; a tab on the other server receives all."""
    with ExitStack() as stack:
        for name in ("first", "second"):
            server = ArautoServer(
                tmp_path / name, REDIS_URL=own_redis.url, ARAUTO_RECORD=f"{name}.*", ARAUTO_WORKERS="1"
            )
            stack.enter_context(closing(server))
            eventually(lambda: is_recording(own_redis), why="a recorder is at work")
        published = Published(own_redis, "second.a")
        (tab,) = stack.enter_context(watching(server, published))
        with published.keep_on():
            published.wait_for(20)
            with tab.away():
                published.wait_for(40)
        check_kept(server, published, [tab], machine)
        assert tab.gaps == []
