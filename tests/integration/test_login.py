"""The shared token: entered once, then a session; and how sessions end."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import pairwise
from typing import Any

import pytest

from tests.support.http import get, handshake, publish, publish_json
from tests.support.persons import HTML, Person, session_cookie
from tests.support.redis_servers import RedisServer
from tests.support.servers import ArautoServer, Start
from tests.support.tabs import open_tab
from tests.support.waiting import eventually

TOKEN = "a shared token of twenty-six"
READ_TOKEN = "a token for those who read"
SECRET = "what the sessions are sealed with"
LONG = "import arauto.auth.login_throttle as a; a.FIRST_WAIT = 60.0"  # longer than any test takes


@pytest.fixture(scope="module")
def door(valkey: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArautoServer]:
    """The program with both shared tokens."""
    server = ArautoServer(
        tmp_path_factory.mktemp("door") / "log",
        REDIS_URL=valkey.url, ARAUTO_TOKEN=TOKEN, ARAUTO_READ_TOKEN=READ_TOKEN, ARAUTO_SECRET=SECRET,
        ALTER=LONG,
    )  # fmt: skip
    with closing(server):
        yield server
    for secret in (TOKEN, READ_TOKEN, SECRET, "Traceback"):
        assert secret not in server.log


@pytest.fixture(autouse=True)
def nothing_is_remembered(valkey: RedisServer) -> None:
    valkey.client.flushall()


def test_nobody_comes_in_without_a_login(door: ArautoServer) -> None:
    page = get(door, "/?channel=a%20b", Accept=HTML)
    assert (page.status, page.headers["location"]) == (303, "/login?next=%2F%3Fchannel%3Da%2520b")
    for answer in (
        get(door, "/"), get(door, "/channels"), get(door, "/nowhere"), get(door, "/account"),
        get(door, "/feed?channel=a"), handshake(door), publish(door, "a", "x"), publish_json(door, "{}"),
    ):  # fmt: skip
        assert answer.status == 401
        assert answer.error == "You are not logged in: log in, or send a token as Authorization: Bearer."
        assert answer.headers["www-authenticate"] == "Bearer realm=arauto"


def test_what_watches_over_the_server_needs_no_login(door: ArautoServer) -> None:
    assert get(door, "/healthz").status == get(door, "/readyz").status == 200


def test_the_token_once_and_then_a_session(door: ArautoServer, valkey: RedisServer) -> None:
    person = Person(door)
    answer = person.log_in(TOKEN, next="/?channel=a")
    assert (answer.status, answer.headers["location"]) == (303, "/?channel=a")
    assert "HttpOnly; Path=/; SameSite=Lax" in person.session_attributes
    assert "Secure" not in person.session_attributes
    assert person.is_in()
    with open_tab(door, "a", **person.socket_headers()) as tab:
        assert person.publish("a", "x").json["receivers"] == 1
        assert tab.messages(1) == ["x"]


def test_what_is_stored_in_redis_helps_nobody_who_reads_it(door: ArautoServer, valkey: RedisServer) -> None:
    person = Person(door)
    person.log_in(TOKEN)
    client: Any = valkey.client
    keys = client.keys("arauto:session:*")
    assert len(keys) == 1
    assert client.ttl(keys[0]) > 86000
    kept = b"".join(keys) + client.get(keys[0])
    for secret in (person.session, TOKEN, "token"):
        assert secret.encode() not in kept
    for other in (keys[0].decode().rpartition(":")[2], kept.hex()):
        assert get(door, "/", Cookie=f"{session_cookie(door)}={other}").status == 401


def test_a_reader_watches_and_does_not_publish(door: ArautoServer, valkey: RedisServer) -> None:
    person = Person(door)
    assert person.log_in(READ_TOKEN).status == 303
    with open_tab(door, "a", **person.socket_headers()) as tab:
        refused = person.publish("a", "x")
        assert (refused.status, refused.error) == (
            403,
            "You may watch, but not publish. Nothing was published.",
        )
        valkey.client.publish("a", "from elsewhere")
        assert tab.messages(1) == ["from elsewhere"]


@pytest.mark.parametrize("given", ["", "wrong", TOKEN + "x", TOKEN[:-1], "é" * 20, "x" * 5000])
def test_another_token_is_refused_in_a_sentence(door: ArautoServer, given: str) -> None:
    person = Person(door)
    answer = person.log_in(given)
    assert answer.status == 401
    assert b"Wrong token." in answer.body
    assert not person.session
    assert not given or given not in answer.body.decode()


@pytest.mark.parametrize(
    ("requested", "location"),
    [
        ("/?channel=a&pattern=b*", "/?channel=a&pattern=b*"),
        ("/account", "/account"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("\\\\evil.example", "/"),
        ("/%0d%0aSet-Cookie:x=y", "/%0d%0aSet-Cookie:x=y"),
        ("http://[", "/"),
    ],
)
def test_a_login_leads_nowhere_else(door: ArautoServer, requested: str, location: str) -> None:
    assert Person(door).log_in(TOKEN, next=requested).headers["location"] == location


def test_the_language_changes_at_the_door_too(door: ArautoServer) -> None:
    person = Person(door)
    answer = person.get("/login?lang=pt-BR&next=/account")
    assert (answer.status, answer.headers["location"]) == (302, "/login?next=%2Faccount")
    assert "Token de acesso" in person.get("/login").body.decode()
    assert "Token incorreto." in person.log_in("wrong").body.decode()


def test_a_login_form_from_elsewhere_is_refused(door: ArautoServer) -> None:
    person = Person(door)
    fields = {"password": TOKEN}
    assert person.post("/login", fields).status == 403  # without the form's cookie and field
    person.get("/login")
    assert person.post("/login", fields | {"csrf": "0" * 64}).status == 403
    assert person.log_in(TOKEN, Origin="https://evil.example").status == 403
    assert not person.session


def test_a_session_always_has_a_new_name(door: ArautoServer) -> None:
    """Fixation: an id planted by an attacker never becomes a session, and an old session ends."""
    person = Person(door)
    person.cookies[session_cookie(door)] = "planted"
    person.log_in(TOKEN)
    first = person.session
    assert first != "planted"
    person.log_in(TOKEN)
    assert person.session != first
    assert get(door, "/", Cookie=f"{session_cookie(door)}={first}").status == 401


@pytest.mark.parametrize("name", ["", "x", "../../etc", "a" * 5000, "é", '"'])
def test_no_other_name_is_a_session(door: ArautoServer, name: str) -> None:
    assert get(door, "/", Cookie=f"{session_cookie(door)}={name}".encode().decode("latin-1")).status == 401


def test_a_tampered_cookie_opens_nothing(door: ArautoServer) -> None:
    person = Person(door)
    person.log_in(TOKEN)
    for place in (0, 20, 42):
        other = "A" if person.session[place] != "A" else "B"
        name = person.session[:place] + other + person.session[place + 1 :]
        assert get(door, "/", Cookie=f"{session_cookie(door)}={name}").status == 401
    assert person.is_in()


def test_what_somebody_writes_into_redis_is_no_session(door: ArautoServer, valkey: RedisServer) -> None:
    """Neither another session under this id, nor rubbish."""
    ana, bia = Person(door), Person(door)
    ana.log_in(TOKEN)
    (of_ana,) = valkey.client.keys("arauto:session:*")
    bia.log_in(READ_TOKEN)
    (of_bia,) = set(valkey.client.keys("arauto:session:*")) - {of_ana}
    session = valkey.client.get(of_ana)
    assert session is not None
    for written in (session, b"", b"x", b"{}" * 50):
        valkey.client.set(of_bia, written)
        assert not bia.is_in()
    assert ana.is_in()


def test_a_replayed_cookie_is_worth_nothing_after_the_log_out(door: ArautoServer) -> None:
    person = Person(door)
    person.log_in(TOKEN)
    name = person.session
    answer = person.log_out()
    assert (answer.status, answer.headers["location"]) == (303, "/login")
    assert not person.session
    assert get(door, "/", Cookie=f"{session_cookie(door)}={name}").status == 401


def test_log_out_everywhere(door: ArautoServer) -> None:
    *mine, other = (Person(door) for _ in range(5))
    for person in mine:
        person.log_in(TOKEN)
    other.log_in(READ_TOKEN)
    mine[0].log_out(everywhere=True)
    assert [person.is_in() for person in (*mine, other)] == [False] * 4 + [True]


def test_an_unsafe_request_says_what_only_our_pages_know(door: ArautoServer) -> None:
    person = Person(door)
    person.log_in(TOKEN)
    fields = {"channel": "a", "message": "x"}
    for token in ("", "0" * 64, "é"):
        refused = person.post("/publish", fields | {"csrf": token}, Accept="application/json")
        assert (refused.status, refused.error) == (
            403, "This page is older than your login: reload it. Nothing was done.",
        )  # fmt: skip
    assert person.post("/logout", {}).status == 403
    assert person.is_in()
    other = Person(door)
    other.log_in(TOKEN)
    of_another = other.form_token()
    assert person.post("/publish", fields | {"csrf": of_another}).status == 403
    mine = person.form_token()
    body = json.dumps(fields)
    headers = {"Cookie": person.cookie, "X_CSRF_Token": mine}
    assert publish_json(door, body, **headers).status == 200
    assert publish_json(door, body, Cookie=person.cookie).status == 403


def test_a_program_sends_the_token_itself(door: ArautoServer) -> None:
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    assert publish(door, "a", "x", **bearer).status == 200
    assert get(door, "/channels", **bearer).status == 200
    assert handshake(door, **bearer).status == 101
    reader = {"Authorization": f"Bearer {READ_TOKEN}"}
    assert publish(door, "a", "x", **reader).status == 403
    assert handshake(door, **reader).status == 101
    assert publish(door, "a", "x", Authorization="Bearer wrong").status == 401
    assert publish(door, "a", "x", Authorization=f"Basic {TOKEN}").status == 401
    assert get(door, f"/channels?token={TOKEN.replace(chr(32), chr(43))}").status == 401


def test_guesses_have_to_wait_and_longer_each_time(door: ArautoServer, valkey: RedisServer) -> None:
    person = Person(door)
    assert [person.log_in(f"guess {n}").status for n in range(5)] == [401] * 5
    assert person.log_in("guess 6").status == 401
    (key,) = valkey.client.keys("arauto:wait:*")
    waits = [valkey.client.pttl(key)]
    form = {"csrf": person.form_token("/login"), "password": TOKEN}
    waiting = person.post("/login", form)  # the right token, but it is not checked
    assert waiting.status == 429
    seconds = waiting.headers["retry-after"]
    assert 1 <= int(seconds) <= 60
    unit = "second" if seconds == "1" else "seconds"
    assert f"Too many attempts: try again in {seconds} {unit}." in waiting.body.decode()
    for _ in range(3):
        valkey.client.delete(key)  # as if the time had passed
        assert person.log_in("another guess").status == 401
        waits.append(valkey.client.pttl(key))
    assert all(later > earlier for earlier, later in pairwise(waits)), waits
    valkey.client.delete(key)
    assert person.log_in(TOKEN).status == 303


def test_who_knows_the_token_may_log_in_as_often_as_there_are_people(door: ArautoServer) -> None:
    assert [Person(door).log_in(TOKEN).status for _ in range(8)] == [303] * 8
    assert Person(door).log_in("a slip of the finger").status == 401
    assert Person(door).log_in(TOKEN).status == 303  # it was the only guess


def test_one_right_password_makes_no_guess_cheaper(door: ArautoServer, valkey: RedisServer) -> None:
    person = Person(door)
    for n in range(5):
        assert person.log_in(f"guess {n}").status == 401
        assert person.log_in(TOKEN).status == 303
    assert person.log_in("guess 6").status == 401
    assert person.log_in(TOKEN).status == 429


def test_a_hundred_guesses_at_once_gain_nothing(door: ArautoServer) -> None:
    person = Person(door)
    csrf = person.form_token("/login")

    def guess(n: int) -> int:
        return person.post("/login", {"csrf": csrf, "password": f"guess {n}"}).status

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(guess, range(60)))
    assert answers.count(401) < 20
    assert answers.count(401) + answers.count(429) == 60


def test_bearer_guesses_have_to_wait_too(door: ArautoServer) -> None:
    for n in range(6):
        assert get(door, "/channels", Authorization=f"Bearer {n}").status == 401
    assert get(door, "/channels", Authorization=f"Bearer {TOKEN}").status == 429


def test_a_token_that_changes_ends_its_sessions(start: Start, valkey: RedisServer) -> None:
    before = start(REDIS_URL=valkey.url, ARAUTO_SECRET=SECRET, ARAUTO_TOKEN=TOKEN)
    environ = {"REDIS_URL": valkey.url, "ARAUTO_SECRET": SECRET, "PORT": str(before.port)}
    person = Person(before)
    person.log_in(TOKEN)
    before.close()
    person.server = start(**environ, ARAUTO_TOKEN=TOKEN)
    assert person.is_in()  # a restart alone ends nothing
    person.server.close()
    person.server = start(**environ, ARAUTO_TOKEN=TOKEN + " and more")
    assert not person.is_in()


def test_behind_tls_the_cookie_says_so(start: Start, valkey: RedisServer) -> None:
    server = start(
        REDIS_URL=valkey.url, ARAUTO_TOKEN=TOKEN, ARAUTO_PROXIES="127.0.0.1"
    )  # fmt: skip
    person = Person(server, X_Forwarded_Proto="https")
    origin = f"https://{server.host}"
    assert person.log_in(TOKEN, Origin=origin).status == 303
    assert person.session_attributes.startswith("__Host-arauto_session_")
    assert "Secure; HttpOnly; Path=/; SameSite=Lax" in person.session_attributes
    assert "Domain" not in person.session_attributes
    person.get("/login?lang=en")
    assert len(person.attributes) == 3
    assert all(name.startswith("__Host-") and "Secure" in how for name, how in person.attributes.items())
    plain = {name.removeprefix("__Host-"): value for name, value in person.cookies.items()}
    planted = "; ".join(f"{name}={value}" for name, value in plain.items())
    assert get(server, "/", X_Forwarded_Proto="https", Cookie=planted).status == 401
    assert person.post("/logout", {"csrf": person.form_token("/account")}, Origin=origin).status == 303
    assert "Secure" in person.session_attributes  # else a browser would not delete it
    assert Person(server).log_in(TOKEN, Origin=origin).status == 403  # no proxy header says that it is TLS


def test_at_two_ports_of_one_host_nobody_logs_the_other_out(
    door: ArautoServer, start: Start, valkey: RedisServer
) -> None:
    """Browsers share cookies among all ports, also those of other programs."""
    other = start(REDIS_URL=valkey.url, ARAUTO_TOKEN=TOKEN, ARAUTO_SECRET=SECRET)
    person, there = Person(door), Person(other)
    there.cookies = person.cookies
    person.cookies |= {"arauto_session": "old", "arauto_login": "old", "arauto_language": "pt-BR"}
    for _ in range(2):
        assert person.log_in(TOKEN).status == there.log_in(TOKEN).status == 303
        assert person.is_in()
        assert there.is_in()
    there.get("/?lang=pt-BR")
    assert b"<html lang=pt-BR>" in there.get().body
    assert b"<html lang=en>" in person.get().body
    assert there.log_out().status == 303
    assert person.is_in()
    assert not there.is_in()


def test_without_a_proxy_that_is_named_nobody_says_that_it_is_tls(door: ArautoServer) -> None:
    person = Person(door, X_Forwarded_Proto="https", X_Forwarded_For="203.0.113.9")
    assert person.log_in(TOKEN).status == 303
    assert "Secure" not in person.session_attributes
    assert "address=203" not in door.log


def test_redis_away_is_reported_and_ends_no_session(start: Start, own_redis: RedisServer) -> None:
    server = start(REDIS_URL=own_redis.url, ARAUTO_TOKEN=TOKEN)
    person = Person(server)
    person.log_in(TOKEN)
    own_redis.freeze()
    try:
        assert person.get().status == 503
    finally:
        own_redis.thaw()
    eventually(person.is_in)
