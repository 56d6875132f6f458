"""The audit trail, in the log and on a channel: it has each action and no secret."""

import json
from collections.abc import Iterator
from operator import itemgetter
from pathlib import Path
from time import time
from typing import Any

import pytest

from arauto.settings import WORKERS
from tests.integration.test_rights import act, switch
from tests.integration.test_token_pages import made, make
from tests.integration.test_tokens import FLASK, bearer
from tests.support.http import get, handshake, publish
from tests.support.persons import Person
from tests.support.redis_servers import RedisServer
from tests.support.rules import PERSON, rules, set_user
from tests.support.servers import Start
from tests.support.starts import run
from tests.support.tabs import open_tab
from tests.support.waiting import eventually

TOKEN, PASSWORD = "a shared token of twenty-six", "ana's long password"
AUDIT = "arauto.audit"
HERE = {"address": "127.0.0.1"}


class Listener:
    """A subscriber of the audit channel."""

    def __init__(self, redis_server: RedisServer) -> None:
        self._pubsub = redis_server.client.pubsub()
        self._pubsub.subscribe(AUDIT)
        assert self._pubsub.get_message(timeout=5)
        self.texts: list[str] = []

    def take(self, n: int) -> list[dict[str, Any]]:
        """The next ``n`` records, sorted by time, since each process publishes its own."""
        events: list[dict[str, Any]] = []
        while len(events) < n:
            message = self._pubsub.get_message(timeout=10)
            assert message is not None, f"only {events}"
            self.texts.append(message["data"].decode())
            events.append(json.loads(self.texts[-1]))
        events.sort(key=itemgetter("at"))
        stamps = [event.pop("at") for event in events]
        assert time() - 600 < stamps[0] <= stamps[-1] <= time()
        return events

    def close(self) -> None:
        self._pubsub.close()


@pytest.fixture
def listener(own_redis: RedisServer) -> Iterator[Listener]:
    set_user(own_redis, "ana", PASSWORD, *rules(PERSON, channels=()), "&news.*")
    listener = Listener(own_redis)
    yield listener
    listener.close()


@pytest.fixture
def environ(own_redis: RedisServer, tmp_path: Path) -> dict[str, str]:
    return {
        "REDIS_URL": own_redis.url,
        "ARAUTO_LOGIN": "redis",
        "ARAUTO_TOKEN": TOKEN,
        "ARAUTO_TOKENS": str(tmp_path / "tokens"),
        "ARAUTO_DELETE_LOGS": "on",
        "ARAUTO_AUDIT_CHANNEL": AUDIT,
    }


@pytest.mark.parametrize("worker", WORKERS)
def test_each_action_is_logged_without_the_message(
    start: Start, listener: Listener, environ: dict[str, str], worker: str
) -> None:
    server = start(**environ, ARAUTO_WORKER=worker)
    ana, shared = Person(server), Person(server)
    ana.log_in("not her password", user="ana")
    ana.log_in(PASSWORD, user="ana")
    shared.log_in(TOKEN)
    as_ana, as_shared = ({"user": "ana", "way": "redis"} | HERE, {"user": "token", "way": "token"} | HERE)
    assert listener.take(3) == [
        {"event": "login refused", "way": "redis"} | HERE,
        {"event": "login"} | as_ana,
        {"event": "login"} | as_shared,
    ]
    ana.publish("news.é", "not for the log")
    ana.publish("secret", "not for the log")
    assert listener.take(2) == [
        {"event": "published", "channel": "news.é", "bytes": 15} | as_ana,
        {"event": "publish refused", "channel": "secret", "bytes": 15} | as_ana,
    ]
    switch(shared, "a", True)
    act(shared, "DELETE", "/channels/messages?channel=a")
    switch(shared, "a", False)
    switch(ana, "secret", True)
    ana.get("/channels/secret/messages")
    assert listener.take(5) == [
        {"event": "recording on", "channel": "a"} | as_shared,
        {"event": "log deleted", "channel": "a"} | as_shared,
        {"event": "recording off", "channel": "a"} | as_shared,
        {"event": "recording refused", "channel": "secret"} | as_ana,
        {"event": "reading refused", "channel": "secret"} | as_ana,
    ]
    with open_tab(server, "news.a", **ana.socket_headers()) as tab:
        tab.say(subscribe=["secret"])
        tab.until("refused")
    token = made(make(shared, reads="news.*", publishes=""))
    handshake(server, "/feed?channel=jobs", **bearer(token))
    get(server, "/channels", **bearer("arauto_wrong"))
    shared.post("/tokens/revoke", {"name": "backup", "csrf": shared.form_token("/tokens")})
    ana.log_out()
    shared.log_out(everywhere=True)
    assert listener.take(7) == [
        {"event": "listening refused", "channel": "secret"} | as_ana,
        {"event": "token made", "token": "backup"} | as_shared,
        {"event": "listening refused", "channel": "jobs", "user": "backup", "way": "bearer"} | HERE,
        {"event": "token refused", "way": "bearer"} | HERE,
        {"event": "token revoked", "token": "backup"} | as_shared,
        {"event": "logout"} | as_ana,
        {"event": "logout everywhere"} | as_shared,
    ]
    published = server.log + "".join(listener.texts)
    for secret in ("not for the log", PASSWORD, TOKEN, token, "arauto_wrong", "not her password"):
        assert secret not in published
    assert "published channel='news.é' bytes=15 user='ana' way=redis address=127.0.0.1\n" in server.log
    assert "recording on channel='a' user='token' way=token address=127.0.0.1\n" in server.log
    assert "feed opened channel='news.a' user='ana' address=127.0.0.1\n" in server.log


def test_an_answer_is_reported_where_it_is_requested(
    start: Start, own_redis: RedisServer, listener: Listener
) -> None:
    """Without a login, the audit has only the address."""
    server = start(REDIS_URL=own_redis.url, ARAUTO_AUDIT_CHANNEL=AUDIT, ARAUTO_AUDIT_CONTENT="1")
    publish(server, "a", "two\nlines")
    assert listener.take(1) == [
        {"event": "published", "channel": "a", "bytes": 9, "message": "two\nlines"} | HERE
    ]
    assert "published channel='a' bytes=9 message='two\\nlines' address=127.0.0.1\n" in server.log


def test_nobody_else_speaks_on_the_audit_channel(
    start: Start, listener: Listener, environ: dict[str, str]
) -> None:
    shared = Person(start(**environ))
    shared.log_in(TOKEN)
    for refused in (
        shared.publish(AUDIT, '{"event":"login","user":"somebody else"}'),
        switch(shared, AUDIT, True),
        act(shared, "DELETE", f"/channels/messages?channel={AUDIT}"),
    ):
        assert refused.status == 403
        assert refused.error == "This channel is for the audit trail: nobody else publishes to it here."
    assert [event["event"] for event in listener.take(4)] == [
        "login", "publish refused", "recording refused", "recording refused",
    ]  # fmt: skip


def test_a_command_that_makes_a_token_is_reported(
    own_redis: RedisServer, listener: Listener, environ: dict[str, str]
) -> None:
    for arguments in (["create", "ci", "--read", "*"], ["revoke", "ci"]):
        assert run([*FLASK, *arguments], USER="root", **environ).returncode == 0
    by = {"token": "ci", "user": "root", "way": "command"}
    assert listener.take(2) == [{"event": "token made"} | by, {"event": "token revoked"} | by]


def test_a_channel_that_redis_refuses_is_reported_once_and_stops_nobody(
    start: Start, own_redis: RedisServer
) -> None:
    rules = ("~arauto:*", "&arauto:tabs:*", "&a", "+@all")
    set_user(own_redis, "small", "x", "resetchannels", *rules)
    url = own_redis.url.replace("//", "//small:x@")
    server = start(REDIS_URL=url, ARAUTO_AUDIT_CHANNEL=AUDIT, ARAUTO_WORKERS="1")
    for _ in range(3):
        assert publish(server, "a", "x").status == 200
    eventually(lambda: "audit channel incomplete why=" in server.log)
    assert server.log.count("audit channel incomplete") == 1
    assert server.log.count("published channel='a' bytes=1 address=127.0.0.1") == 3
