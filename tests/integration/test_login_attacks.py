"""Attacks: changed cookies and tokens, probing for users, channels without permission."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from time import time
from urllib.parse import urlencode

import pytest

from arauto.auth.api_tokens import Tokens
from arauto.settings import WORKERS
from tests.support.http import get, handshake, publish
from tests.support.persons import HTML, Person, session_cookie
from tests.support.redis_servers import RedisServer, binaries
from tests.support.servers import ArautoServer
from tests.support.tabs import Tab, open_tab
from tests.support.waiting import eventually

TOKEN = "a shared token of twenty-six"
PASSWORD = "ana's long password"
MAY = "resetkeys resetchannels -@all +subscribe +unsubscribe +psubscribe +punsubscribe +ping +publish +pubsub"

OWN = ("news.a", "news.", "news.a.b")
OUTSIDE = (  # channels beside news.*
    "news", "new", "News.a", "NEWS.A", "xnews.a", "news,a", "newsX", "alerts", "arauto:session:x",
    "__keyevent@0__:del", " news.a", "news\u200b.a", "ne\u0301ws.a", "*", "[n]ews.a",
)  # fmt: skip
REACHING = (  # patterns that match more than news.*
    "*", "**", "n*", "ne*", "new*", "news*", "?*", "?ews.*", "n?ws.*", "news?*", "[n]ews.*", "[a-z]ews.*",
    "[^x]ews.*", "new[s].*", "n*s.*", "*.a", "*news.*", "news[.]*", "\\*", "n\\*", "new\\s*", "a*",
    "__key*", "arauto:*", "[*", "[]*", "news[", "*[", "\\",
)  # fmt: skip
WITHIN = ("news.*", "news.a*", "news.?", "news.[ab]", "news.\\*", "news.**", "news.*\\", "news.a")


@pytest.fixture(scope="module", params=WORKERS)
def stage(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[RedisServer, ArautoServer]]:
    """The program on each worker, each with one of the two Redis servers, with users and API tokens."""
    directory = tmp_path_factory.mktemp("door_attacks")
    binary = list(binaries().values())[0 if request.param == "gevent" else -1]
    with closing(RedisServer(binary, directory)) as redis_server:
        for user, rules in {"ana": MAY + " &news.*", "off": MAY + " off", "open": MAY + " nopass"}.items():
            redis_server.client.execute_command("ACL", "SETUSER", user, "on", f">{PASSWORD}", *rules.split())
        server = ArautoServer(
            directory / "log",
            REDIS_URL=redis_server.url, ARAUTO_WORKER=request.param, ARAUTO_TOKEN=TOKEN, ARAUTO_LOGIN="redis",
            ARAUTO_TOKENS=str(directory / "tokens"), ARAUTO_PROXIES="127.0.0.1",
            ARAUTO_RECORDING="off",  # a recorder would send its own commands to Redis
        )  # fmt: skip
        with closing(server):
            yield redis_server, server
        assert "Traceback" not in server.log


@pytest.fixture
def redis_server(stage: tuple[RedisServer, ArautoServer]) -> RedisServer:
    stage[0].client.flushall()
    return stage[0]


@pytest.fixture
def server(stage: tuple[RedisServer, ArautoServer], redis_server: RedisServer) -> ArautoServer:
    return stage[1]


def changed(text: str) -> list[str]:
    """``text`` with each of its characters changed in turn, and some other variants."""
    flipped = [
        text[:place] + ("A" if char != "A" else "B") + text[place + 1 :] for place, char in enumerate(text)
    ]
    return [*flipped, text[:-1], text[1:], text + "A", "A" + text, text.swapcase(), text[::-1], text * 2]


def test_no_part_of_a_cookie_may_change(server: ArautoServer) -> None:
    person = Person(server)
    assert person.log_in(TOKEN).status == 303
    for name in changed(person.session):
        assert get(server, "/", Cookie=f"{session_cookie(server)}={name}").status == 401, name
    for line in (
        f"{session_cookie(server).upper()}={person.session}",
        f"x{session_cookie(server)}={person.session}",
        f"{session_cookie(server)}={session_cookie(server)}",
    ):
        assert get(server, "/", Cookie=line).status == 401, line
    assert person.is_in()


def test_no_byte_of_what_is_kept_may_change(server: ArautoServer, redis_server: RedisServer) -> None:
    person = Person(server)
    person.log_in(TOKEN)
    (key,) = redis_server.client.keys("arauto:session:*")
    kept = redis_server.client.get(key)
    assert isinstance(kept, bytes)
    places = {*range(0, len(kept), 7), 11, 12, len(kept) - 1}  # the nonce, the text, the tag
    for place in places:
        redis_server.client.set(key, kept[:place] + bytes([kept[place] ^ 1]) + kept[place + 1 :])
        assert get(server, "/", Cookie=person.cookie).status == 401, place
    redis_server.client.set(key, kept)
    assert person.is_in()


def test_no_part_of_a_form_token_may_change(server: ArautoServer) -> None:
    person = Person(server)
    person.log_in(TOKEN)
    mine = person.form_token()
    for given in changed(mine)[::3]:
        assert person.post("/publish", {"channel": "a", "message": "x", "csrf": given}).status == 403, given
        assert person.post("/login", {"password": TOKEN, "csrf": given}).status == 403, given
    assert person.post("/publish", {"channel": "a", "message": "x", "csrf": mine}).status == 200


def test_a_session_whose_time_is_over_is_none(server: ArautoServer, redis_server: RedisServer) -> None:
    person = Person(server)
    person.log_in(TOKEN)
    assert person.is_in()
    (key,) = redis_server.client.keys("arauto:session:*")
    redis_server.client.pexpire(key, 1)
    eventually(lambda: not person.is_in())
    assert handshake(server, Cookie=person.cookie).status == 401


def test_no_part_of_a_bearer_token_may_change(
    server: ArautoServer, redis_server: RedisServer, token: Callable[..., str]
) -> None:
    mine = token("changed", reads=["*"])
    for given in [*changed(mine)[::4], "", "arauto_", mine.removeprefix("arauto_")]:
        assert handshake(server, Authorization=f"Bearer {given}").status == 401, given
        redis_server.client.flushall()  # else later attempts would be throttled
    assert handshake(server, Authorization=f"Bearer {mine}").status == 101
    over = token("over", reads=["*"], until=time() - 1)
    assert handshake(server, Authorization=f"Bearer {over}").status == 401


def test_redis_is_queried_the_same_for_known_and_unknown_users(
    server: ArautoServer, redis_server: RedisServer
) -> None:
    """So the time of a refusal does not reveal whether a user exists."""

    def attempt(user: str) -> tuple[dict[str, int], int, bytes]:
        redis_server.client.flushall()
        person = Person(server)
        token = person.form_token("/login")
        redis_server.client.config_resetstat()
        answer = person.post("/login", {"user": user, "password": "wrong", "csrf": token})
        stats = redis_server.client.info("commandstats")
        counts = {name: of["calls"] for name, of in stats.items() if name != "cmdstat_info"}
        return counts, answer.status, answer.body.replace(user.encode(), b"").replace(token.encode(), b"")

    # The session monitor of another test's sockets sends commands to Redis, too.
    eventually(lambda: redis_server.subscribers() == 0)

    def all_alike() -> dict[str, tuple[dict[str, int], int, bytes]]:
        """A new connection may add commands to any attempt: then all are repeated."""
        found = {user: attempt(user) for user in ("nobody", "ana", "off", "open", "default")}
        assert {user: one for user, one in found.items() if one != found["nobody"]} == {}
        return found

    counts, _, _ = eventually(all_alike)["nobody"]
    assert counts["cmdstat_auth" if "cmdstat_auth" in counts else "cmdstat_hello"] > 0


def test_a_user_of_redis_receives_and_publishes_nothing_outside(
    server: ArautoServer, redis_server: RedisServer
) -> None:
    ana = Person(server)
    assert ana.log_in(PASSWORD, user="ana").status == 303
    with open_tab(server, "news.a", **ana.socket_headers()) as tab:
        tab.say(subscribe=list(OUTSIDE), psubscribe=list(REACHING))
        names = refused(tab, len(OUTSIDE) + len(REACHING))
        assert names == {*OUTSIDE, *REACHING}
        for channel in OUTSIDE:
            assert ana.publish(channel, "x").status == 403, channel
            redis_server.client.publish(channel, "a secret")
        redis_server.client.publish("news.a", "mine")
        assert tab.messages(1) == ["mine"]


def refused(tab: Tab, n: int) -> set[str]:
    events = tab.take(n)
    assert {event["type"] for event in events} == {"refused"}, events
    return {event.get("channel") or event["pattern"] for event in events}


def test_a_token_receives_and_publishes_nothing_outside(
    server: ArautoServer, redis_server: RedisServer, token: Callable[..., str]
) -> None:
    headers = {"Authorization": f"Bearer {token('news', reads=['news.*'], publishes=['news.*'])}"}
    with open_tab(server, *OWN, patterns=WITHIN, additional_headers=headers) as tab:
        for kind, names in (("subscribe", OUTSIDE), ("ssubscribe", OUTSIDE), ("psubscribe", REACHING)):
            for name in names:
                tab.say(**{kind: [name]})
                event = tab.next()
                assert event["type"] == "error", (name, event)
                tab.say(**{kind: ["news.ok", name]})  # not together with a permitted name either
                assert tab.next()["type"] == "error", name
                query = urlencode({"channel" if kind == "subscribe" else "pattern": name})
                assert handshake(server, f"/feed?{query}", **headers).status == 403, name
        for channel in OUTSIDE:
            assert publish(server, channel, "x", **headers).status == 403, channel
            redis_server.client.publish(channel, "a secret")
        redis_server.client.publish("news.a", "mine")
        assert set(tab.messages(1)) == {"mine"}
    listed = get(server, "/channels?match=*", **headers).json
    assert {row["channel"] for row in listed["channels"]} <= {*OWN}


@pytest.fixture
def token(stage: tuple[RedisServer, ArautoServer]) -> Iterator[Callable[..., str]]:
    """Creates a token in the server's file."""
    path: Path = stage[1].log_path.parent / "tokens"

    def make(name: str, reads: list[str], publishes: list[str] | None = None, until: float = 1e10) -> str:
        return Tokens(str(path)).create(name, reads, publishes or [], until)

    yield make
    path.unlink(missing_ok=True)


def test_pages_of_the_door_are_kept_by_nobody(server: ArautoServer) -> None:
    """A response of the login must not be stored in a cache, from which another visitor could get it."""
    person = Person(server)
    person.log_in(TOKEN)
    for path in ("/", "/login", "/account", "/channels", "/nowhere"):
        assert person.get(path).headers["cache-control"] == "no-store", path
    assert get(server, "/", Accept=HTML).headers["cache-control"] == "no-store"
