"""One person takes a message and all others see it: over HTTP, on the WebSocket, in Redis."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from time import time
from typing import Any

import pytest

from arauto.auth.api_tokens import Tokens
from arauto.protocol.acknowledgements import MAX_BY
from arauto.recording_core.log_keys import acknowledgements_of
from arauto.settings import WORKERS
from tests.integration.test_rights import PASSWORD, act
from tests.integration.test_tokens import bearer
from tests.support.acknowledging import give_back, path_of, take, taken
from tests.support.http import get, publish, request
from tests.support.logs import OwnLog, entries, is_recording, logged
from tests.support.persons import Person
from tests.support.redis_servers import RedisServer, binaries
from tests.support.servers import ArautoServer, Start
from tests.support.tabs import open_tab
from tests.support.waiting import eventually


@pytest.fixture(scope="module", params=WORKERS)
def stage(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[RedisServer, ArautoServer]]:
    """Each worker, with one of the two Redis servers."""
    directory = tmp_path_factory.mktemp("acknowledged")
    binary = list(binaries().values())[0 if request.param == "gevent" else -1]
    with closing(RedisServer(binary, directory)) as redis_server:
        given: Any = {"REDIS_URL": redis_server.url, "ARAUTO_RECORD": "kept.*", "ARAUTO_DELETE_LOGS": "on"}
        server = ArautoServer(directory / "log", ARAUTO_WORKER=request.param, **given)
        with closing(server):
            eventually(lambda: is_recording(redis_server))
            yield redis_server, server
            assert "Traceback" not in server.log


@pytest.fixture
def redis_server(stage: tuple[RedisServer, ArautoServer]) -> RedisServer:
    return stage[0]


@pytest.fixture
def server(stage: tuple[RedisServer, ArautoServer]) -> ArautoServer:
    return stage[1]


def published(server: ArautoServer, redis_server: RedisServer, channel: str, *messages: str) -> list[str]:
    """Publish messages, and return their ids in the log."""
    before = len(logged(redis_server, channel))
    for message in messages:
        assert publish(server, channel, message).status == 200
    eventually(lambda: len(logged(redis_server, channel)) == before + len(messages))
    return [str(id) for id, _ in entries(redis_server, channel)][-len(messages) :]


def test_every_page_shows_who_takes_it_and_who_gives_it_back(
    server: ArautoServer, redis_server: RedisServer, tmp_path: Path
) -> None:
    other = ArautoServer(tmp_path / "other", REDIS_URL=redis_server.url, ARAUTO_RECORD="kept.*")
    with closing(other), ExitStack() as stack:
        tabs = [stack.enter_context(open_tab(one, "kept.all")) for one in (server, server, other)]
        for tab in tabs:
            tab.until("following")
        (id,) = published(server, redis_server, "kept.all", "disk full")
        answer = take(other, "kept.all", id)
        since = answer.json["since"]
        assert (answer.status, answer.json) == (
            200, {"channel": "kept.all", "id": id, "by": "Ana", "since": since},
        )  # fmt: skip
        assert abs(time() - since) < 60
        for tab in tabs:
            assert tab.until("acknowledged")[-1] == {"type": "acknowledged", **answer.json}
        assert taken(server, "kept.all") == taken(other, "kept.all") == {id: "Ana"}

        again = take(server, "kept.all", id)
        assert (again.status, again.json) == (200, answer.json)
        refused = take(server, "kept.all", id, by="Rui")
        assert (refused.status, refused.error) == (409, "Ana has taken this message already.")

        back = give_back(server, "kept.all", id)
        assert (back.status, back.json) == (200, {"channel": "kept.all", "id": id})
        for tab in tabs:
            assert tab.until("acknowledged")[-1] == {"type": "acknowledged", **back.json}
        assert give_back(other, "kept.all", id).error == "Nobody has taken this message."
        assert taken(other, "kept.all") == {}
        assert take(server, "kept.all", id, by="Rui").json["by"] == "Rui"


def test_of_many_at_once_the_first_has_it(server: ArautoServer, redis_server: RedisServer) -> None:
    (id,) = published(server, redis_server, "kept.race", "disk full")
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda n: take(server, "kept.race", id, by=f"p{n}"), range(16)))
    (first,) = [answer.json["by"] for answer in answers if answer.status == 200]
    assert {answer.error for answer in answers if answer.status != 200} == {
        f"{first} has taken this message already."
    }
    assert taken(server, "kept.race") == {id: first}


def test_what_is_asked_wrongly_is_refused_with_a_sentence(
    server: ArautoServer, redis_server: RedisServer
) -> None:
    (id,) = published(server, redis_server, "kept.wrong", "x")
    who = f'Say who takes it: {{"by": "Ana"}}, with at most {MAX_BY} characters and none that is invisible.'
    what = "Give the id of a message as ?message=…, such as 1763879938123-41."
    for wrong in (None, 7, "", "  ", "x" * (MAX_BY + 1), "a\nb", "a\u202eb", ["Ana"]):
        refused = take(server, "kept.wrong", id, by=wrong)
        assert (refused.status, refused.error) == (400, who), wrong
    for wrong in (
        "",
        "41",
        "1-2-3",
        "x-1",
        f"{id}1234567890",
        f"0{id}",
        id.replace("-", "-0"),
        "-",
        "1763879938123-4１",
    ):
        for ask in (take, give_back):
            refused = ask(server, "kept.wrong", wrong)
            assert (refused.status, refused.error) == (400, what), wrong
    for ask in (take, give_back):
        gone = ask(server, "kept.wrong", "1763879938123-41")
        assert (gone.status, gone.error) == (
            404, "The recording has no such message: it may have been trimmed.",
        )  # fmt: skip
        live = ask(server, "live.only", id)
        assert (live.status, live.error) == (
            404, "This channel is not recorded: switch it on in the page, or by ARAUTO_RECORD.",
        )  # fmt: skip
    path = f"/channels/kept.wrong/acknowledgements?message={id}"
    assert request(server, "PUT", path, '{"by":"Ana"}').status == 400  # a proxy may have changed the path
    assert request(server, "DELETE", f"{path}&channel=else").status == 409
    assert get(server, "/channels/kept.wrong/acknowledgements").json == {
        "channel": "kept.wrong", "you": None, "acknowledgements": [],
    }  # fmt: skip
    assert taken(server, "live.only") == {}


def test_a_log_that_is_deleted_has_none(server: ArautoServer, redis_server: RedisServer) -> None:
    with open_tab(server, "kept.gone") as tab:
        epoch = tab.until("following")[-1].get("epoch")
        (id,) = published(server, redis_server, "kept.gone", "x")
        assert take(server, "kept.gone", id).status == 200
        assert request(server, "DELETE", "/channels/messages?channel=kept.gone").status == 200
        while tab.until("following")[-1].get("epoch") == epoch:
            pass  # on this event a page requests the acknowledgements again
    assert taken(server, "kept.gone") == {}
    assert not redis_server.client.exists(acknowledgements_of(b"kept.gone"))


def test_a_channel_that_is_switched_off_keeps_them_as_they_are(
    server: ArautoServer, redis_server: RedisServer
) -> None:
    def switch(on: bool) -> None:
        body = json.dumps({"recorded": on})
        assert request(server, "PUT", "/channels/recording?channel=switched", body).status == 200

    switch(True)
    (id,) = published(server, redis_server, "switched", "x")
    assert take(server, "switched", id).status == 200
    switch(False)
    assert give_back(server, "switched", id).status == 404
    assert taken(server, "switched") == {id: "Ana"}
    switch(True)
    assert give_back(server, "switched", id).status == 200


@pytest.mark.parametrize("name", list(binaries()))
def test_they_survive_the_server_and_redis(start: Start, tmp_path: Path, name: str) -> None:
    options = "--appendonly", "yes", "--appendfsync", "always"
    with closing(RedisServer(binaries()[name], tmp_path, *options)) as redis_server:
        given = {"REDIS_URL": redis_server.url, "ARAUTO_RECORD": "kept.*"}
        server = start(**given)
        eventually(lambda: is_recording(redis_server))
        (id,) = published(server, redis_server, "kept.a", "x")
        assert take(server, "kept.a", id).status == 200
        server.stop()
        redis_server.stop()
        redis_server.start()
        server = start(**given)
        with open_tab(server, "kept.a", query={"since": "first"}) as tab:
            assert tab.until("message")[-1]["id"] == id
            assert taken(server, "kept.a") == {id: "Ana"}
            assert give_back(server, "kept.a", id).status == 200
            assert tab.until("acknowledged")[-1]["id"] == id


def test_redis_is_away_or_takes_nothing(start: Start, own_redis: RedisServer) -> None:
    server = start(REDIS_URL=own_redis.url, ARAUTO_RECORD="kept.*")
    eventually(lambda: is_recording(own_redis))
    (id,) = published(server, own_redis, "kept.a", "x")
    own_redis.client.config_set("maxmemory", "1")
    refused = take(server, "kept.a", id)
    assert refused.status == 502
    assert refused.error.startswith("Redis refuses it: command not allowed when used memory")
    own_redis.client.config_set("maxmemory", "0")
    own_redis.stop()
    for answer in (
        take(server, "kept.a", id),
        give_back(server, "kept.a", id),
        get(server, path_of("kept.a")),
    ):
        assert (answer.status, answer.error) == (503, "Redis does not answer.")


@pytest.mark.parametrize("gone", [["EVAL", "EVALSHA"], ["EVALSHA"]])
def test_scripts_that_are_renamed_away(tmp_path: Path, start: Start, gone: list[str]) -> None:
    options = [word for command in gone for word in ("--rename-command", command, "")]
    with closing(RedisServer(binaries()["valkey"], tmp_path, *options)) as redis_server:
        server = start(REDIS_URL=redis_server.url, ARAUTO_RECORD="kept.*")
        for answer in (take(server, "kept.a", "1-1"), give_back(server, "kept.a", "1-1")):
            assert answer.status == 502
            assert answer.error.startswith("Redis refuses it: unknown command 'EVALSHA'")
        assert taken(server, "kept.a") == {}


def test_nothing_is_recorded_at_all(start: Start, own_redis: RedisServer) -> None:
    server = start(REDIS_URL=own_redis.url, ARAUTO_RECORDING="off")
    assert take(server, "a", "1-1").error == "Nothing is recorded here: ARAUTO_RECORDING=off."
    assert taken(server, "a") == {}


def test_who_may_publish_may_take_and_has_the_name_that_is_known(
    start: Start, own_redis: RedisServer, tmp_path: Path
) -> None:
    tokens = Tokens(str(tmp_path / "tokens"))
    made = {
        name: tokens.create(name, ["*"], globs, 1e12)
        for name, globs in (("pager", ["kept.*"]), ("reads", []), ("else", ["else"]))
    }
    shared, reading = "a shared token of twenty-six", "a token for those who read"
    server = start(
        REDIS_URL=own_redis.url, ARAUTO_RECORD="kept.*,arauto.audit", ARAUTO_AUDIT_CHANNEL="arauto.audit",
        ARAUTO_TOKEN=shared, ARAUTO_READ_TOKEN=reading, ARAUTO_TOKENS=str(tmp_path / "tokens"),
    )  # fmt: skip
    eventually(lambda: is_recording(own_redis))
    assert publish(server, "kept.a", "x", **bearer(shared)).status == 200
    eventually(lambda: logged(own_redis, "kept.a"))
    (id,) = [str(id) for id, _ in entries(own_redis, "kept.a")]

    for token in (made["reads"], made["else"], reading):
        for ask in (take, give_back):
            refused = ask(server, "kept.a", id, **bearer(token))
            assert (refused.status, refused.error) == (
                403, "Only those who may publish to kept.a may acknowledge its messages.",
            )  # fmt: skip
    assert take(server, "kept.a", id).status == 401
    assert get(server, path_of("kept.a")).status == 401
    own = "This channel is for the audit trail: nobody else publishes to it here."
    assert take(server, "arauto.audit", id, **bearer(shared)).error == own

    answer = take(server, "kept.a", id, by="Rui", **bearer(made["pager"]))
    assert answer.json["by"] == "pager"
    assert get(server, path_of("kept.a"), **bearer(made["reads"])).json["you"] == "reads"
    assert get(server, path_of("kept.a"), **bearer(shared)).json["you"] is None
    assert taken(server, "kept.a", **bearer(reading)) == {id: "pager"}
    assert give_back(server, "kept.a", id, **bearer(shared)).status == 200
    assert take(server, "kept.a", id, by="Rui", **bearer(shared)).json["by"] == "Rui"

    lines = server.log
    assert f"acknowledge refused channel='kept.a' id='{id}' user='reads' way=bearer" in lines
    assert f"acknowledged channel='kept.a' id='{id}' by='pager' user='pager' way=bearer" in lines
    assert f"given back channel='kept.a' id='{id}' by='pager' user='token' way=bearer" in lines
    assert f"acknowledged channel='kept.a' id='{id}' by='Rui' user='token' way=bearer" in lines


def test_users_of_redis_are_asked_for_at_redis(start: Start, own_redis: RedisServer) -> None:
    for name, allowed in (("ana", ["&*", "+@all"]), ("rui", ["&*", "+@all", "-publish"])):
        own_redis.client.execute_command("ACL", "SETUSER", name, "on", f">{PASSWORD}", *allowed)
    server = start(REDIS_URL=own_redis.url, ARAUTO_RECORD="kept.*", ARAUTO_LOGIN="redis")
    log = OwnLog(own_redis, "kept.users", "x")
    persons = {}
    for name in ("ana", "rui"):
        persons[name] = Person(server)
        assert persons[name].log_in(PASSWORD, user=name).status == 303
    path = path_of("kept.users", log.ids[0])
    refused = act(persons["rui"], "PUT", path)
    assert (refused.status, refused.error) == (
        403, "Only those who may publish to kept.users may acknowledge its messages.",
    )  # fmt: skip
    answer = act(persons["ana"], "PUT", path)
    assert (answer.status, answer.json["by"]) == (200, "ana")
    assert act(persons["ana"], "PUT", path, X_CSRF_Token="0" * 64).status == 403
    assert act(persons["rui"], "GET", path_of("kept.users")).json["you"] == "rui"
