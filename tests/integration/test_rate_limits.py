"""A client that publishes or connects too often must wait, whichever process answers; others need not."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from arauto.settings import WORKERS
from tests.support.http import Answer, get, handshake, request
from tests.support.http import publish as publish_once
from tests.support.persons import HTML, Person
from tests.support.redis_servers import RedisServer
from tests.support.servers import ArautoServer
from tests.support.tabs import open_tab

TOKEN = "a shared token of twenty-six"
MOST = 20  # at once, at a rate of one a second
# A second of the bucket takes a quarter of an hour: it does not refill during a test.
SLOW_CLOCK = (
    "import time, arauto.workers.rate_limits as r; r.monotonic_ns = lambda: time.monotonic_ns() // 1000"
)


@pytest.fixture(scope="module", params=WORKERS)
def slow(
    request: pytest.FixtureRequest, valkey: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ArautoServer]:
    server = ArautoServer(
        tmp_path_factory.mktemp("rates") / "log",
        REDIS_URL=valkey.url, ARAUTO_WORKER=request.param, ARAUTO_TOKEN=TOKEN,
        ARAUTO_PUBLISH_RATE="1", ARAUTO_CONNECT_RATE="1",
        ARAUTO_PROXIES="127.0.0.0/8", ARAUTO_PROXY_USER="X-Forwarded-User",
        ALTER=SLOW_CLOCK, PYTHONHASHSEED="0",  # the addresses and users below have different hashes
    )  # fmt: skip
    with closing(server):
        yield server
    assert "Traceback" not in server.log


@pytest.fixture(autouse=True)
def nothing_is_remembered(valkey: RedisServer) -> None:
    valkey.client.flushall()


def until_refused(act: Callable[[], Answer], goes_well: int) -> Answer:
    """Repeat ``act`` until it is refused."""
    for n in range(MOST + 1):
        answer = act()
        if answer.status != goes_well:
            assert n == MOST
            return answer
    raise AssertionError(f"request {MOST} was not refused")


def expect_refusal(answer: Answer) -> None:
    assert answer.status == 429
    assert answer.headers["retry-after"] == "1"
    assert answer.error == "Too many requests from you or your address: try again in 1 second."


def test_an_address_publishes_so_often(slow: ArautoServer, valkey: RedisServer) -> None:
    subscriber = valkey.client.pubsub()
    subscriber.subscribe("a")
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    ana: dict[str, Any] = bearer | {"X_Forwarded_For": "203.0.113.1"}
    expect_refusal(until_refused(lambda: publish_once(slow, "a", "x", **ana), 200))
    expect_refusal(publish_once(slow, "", "whatever is wrong with it", **ana))
    expect_refusal(request(slow, "PUT", "/channels/a/recording", '{"recorded":true}', **ana))
    expect_refusal(request(slow, "DELETE", "/channels/messages?channel=a", **ana))
    page = publish_once(slow, "a", "x", Accept=HTML, **ana)
    assert page.status == 429
    assert b"try again in 1 second." in page.body
    assert get(slow, "/channels", **ana).status == 200
    assert publish_once(slow, "a", "x", **bearer, X_Forwarded_For="203.0.113.2").status == 200
    for _ in range(MOST):
        assert publish_once(slow, "a", "x", **bearer).status == 200  # loopback has no limit
    subscriber.close()


def test_a_user_publishes_so_often_from_wherever(slow: ArautoServer) -> None:
    addresses = iter(range(1, 255))

    def as_user(name: str) -> Answer:
        headers = {"X_Forwarded_User": name, "X_Forwarded_For": f"198.51.100.{next(addresses)}"}
        return Person(slow, **headers).publish("a", "x")

    expect_refusal(until_refused(lambda: as_user("ana"), 200))
    assert as_user("bia").status == 200


def test_who_shares_a_token_is_counted_by_the_session(slow: ArautoServer) -> None:
    ana, bia = Person(slow), Person(slow)
    for person in (ana, bia):
        assert person.log_in(TOKEN).status == 303
    token = ana.form_token()
    fields = {"channel": "a", "message": "x", "csrf": token}
    expect_refusal(until_refused(lambda: ana.post("/publish", fields, Accept="application/json"), 200))
    assert bia.publish("a", "x").status == 200


def test_sockets_open_so_often(slow: ArautoServer) -> None:
    ana = {"Authorization": f"Bearer {TOKEN}", "X_Forwarded_For": "203.0.113.3"}
    for _ in range(MOST):
        assert get(slow, "/feed?channel=a", **ana).status == 426  # only a socket counts
    expect_refusal(until_refused(lambda: handshake(slow, **ana), 101))
    expect_refusal(get(slow, "/feed?channel=a", **ana))  # the page requests the reason
    headers = {"Authorization": f"Bearer {TOKEN}", "X-Forwarded-For": "203.0.113.4"}
    with open_tab(slow, "a", additional_headers=headers):
        pass
