"""Each means of authentication, alone and together with another."""

import re
from collections.abc import Iterator
from contextlib import closing
from itertools import product
from time import time
from typing import Any, Literal
from unicodedata import normalize
from urllib.parse import urlencode

import pytest

from arauto.auth.api_tokens import Tokens
from arauto.workers.rate_limits import AT_ONCE, EXTRA_TOKENS
from tests.support.http import FORM, get, handshake, publish, request
from tests.support.persons import Person, csrf, in_utf8, session_cookie
from tests.support.redis_servers import RedisServer
from tests.support.rules import PERSON, rules, set_user
from tests.support.servers import ArautoServer

TOKEN = "um segrêdo à parte=maçã; nº 1"
READ_TOKEN = "a token for those who read"
SLOWLY = (  # limits do not recover during these tests
    "from arauto.server.hooks import master; import arauto.workers.rate_limits as r;"
    "r.AT_ONCE *= 1000; master.shared.rates.extra_tokens._each *= 1000"
)
PASSWORD = "a long password for everyone"


@pytest.fixture(scope="module")
def hall(
    valkey: RedisServer, tmp_path_factory: pytest.TempPathFactory, tokens: Tokens
) -> Iterator[ArautoServer]:
    """The program with every means of authentication."""
    server = ArautoServer(
        tmp_path_factory.mktemp("hall") / "log",
        REDIS_URL=valkey.url, ARAUTO_TOKEN=TOKEN, ARAUTO_READ_TOKEN=READ_TOKEN, ARAUTO_LOGIN="redis",
        ARAUTO_PROXIES="127.0.0.1", ARAUTO_PROXY_USER="X-Forwarded-User", ARAUTO_PROXY_READERS="guest-*",
        ARAUTO_TOKENS=str(tokens._path), ALTER=SLOWLY,
    )  # fmt: skip
    with closing(server):
        yield server
    valkey.client.execute_command("ACL", "DELUSER", "reis")
    assert "Traceback" not in server.log


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Tokens:
    return Tokens(str(tmp_path_factory.mktemp("ways") / "tokens"))


@pytest.fixture(autouse=True)
def nothing_is_remembered(valkey: RedisServer) -> None:
    valkey.client.flushall()
    set_user(valkey, "reis", PASSWORD, *rules(PERSON, channels=()), "&*")


def test_a_token_is_pasted_with_what_nobody_sees_around_it(hall: ArautoServer, tokens: Tokens) -> None:
    made = tokens.create("pasted", ["*"], ["*"], time() + 60)
    for around in (" {}", "{}\n", "\r\n{}\r\n", "\u00a0{}", "\ufeff{}\u200b", "\t{}\t"):
        assert Person(hall).log_in(around.format(READ_TOKEN)).status == 303
        for token, status in ((READ_TOKEN, 403), (TOKEN, 200), (made, 200)):
            sent = in_utf8(f"Bearer {around.format(token)}".replace("\r", "").replace("\n", " "))
            assert publish(hall, "a", "x", Authorization=sent).status == status
    assert Person(hall).log_in(READ_TOKEN.replace(" ", "  ", 1)).status == 401  # inside, each space counts


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_token_may_have_any_letters(hall: ArautoServer, form: Literal["NFC", "NFD"]) -> None:
    """Some keyboards write an accent apart from its letter."""
    token = normalize(form, TOKEN)
    assert publish(hall, "a", "x", Authorization=in_utf8(f"Bearer {token}")).status == 200
    person = Person(hall)
    assert person.log_in(token).status == 303
    assert person.is_in()


# Each means of authentication: its visitor, and whether that may publish; None: it is refused.
Visitor = tuple[str, bool] | None
FOREIGN = ".".join(("eyJhbGciOiJSUzI1NiJ9", "eyJzdWIiOiJhbmEifQ", "c2ln"))  # a token of the proxy
PROXY: dict[str, Visitor] = {"": None, "ana": ("ana", True), "guest-1": ("guest-1", False), "a,b": None}
COOKIES: dict[str, Visitor] = {
    "none": None,
    "over": None,
    "token": ("Shared token", True),
    "read": ("Shared token, read-only", False),
    "redis": ("reis", True),
}
TRUE: dict[str, Visitor] = {
    "program": ("backup", True),
    "receives": ("ears", False),
    f"Bearer {TOKEN}": ("Shared token", True),
    f"bearer   {READ_TOKEN}": ("Shared token, read-only", False),
}
FALSE = (
    "",
    "Bearer",
    f"Bearer {FOREIGN}",
    "Bearer \xff",
    f"Basic {FOREIGN}",
    "Digest x",
    f"Bearer{TOKEN}",
    "x",
)


def sessions(hall: ArautoServer) -> dict[str, str]:
    """The session cookies of each way to log in."""
    given = {"none": "", "over": f"{session_cookie(hall)}={'x' * 43}"}
    for name, user, password in (("token", "", TOKEN), ("read", "", READ_TOKEN), ("redis", "reis", PASSWORD)):
        person = Person(hall)
        assert person.log_in(password, user=user).status == 303
        given[name] = person.cookie
    return given


def guesses(valkey: RedisServer) -> list[bytes]:
    """The keys that count failed attempts."""
    client: Any = valkey.client
    return [*client.keys("arauto:wait:*"), *client.keys("arauto:attempts:*")]


def forget(valkey: RedisServer) -> None:
    for key in guesses(valkey):
        valkey.client.delete(key)


def seen(hall: ArautoServer, headers: dict[str, Any]) -> Visitor:
    """The visitor of a request with these headers; a WebSocket must be accepted exactly where a page is."""
    page = get(hall, "/", Accept="text/html", **headers)
    assert (handshake(hall, **headers).status == 101) == (page.status == 200)
    if page.status != 200:
        return None
    account = get(hall, "/account", Accept="text/html", **headers).body.decode()
    (name,) = re.findall(r"<h1><bdi>(.*?)</bdi>", account)
    fields = urlencode({"channel": "a", "message": "x", "csrf": csrf(page.body.decode())})
    published = request(hall, "POST", "/publish", fields, Content_Type=FORM, **headers)
    assert published.status in (200, 403)
    return name, published.status == 200


def test_every_way_next_to_every_other(hall: ArautoServer, valkey: RedisServer, tokens: Tokens) -> None:
    """The first valid one decides: a token, a session, the proxy. Invalid ones decide nothing."""
    made = {
        name: tokens.create(who, ["*"], publishes, time() + 60)
        for name, who, publishes in (("program", "backup", ["*"]), ("receives", "ears", []))
    }
    cookies, wrong = sessions(hall), []
    forget(valkey)
    for bearer, cookie, proxied in product([*TRUE, *FALSE], COOKIES, PROXY):
        sent = f"Bearer {made[bearer]}" if bearer in made else in_utf8(bearer) if bearer in TRUE else bearer
        headers = {"Authorization": sent, "Cookie": cookies[cookie], "X_Forwarded_User": proxied}
        expected = TRUE.get(bearer) or COOKIES[cookie] or PROXY[proxied]
        if (found := seen(hall, {k: v for k, v in headers.items() if v})) != expected:
            wrong.append((bearer, cookie, proxied, found))
        if expected is None:  # an unknown token counted as a guess: forget it
            forget(valkey)
        assert guesses(valkey) == []
    assert wrong == []


def test_a_proxys_own_token_is_no_guess(hall: ArautoServer) -> None:
    proxied = {"X_Forwarded_User": "bia", "Authorization": f"Bearer {FOREIGN}"}
    assert {get(hall, "/channels", **proxied).status for _ in range(100)} == {200}
    assert publish(hall, "a", "x", Authorization=in_utf8(f"Bearer {TOKEN}")).status == 200


def test_no_token_is_no_guess(hall: ArautoServer, valkey: RedisServer) -> None:
    """A program whose token variable is empty locks no address out."""
    assert {get(hall, "/channels", Authorization="Bearer ").status for _ in range(20)} == {401}
    assert guesses(valkey) == []


@pytest.mark.parametrize("sent", ["Bearer ", f"Bearer {FOREIGN}"])
def test_a_name_that_cannot_be_read_is_reported_beside_a_foreign_token(
    hall: ArautoServer, valkey: RedisServer, sent: str
) -> None:
    refused = get(hall, "/channels", X_Forwarded_User="ana,bia", Authorization=sent)
    forget(valkey)
    assert refused.status == 400
    assert refused.error.startswith("X-Forwarded-User has to be one name")


def test_who_is_in_cannot_guess_without_end(hall: ArautoServer) -> None:
    """After too many wrong tokens of a reader, the right one is not checked either for a while."""
    reader = {"X_Forwarded_User": "guest-2", "Accept": "text/html"}
    for n in range(AT_ONCE * EXTRA_TOKENS):
        assert get(hall, "/account", Authorization=f"Bearer {n}", **reader).status == 200
    page = get(hall, "/account", Authorization=in_utf8(f"Bearer {TOKEN}"), **reader)
    assert b"<bdi>guest-2</bdi>" in page.body
    other = get(hall, "/account", Authorization=in_utf8(f"Bearer {TOKEN}"), X_Forwarded_User="guest-3")
    assert b"<bdi>Shared token</bdi>" in other.body


def test_a_broken_file_of_tokens_keeps_only_programs_out(hall: ArautoServer, tokens: Tokens) -> None:
    tokens._path.write_text("no JSON")
    foreign = {"Authorization": f"Bearer {FOREIGN}"}
    assert get(hall, "/channels", X_Forwarded_User="ana", **foreign).status == 200
    assert get(hall, "/channels", **foreign).status == 503
    tokens._path.unlink()
