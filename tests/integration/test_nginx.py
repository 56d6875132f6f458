"""Behind nginx with TLS, under a path prefix: all works, and the proxy's headers count, not the client's."""

import re
from collections.abc import Iterator
from contextlib import closing
from html import unescape
from typing import Any
from urllib.parse import urljoin

import pytest

from arauto.settings import WORKERS
from tests.support.http import get, handshake, publish, request
from tests.support.nginx import PREFIX, Nginx
from tests.support.persons import HTML, Person
from tests.support.redis_servers import RedisServer
from tests.support.tabs import open_tab

TOKEN = "a shared token of twenty-six"
BEARER: dict[str, Any] = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module", params=WORKERS)
def nginx(
    request: pytest.FixtureRequest, valkey: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Nginx]:
    valkey.client.flushall()
    directory = tmp_path_factory.mktemp("nginx")
    server = Nginx(
        directory, REDIS_URL=valkey.url, ARAUTO_TOKEN=TOKEN, HOST="0.0.0.0", ARAUTO_WORKER=request.param
    )
    with closing(server):
        yield server
    valkey.client.flushall()
    assert "Traceback" not in server.log


def socket_of(person: Person) -> dict[str, Any]:
    server = person.server
    assert isinstance(server, Nginx)
    return person.socket_headers() | {"ssl": server.tls, "proxy": None}


def test_login_page_publish_and_socket(nginx: Nginx) -> None:
    person = Person(nginx)
    redirect = person.get("/?channel=a")
    assert (redirect.status, redirect.headers["location"]) == (303, f"{PREFIX}/login?next=%2F%3Fchannel%3Da")
    answer = person.log_in(TOKEN, next="/?channel=a")
    assert (answer.status, answer.headers["location"]) == (303, f"{PREFIX}/?channel=a")
    assert person.session_attributes.startswith("__Secure-arauto_session_")  # __Host- is for the path / alone
    for attribute in ("Secure", "HttpOnly", "SameSite=Lax", f"Path={PREFIX}"):
        assert attribute in person.session_attributes
    assert person.is_in()
    with open_tab(nginx, "a", **socket_of(person)) as tab:
        assert person.publish("a", "through nginx").json["receivers"] == 1
        assert tab.messages(1) == ["through nginx"]
    assert person.log_out().headers["location"] == f"{PREFIX}/login"
    assert not person.is_in()


def test_another_origin_is_another_behind_the_proxy_too(nginx: Nginx) -> None:
    person = Person(nginx)
    person.log_in(TOKEN)
    origins = (
        nginx.url,
        f"http://{nginx.host}",
        "https://localhost",
        "https://evil.example",
        "null",
        nginx.url + "0",
    )
    for origin in origins:
        ours = origin == nginx.url
        assert handshake(nginx, Cookie=person.cookie, Origin=origin).status == (101 if ours else 403), origin
        fields = {"channel": "a", "message": "x", "csrf": person.form_token()}
        assert person.post("/publish", fields, Origin=origin).status == (200 if ours else 403), origin
    assert get(nginx, "/", Host="evil.example", Accept=HTML).status == 400


def test_what_a_client_says_of_itself_is_not_believed(nginx: Nginx) -> None:
    """nginx sets the address of its client and its own scheme."""
    forged = {
        "X_Forwarded_For": "203.0.113.9", "X_Forwarded_Proto": "http",
        "Forwarded": "for=203.0.113.9;proto=http",
        "X_Real_IP": "203.0.113.9", "X_Forwarded_Host": "evil.example", "X_Forwarded_Prefix": "/evil",
        "Script_Name": "/evil", "X_Script_Name": "/evil",
    }  # fmt: skip
    person = Person(nginx, **forged)
    assert person.log_in(TOKEN).headers["location"] == f"{PREFIX}/"
    assert "Secure" in person.session_attributes
    person.publish("a", "x")
    assert f"user='token' way=token address={nginx.address}\n" in nginx.log
    assert "203.0.113.9" not in nginx.log
    assert "evil" not in person.get().body.decode() + person.get("/account").body.decode()


def test_past_the_proxy_nobody_is_believed(nginx: Nginx) -> None:
    """From an address that is no trusted proxy, headers set neither TLS nor another address."""
    behind = nginx.behind
    connection = behind.connect(5)
    connection.source_address = ("127.0.0.3", 0)  # type: ignore[attr-defined]
    with closing(connection):
        headers = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9", "Accept": HTML}
        connection.request("GET", f"{PREFIX}/login", headers=headers)
        answer = connection.getresponse()
        assert answer.status == 200
        assert "Secure" not in (answer.headers["Set-Cookie"] or "")
        answer.read()


def test_large_bodies_and_programs_pass(nginx: Nginx) -> None:
    assert publish(nginx, "a", "x" * 1_000_000, **BEARER).status == 200
    assert publish(nginx, "a", "x" * 1_100_000, **BEARER).status == 413
    pieces = iter([b'{"channel":"a",', b'"message":"x"}'])
    assert request(nginx, "POST", "/publish", pieces, Content_Type="application/json", **BEARER).status == 200


def test_all_that_a_page_leads_to_is_below_the_path(nginx: Nginx) -> None:
    """The page's files load, and a shared link opens the same selection."""
    person = Person(nginx)
    ours = f"{nginx.url}{PREFIX}/"
    pages = {"/login": person.get("/login", Accept=HTML).body.decode()}
    person.log_in(TOKEN)
    for path in ("/", "/?channel=shared&pattern=a.*&lang=en", "/account"):
        pages[path] = person.get(path, Accept=HTML).body.decode()
    led = {
        urljoin(f"{nginx.url}{PREFIX}{path}", unescape(link))
        for path, page in pages.items()
        for link in re.findall(r'(?:src|href|action)="?([^"#\s>]+)', page)
    }
    assert {f"{ours}publish", f"{ours}account", f"{ours}logout"} <= led
    assert [link for link in led if not link.startswith(ours)] == []
    files = [link for link in led if "/static/" in link]
    assert len(files) > 5
    assert {get(nginx, link.removeprefix(ours[:-1])).status for link in files} == {200}
