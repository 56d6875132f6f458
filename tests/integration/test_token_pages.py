"""The page of tokens: its permission, and the tokens created there."""

import html
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from time import time

import pytest

from arauto.auth.api_tokens import Tokens
from tests.integration.test_tokens import bearer
from tests.support.http import Answer, get, publish
from tests.support.persons import Person, in_utf8
from tests.support.redis_servers import RedisServer
from tests.support.rules import PERSON, rules, set_user
from tests.support.servers import ArautoServer

TOKEN, READ_TOKEN = "a shared token of twenty-six", "a token for those who read"
PASSWORD = "a long password for everyone"
USUAL = {"name": "backup", "reads": "news.*, alerts", "publishes": "jobs.*", "days": "90"}


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Tokens:
    return Tokens(str(tmp_path_factory.mktemp("token_pages") / "tokens"))


@pytest.fixture(scope="module")
def office(
    valkey: RedisServer, tmp_path_factory: pytest.TempPathFactory, tokens: Tokens
) -> Iterator[ArautoServer]:
    server = ArautoServer(
        tmp_path_factory.mktemp("office") / "log",
        REDIS_URL=valkey.url, ARAUTO_LOGIN="redis", ARAUTO_TOKEN=TOKEN, ARAUTO_READ_TOKEN=READ_TOKEN,
        ARAUTO_PROXIES="127.0.0.1", ARAUTO_PROXY_USER="X-Forwarded-User",
        ARAUTO_TOKENS=str(tokens._path), ARAUTO_TOKEN_MAKERS="ops-*,zoë",
    )  # fmt: skip
    with closing(server):
        yield server
    valkey.client.execute_command("ACL", "DELUSER", "ops-ana", "ana")
    assert "Traceback" not in server.log
    assert "arauto_" not in server.log


@pytest.fixture(autouse=True)
def nothing_is_kept(valkey: RedisServer, tokens: Tokens) -> None:
    valkey.client.flushall()
    for name in ("ops-ana", "ana"):
        set_user(valkey, name, PASSWORD, *rules(PERSON, channels=()), "&*")
    for token in tokens.list():
        tokens.revoke(token.name)


def maker(office: ArautoServer) -> Person:
    person = Person(office)
    assert person.log_in(TOKEN).status == 303
    return person


def make(person: Person, **fields: str) -> Answer:
    return person.post("/tokens", USUAL | fields | {"csrf": person.form_token("/tokens")})


def made(answer: Answer) -> str:
    found = re.search(r"arauto_[\w-]{43}", answer.body.decode())
    assert found is not None
    return found[0]


def problem(answer: Answer) -> str:
    found = re.search('role="alert">(.*?)</p>', answer.body.decode())
    assert found is not None
    return html.unescape(found[1])


def test_a_token_is_shown_once_and_works_until_it_is_revoked(office: ArautoServer, tokens: Tokens) -> None:
    person = maker(office)
    answer = make(person)
    token = made(answer)
    assert answer.headers["cache-control"] == "no-store"
    (kept,) = tokens.list()
    assert (kept.name, kept.reads, kept.publishes) == ("backup", ("news.*", "alerts"), ("jobs.*",))
    assert kept.until == pytest.approx(time() + 90 * 86400, abs=60)
    page = person.get("/tokens").body.decode()
    assert token not in page
    assert f"…{token[-4:]}" in page
    assert publish(office, "jobs.1", "x", **bearer(token)).status == 200
    assert publish(office, "news.1", "x", **bearer(token)).status == 403
    revoked = person.post("/tokens/revoke", {"name": "backup", "csrf": person.form_token("/tokens")})
    assert (revoked.status, revoked.headers["location"]) == (303, "/tokens")
    assert publish(office, "jobs.1", "x", **bearer(token)).status == 401
    again = person.post("/tokens/revoke", {"name": "backup", "csrf": person.form_token("/tokens")})
    assert again.status == 303


def test_the_language_is_switched_for_head_too(office: ArautoServer) -> None:
    for method in ("GET", "HEAD"):
        answer = maker(office)._request(method, "/tokens?lang=pt-BR", None, {})
        assert (answer.status, answer.headers["location"]) == (302, "/tokens")


def test_it_is_for_whom_a_setting_names_and_nobody_else(
    office: ArautoServer, valkey: RedisServer, tokens: Tokens
) -> None:
    def of_redis(user: str) -> Person:
        person = Person(office)
        assert person.log_in(PASSWORD, user=user).status == 303
        return person

    reader = Person(office)
    reader.log_in(READ_TOKEN)
    by_proxy = [Person(office, X_Forwarded_User=in_utf8(name)) for name in ("ops-bia", "zoë", "zoe\u0308")]
    may = [of_redis("ops-ana"), *by_proxy]
    may_not = [of_redis("ana"), Person(office, X_Forwarded_User="bia"), reader]
    may_not.append(Person(office, X_Forwarded_User="OPS-BIA"))  # names of users are case-sensitive
    for n, person in enumerate(may):
        assert b'href="/tokens"' in person.get("/account").body
        made(make(person, name=f"of {n}"))
    for person in may_not:
        assert b'href="/tokens"' not in person.get("/account").body
        fields = {"csrf": person.form_token("/")}
        for answer in (
            person.get("/tokens"),
            person.post("/tokens", USUAL | fields),
            person.post("/tokens/revoke", {"name": "of 0"} | fields),
        ):
            assert answer.status == 403
            assert b"ARAUTO_TOKEN_MAKERS" in answer.body
    assert [token.name for token in tokens.list()] == [f"of {n}" for n in range(len(may))]
    token = made(make(maker(office)))
    for headers in (bearer(token), bearer(TOKEN), {}):
        assert get(office, "/tokens", **headers).status == (403 if headers else 401)
    valkey.client.execute_command("ACL", "SETUSER", "ops-ana", "off")
    assert may[0].get("/tokens").status == 403


def test_a_form_of_another_page_makes_none(office: ArautoServer, tokens: Tokens) -> None:
    person = maker(office)
    made(make(person, name="kept"))
    for fields in ({}, {"csrf": "0" * 64}):
        assert person.post("/tokens", USUAL | fields).status == 403
        assert person.post("/tokens/revoke", {"name": "kept"} | fields).status == 403
    evil = person.post(
        "/tokens", USUAL | {"csrf": person.form_token("/tokens")}, Origin="http://evil.example"
    )
    assert evil.status == 403
    assert [token.name for token in tokens.list()] == ["kept"]


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"name": " "}, 400, "A name has 1 to 256 bytes and no control characters."),
        ({"name": "a\x00"}, 400, "A name has 1 to 256 bytes and no control characters."),
        ({"name": "é" * 129}, 400, "A name has 1 to 256 bytes and no control characters."),
        (
            {"reads": " ,", "publishes": ""},
            400,
            "Say what the token may subscribe or publish to, such as news.*",
        ),
        ({"reads": "a\nb"}, 400, "A channel name cannot have control characters."),
        ({"reads": "x" * 257}, 400, "A channel name can have at most 256 bytes."),
        ({"publishes": "x," * 101}, 400, "Give at most 100 channels."),
        ({"days": "36500"}, 400, "Choose for how long the token is valid."),
        ({"name": "twice"}, 409, "There is a token of this name: revoke it first, or choose another name."),
    ],
)
def test_what_cannot_be_made_is_reported_and_the_form_keeps_what_was_written(
    office: ArautoServer, tokens: Tokens, fields: dict[str, str], status: int, words: str
) -> None:
    tokens.create("twice", ["*"], [], 1e12)
    answer = make(maker(office), **fields)
    assert (answer.status, problem(answer)) == (status, words)
    assert (fields.get("publishes") or "jobs.*") in answer.body.decode() or "publishes" in fields
    assert len(tokens.list()) == 1


def test_a_file_that_is_broken_is_reported(office: ArautoServer, tokens: Tokens, tmp_path: Path) -> None:
    person = maker(office)
    tokens._path.write_bytes(b"[")
    answer = person.get("/tokens", Accept="application/json")
    assert answer.status == 503
    assert answer.error.startswith("The file of ARAUTO_TOKENS cannot be read (")
    tokens._path.write_bytes(b"[]")
