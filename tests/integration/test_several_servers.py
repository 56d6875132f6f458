"""Two servers on one Redis, one on each worker, share sessions, tokens and limits."""

from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest
from websockets.exceptions import ConnectionClosed

from arauto.auth.api_tokens_in_redis import TokensInRedis
from arauto.redis_io import discovery
from arauto.redis_io.connection import RedisLink
from arauto.redis_io.expiring_store import RedisStore
from arauto.settings import WORKERS, read
from tests.integration.test_login import LONG
from tests.integration.test_tokens import bearer
from tests.support.http import publish
from tests.support.persons import Person, session_cookie
from tests.support.redis_servers import RedisServer
from tests.support.rules import PROGRAM, as_program
from tests.support.servers import ArautoServer
from tests.support.tabs import Tab, open_tab

NAME = "alerts.example.org"  # the name of the balancer for both
TOKEN = "a shared token of twenty-six"


@pytest.fixture(scope="module")
def servers(valkey: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[ArautoServer]]:
    valkey.client.flushall()
    directory = tmp_path_factory.mktemp("servers")
    with ExitStack() as stack:
        started = [
            ArautoServer(
                directory / worker,
                REDIS_URL=valkey.url, ARAUTO_WORKER=worker, ARAUTO_WORKERS="1", ARAUTO_TOKEN=TOKEN,
                ARAUTO_SECRET="what both encrypt with", ARAUTO_TOKENS="redis",
                ARAUTO_ORIGINS=f"http://{NAME}", ALTER=LONG,
            )
            for worker in WORKERS
        ]  # fmt: skip
        for server in started:
            stack.enter_context(closing(server))
        yield started
        valkey.client.flushall()
        for server in started:
            assert "Traceback" not in server.log


def at_both(servers: list[ArautoServer]) -> list[Person]:
    """One browser at each of the two servers."""
    here, there = (Person(server, Host=NAME, Origin=f"http://{NAME}") for server in servers)
    there.cookies = here.cookies
    return [here, there]


def cookie(server: ArautoServer, session: str) -> dict[str, str]:
    """The session cookie under the name for this server's port."""
    return {"Cookie": f"{session_cookie(server)}={session}"}


def ends(tab: Tab) -> tuple[int, str]:
    with pytest.raises(ConnectionClosed) as closed:
        tab.until("an event that never comes")
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code, closed.value.rcvd.reason


OVER = (1008, "Your session is over: log in again.")


def test_a_session_is_one_on_all(servers: list[ArautoServer]) -> None:
    here, there = at_both(servers)
    assert here.log_in(TOKEN).status == 303
    assert there.is_in()
    with ExitStack() as stack:
        session = here.cookies["arauto_session"]
        tabs = [
            stack.enter_context(open_tab(server, "a", additional_headers=cookie(server, session)))
            for server in servers
        ]
        # A form of one server, submitted to the other.
        fields = {"channel": "a", "message": "x", "csrf": here.form_token()}
        assert there.post("/publish", fields).status == 200
        assert [tab.messages(1) for tab in tabs] == [["x"], ["x"]]
        assert there.log_out().status == 303
        assert [ends(tab) for tab in tabs] == [OVER, OVER]


def test_a_token_is_one_on_all(servers: list[ArautoServer], valkey: RedisServer) -> None:
    with ExitStack() as stack:
        tokens = TokensInRedis(RedisStore(stack.enter_context(closing(RedisLink(valkey.url)))))
        token = tokens.create("backup", ["a"], ["a"], 4e9)
        assert token.encode() not in (valkey.client.get("arauto:programs") or b"")
        assert valkey.client.ttl("arauto:programs") == -1  # Redis must not evict it for its time to live
        tabs = [
            stack.enter_context(open_tab(server, "a", additional_headers=bearer(token))) for server in servers
        ]
        assert publish(servers[1], "a", "x", **bearer(token)).status == 200
        assert [tab.messages(1) for tab in tabs] == [["x"], ["x"]]
        tokens.revoke("backup")
        assert [ends(tab) for tab in tabs] == [OVER, OVER]
    assert [publish(server, "a", "x", **bearer(token)).status for server in servers] == [401, 401]


def test_a_change_that_stalls_undoes_no_other(own_redis: RedisServer) -> None:
    """With the smallest ACL rules; without them the start prints the missing one."""

    class Stalling(RedisStore):
        def replace(self, key: str, before: bytes | None, value: bytes) -> bool:
            if quick.list():
                quick.revoke("leaked")
            return super().replace(key, before, value)

    as_program(own_redis, PROGRAM, channels=())
    with pytest.raises(discovery.NoRedis, match=r"'eval'.*allow our user what docs/security.md shows"):
        discovery.find(read({"REDIS_URL": own_redis.url, "ARAUTO_TOKENS": "redis"}))
    own_redis.client.execute_command("ACL", "SETUSER", "arauto", "+eval")
    with closing(RedisLink(own_redis.url)) as link:
        quick, slow = TokensInRedis(RedisStore(link)), TokensInRedis(Stalling(link))
        leaked = quick.create("leaked", ["*"], [], 4e9)
        slow.create("backup", ["*"], [], 4e9)
        assert [one.name for one in quick.list()] == ["backup"]
        assert slow.find(leaked) is None


def test_guesses_count_together(servers: list[ArautoServer]) -> None:
    here, there = at_both(servers)
    guesses = [who.log_in("a guess").status for who in (here, there) * 3]
    assert guesses == [401] * 6
    assert [who.log_in(TOKEN).status for who in (here, there)] == [429, 429]
