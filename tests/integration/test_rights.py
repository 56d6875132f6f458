"""Logs with a login: permission to read, switch and delete them, and their events in a feed."""

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urlencode

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from arauto.auth.api_tokens import Tokens
from arauto.recording_core.log_keys import SWITCHED
from arauto.settings import WORKERS
from tests.integration.test_tokens import bearer
from tests.support.http import Answer, get, request
from tests.support.logs import is_recording, logged
from tests.support.persons import Person
from tests.support.redis_servers import RedisServer, binaries
from tests.support.rules import ACTS, PERSON, PROGRAM, RECORDS, RETURNS, as_program, rules, set_user
from tests.support.servers import ArautoServer
from tests.support.tabs import Tab, open_tab
from tests.support.waiting import eventually

TOKEN, READ_TOKEN = "a shared token of twenty-six", "a token for those who read"
PASSWORD = "a long password for everyone"
USER = rules(PERSON, channels=("kept.*", "else"))
FOLLOWER = rules(PERSON, RETURNS, channels=("kept.*", "else"))
SOON = (
    "import arauto.auth.session_monitor as w; w.ROUND, w.AUTH_ROUND = 0.5, 1.0"  # instead of 5 and 10 seconds
)


@pytest.fixture(scope="module", params=WORKERS)
def stage(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[RedisServer, ArautoServer, dict[str, str]]]:
    directory = tmp_path_factory.mktemp("rights")
    binary = list(binaries().values())[0 if request.param == "gevent" else -1]
    tokens = Tokens(str(directory / "tokens"))
    made = {
        "reads": tokens.create("reads", ["kept.*"], [], 1e12),
        "writes": tokens.create("writes", [], ["kept.*"], 1e12),
    }
    with closing(RedisServer(binary, directory)) as redis_server:
        as_program(redis_server, PROGRAM, ACTS, RECORDS, channels=("kept.*", "else"))
        server = ArautoServer(
            directory / "log",
            REDIS_URL=redis_server.url, ARAUTO_WORKER=request.param, ARAUTO_LOGIN="redis",
            ARAUTO_TOKEN=TOKEN, ARAUTO_READ_TOKEN=READ_TOKEN, ARAUTO_TOKENS=str(directory / "tokens"),
            ARAUTO_RECORD="kept.*", ARAUTO_DELETE_LOGS="on", ALTER=SOON,
        )  # fmt: skip
        with closing(server):
            eventually(lambda: is_recording(redis_server))
            yield redis_server, server, made
        assert "Traceback" not in server.log


@pytest.fixture
def server(stage: tuple[RedisServer, ArautoServer, dict[str, str]]) -> ArautoServer:
    return stage[1]


@pytest.fixture
def redis_server(stage: tuple[RedisServer, ArautoServer, dict[str, str]]) -> RedisServer:
    for name, allowed in (("ana", USER), ("bia", FOLLOWER), ("rui", [*USER, "-publish"])):
        set_user(stage[0], name, PASSWORD, *allowed)
    return stage[0]


def person(server: ArautoServer, user: str) -> Person:
    found = Person(server)
    assert found.log_in(PASSWORD if user else TOKEN, user=user).status == 303
    return found


def act(somebody: Person, method: str, path: str, body: str | None = None, **headers: str) -> Answer:
    """A request as the page's script sends it."""
    given: dict[str, Any] = {
        "Cookie": somebody.cookie,
        "Origin": somebody.server.url,
        "X_CSRF_Token": somebody.form_token(),
    }
    return request(somebody.server, method, path, body, **given | headers)


def switch(somebody: Person, channel: str, on: bool, **headers: str) -> Answer:
    return act(somebody, "PUT", f"/channels/{channel}/recording", json.dumps({"recorded": on}), **headers)


def data(answer: Answer) -> list[str]:
    return [line["data"] for line in map(json.loads, answer.body.splitlines()) if "data" in line]


def come_back(somebody: Person, following: dict[str, Any], channel: str, kind: str) -> list[dict[str, Any]]:
    """The events of a page that reconnects on its recorded channel, up to an event of this kind."""
    after = f"{following['epoch']}.{following['id']}"
    query = urlencode({"channel": channel, "after": after})
    with connect(f"{somebody.server.ws}/feed?{query}", **somebody.socket_headers()) as socket:
        return Tab(socket).until(kind)


def test_a_log_is_read_with_the_permission_to_receive_its_channel(
    server: ArautoServer, redis_server: RedisServer, stage: Any
) -> None:
    ana, shared = person(server, "ana"), person(server, "")
    assert shared.publish("kept.read", "one").json["receivers"] == 2  # each possible recorder
    eventually(lambda: logged(redis_server, "kept.read") == [b"one"])
    redis_server.client.execute_command("ACL", "SETUSER", "rui", "resetchannels", "&else")
    rui = person(server, "rui")
    path, volume = "/channels/kept.read/messages", "/channels/kept.read/volume"
    assert data(ana.get(path)) == ["one"]
    assert sum(ana.get(volume).json["counts"]) == 1
    for one in (path, volume):
        refused = rui.get(one, Accept="application/json")
        assert (refused.status, refused.error) == (
            403, "Redis does not let the user rui listen to kept.read.",
        )  # fmt: skip
    redis_server.client.execute_command("ACL", "SETUSER", "ana", "off")
    refused = ana.get(path, Accept="application/json")
    assert (refused.status, refused.error) == (403, "Redis no longer lets the user ana in: log in again.")
    for token, status in ((READ_TOKEN, 200), (stage[2]["reads"], 200), (stage[2]["writes"], 403)):
        assert (
            get(server, path, **bearer(token)).status == get(server, volume, **bearer(token)).status == status
        )
    assert get(server, "/channels/else/messages", **bearer(stage[2]["reads"])).error == (
        "This token may not listen to else."
    )
    assert get(server, path).status == get(server, volume).status == 401
    assert get(server, "/feed?channel=kept.read&since=first").status == 401


def test_a_log_is_switched_and_deleted_by_who_may_publish(
    server: ArautoServer, redis_server: RedisServer, stage: Any
) -> None:
    ana, rui = person(server, "ana"), person(server, "rui")
    may_not = "only those who may do that may record it or delete its recording."
    for refused in (switch(rui, "else", True), act(rui, "DELETE", "/channels/messages?channel=kept.x")):
        assert refused.status == 403
        assert refused.error.endswith(may_not)
    assert switch(ana, "secret", True).error == (
        f"Redis does not let the user ana publish to secret: {may_not}"
    )
    reader = Person(server)
    reader.log_in(READ_TOKEN)
    for refused in (
        switch(reader, "else", True),
        act(reader, "DELETE", "/channels/messages?channel=kept.x"),
        act(reader, "DELETE", "/channels/messages?channel=kept.x", **bearer(stage[2]["reads"])),
        act(reader, "DELETE", "/channels/messages?channel=else", **bearer(stage[2]["writes"])),
    ):
        assert refused.status == 403
        assert refused.error.startswith("Only those who may publish to ")
    for headers in ({"X_CSRF_Token": "0" * 64}, {"Origin": "http://evil.example"}):
        assert switch(ana, "else", True, **headers).status == 403
    assert not redis_server.client.exists(SWITCHED)
    assert switch(ana, "else", True).json == {"channel": "else", "recorded": True}
    assert switch(ana, "else", False).status == 200
    assert act(ana, "DELETE", "/channels/messages?channel=else").status == 200
    ana.publish("kept.gone", "x")
    eventually(lambda: logged(redis_server, "kept.gone"))
    assert (
        act(reader, "DELETE", "/channels/messages?channel=kept.gone", **bearer(stage[2]["writes"])).status
        == 200
    )
    redis_server.client.execute_command("ACL", "SETUSER", "ana", "resetpass", ">another password")
    assert switch(ana, "else", True).error == "Redis no longer lets the user ana in: log in again."


def test_a_user_who_receives_announcements_follows_the_log(
    server: ArautoServer, redis_server: RedisServer
) -> None:
    bia = person(server, "bia")
    with open_tab(server, "kept.b", **bia.socket_headers()) as tab:
        following = tab.until("following")[-1]
        assert bia.publish("kept.b", "as bia").status == 200  # with her own connection: Redis decides
        shown = tab.next()
        assert shown["data"] == "as bia"
    back = come_back(bia, following, "kept.b", "message")
    assert [event.get("data") for event in back] == [None, "as bia"]
    assert back[1]["id"] == shown["id"]
    assert "past" in back[1]


def test_a_user_who_does_not_gets_a_reason_and_receives_it_live(
    server: ArautoServer, redis_server: RedisServer
) -> None:
    ana = person(server, "ana")
    address = f"{server.ws}/feed?channel=kept.a&since=first"
    with connect(address, **ana.socket_headers()) as socket:
        tab = Tab(socket)
        assert tab.until("error")[-1]["error"] == (
            "kept.a is recorded, but Redis does not let the user ana read the recording: it is live only."
        )
        ana.publish("kept.a", "x")
        assert tab.until("message")[-1]["data"] == "x"
        tab.say(subscribe=["kept.other"])
        assert tab.until("error")[-1]["error"].startswith("kept.other is recorded, but")
    eventually(lambda: data(ana.get("/channels/kept.a/messages")) == ["x"])


def test_a_right_that_is_taken_away_ends_what_is_followed(
    server: ArautoServer, redis_server: RedisServer
) -> None:
    bia = person(server, "bia")
    with open_tab(server, "kept.c", "else", **bia.socket_headers()) as tab:
        following = tab.until("following")[-1]
        redis_server.client.execute_command("ACL", "SETUSER", "bia", "resetchannels", "&else")
        refused = tab.until("refused")[-1]
        assert refused["error"] == "Redis does not let the user bia listen to kept.c."
        tab.until("subscribe")  # channels she may still receive continue
        redis_server.client.publish("kept.c", "not for bia")
        redis_server.client.publish("else", "for bia")
        assert tab.next()["data"] == "for bia"
    events = come_back(bia, following, "kept.c", "refused")
    assert [event["type"] for event in events] == ["error", "refused"]


def test_a_user_who_is_deleted_receives_nothing_more(server: ArautoServer, redis_server: RedisServer) -> None:
    bia = person(server, "bia")
    with open_tab(server, "kept.d", **bia.socket_headers()) as tab:
        tab.until("following")
        redis_server.client.execute_command("ACL", "DELUSER", "bia")
        redis_server.client.publish("kept.d", "not for bia")
        with pytest.raises(ConnectionClosed) as closed:
            tab.until("message")
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008
        assert closed.value.rcvd.reason == (
            "Your session is over, or Redis no longer lets bia in: log in again."
        )
    assert not bia.is_in()
