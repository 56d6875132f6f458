"""Random requests to every route: each gets a response that is not a server error."""

import json
import re
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import create_app
from arauto.settings import WORKERS, read
from tests.support.http import FORM, HANDSHAKE, Answer, request
from tests.support.kafka_servers import PATIENT, KafkaServer
from tests.support.persons import HTML, Person, csrf
from tests.support.redis_servers import RedisServer
from tests.support.servers import ArautoServer

TOKEN = "a shared token of twenty-six"
JSON = "application/json"
EXAMPLES = 200  # requests for each visitor and worker
# Methods beside those of a route.
METHODS = ("HEAD", "OPTIONS", "PUT", "DELETE", "TRACE", "PROPFIND", "get", "X" * 20)
NAMES = (
    "channel", "message", "confirmed", "pattern", "csrf", "user", "password", "next", "lang",
    "match", "filter", "everywhere", "tab", "since", "after", "until", "limit", "parts", "id", "name",
    "reads", "publishes", "days", "revoke", "topic", "key", "headers", "partition", "",
)  # fmt: skip
SAID = (
    "a", "1", "news.*", "pt-BR", "/", "//evil.example", "true", "-1", "1e999", "0-0", "1-1", "first", "NaN",
    "9" * 400, TOKEN, "0:0", "0:0,1:1", '[{"name":"","value":null}]',
)  # fmt: skip
HEADERS = (
    "Accept", "Accept-Language", "Accept-Encoding", "Authorization", "Cookie", "Origin", "Referer",
    "Range", "If-None-Match", "If-Modified-Since", "If-Range", "Content-Type", "Content-Encoding",
    "X-CSRF-Token", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-User", "Sec-Fetch-Site",
    "X-HTTP-Method-Override", *HANDSHAKE,
)  # fmt: skip
VALUES = (
    *HANDSHAKE.values(), HTML, FORM, JSON, "multipart/form-data", "multipart/form-data; boundary=b",
    "null", "*", "text/plain; charset=utf-7", "application/json; charset=odd", "*/*;q=x",
    "pt;q=9e99", "bytes=0-,5-1", "Bearer", "Bearer é", f"Bearer {TOKEN}", "Basic Og==", "Basic =",
    "Digest x", "arauto_session=", "=;=;\xff", "arauto_session=x; arauto_session=y",
    "arauto_language=pt-BR", "arauto_login=\xff", '"', "W/", "gzip",
)  # fmt: skip

texts = st.one_of(st.sampled_from(SAID), st.text(max_size=30), st.binary(max_size=30))
pairs = st.lists(st.tuples(st.sampled_from(NAMES), texts), max_size=5)
lines = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=40)
headers = st.dictionaries(
    st.sampled_from(HEADERS), st.one_of(st.sampled_from(VALUES), lines.map(str.strip)), max_size=4
)


def joined(fields: list[tuple[str, str | bytes]]) -> str:
    return "&".join(f"{name}={quote(value)}" for name, value in fields)


values = st.recursive(
    st.sampled_from(SAID) | st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=5,
)
objects = st.fixed_dictionaries(dict.fromkeys(NAMES[:2], values), optional=dict.fromkeys(NAMES[2:4], values))
MULTIPART = b'--b\r\nContent-Disposition: form-data; name="channel"%s\r\n\r\na\r\n--b--'
bodies = st.one_of(  # Content-Type and body
    st.tuples(st.just(FORM), pairs.map(lambda fields: joined(fields).encode())),
    st.tuples(st.just(JSON), objects.map(lambda value: json.dumps(value).encode())),
    st.tuples(st.just(JSON), values.map(lambda value: json.dumps(value).encode())),
    st.tuples(st.just(JSON), st.integers(0, 20_000).map(lambda n: b"[" * n) | st.binary(max_size=99)),
    st.tuples(
        st.just("multipart/form-data; boundary=b"),
        st.sampled_from(
            [b"--b\r\n\r\n--b--", MULTIPART % b"", MULTIPART % b'; filename="x"', MULTIPART[:40]]
        ),
    ),
    st.tuples(st.sampled_from(VALUES), st.none() | st.binary(max_size=99)),
)


@pytest.fixture(scope="module", params=WORKERS)
def door(
    request: pytest.FixtureRequest,
    valkey: RedisServer,
    kafka: KafkaServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[ArautoServer]:
    """The program with every means of authentication."""
    valkey.client.flushall()
    if "a" not in kafka.topics():
        kafka.create("a")
    directory = tmp_path_factory.mktemp("routes")
    own = environ(valkey, kafka, str(directory)) | {"ARAUTO_WORKER": request.param, "ALTER": PATIENT}
    server = ArautoServer(directory / "log", **own)
    with closing(server):
        yield server
    assert "Traceback" not in server.log


def environ(valkey: RedisServer, kafka: KafkaServer, directory: str) -> dict[str, Any]:
    return {
        "KAFKA_URL": kafka.url,
        "REDIS_URL": valkey.url, "ARAUTO_TOKEN": TOKEN, "ARAUTO_LOGIN": "redis", "ARAUTO_PROTECTED": "prod.*",
        "ARAUTO_RECORD": "news.*,a", "ARAUTO_DELETE_LOGS": "on",
        "ARAUTO_TOKENS": f"{directory}/tokens",
        "ARAUTO_PROXIES": "10.0.0.0/8", "ARAUTO_PROXY_USER": "X-Forwarded-User",
    }  # fmt: skip


Route = tuple[str, str]


@pytest.fixture(scope="module")
def routes(valkey: RedisServer, kafka: KafkaServer, tmp_path_factory: pytest.TempPathFactory) -> list[Route]:
    """Each path with each of its methods and a value for its variables, and some paths without a route."""
    app = create_app(read(environ(valkey, kafka, str(tmp_path_factory.mktemp("paths")))))
    own = [(method, rule.rule) for rule in app.url_map.iter_rules() for method in sorted(rule.methods or ())]
    found = {path for _, path in own}
    assert {"/", "/publish", "/feed", "/channels", "/topics", "/login", "/logout", "/account"} <= found
    parts = [
        "%00",
        "..%2f..%2fapp.py",
        "js/app/main.js",
        "x" * 300,
        "%ff",
        "js/../../../app.py",
        "a",
        "news.*",
    ]
    plain = [(method, re.sub("<[^>]+>", part, path)) for method, path in own for part in parts]
    plain = list(dict.fromkeys(plain))
    assert not any("<" in path for _, path in plain), plain
    odd = ["//", "/%2e%2e/app.py", "/;", "/feed/"]
    return [
        *[route for route in plain if route[0] == "POST"] * 8,
        *[route for route in plain if route[0] == "GET"] * 2,
        *plain,
        *(("GET", path) for path in odd),
        *((method, "/publish") for method in METHODS),
    ]


class Tries:
    """The number of responses by status."""

    def __init__(self) -> None:
        self.by_status: dict[int, int] = {}

    def note(self, answer: Answer) -> None:
        self.by_status[answer.status] = self.by_status.get(answer.status, 0) + 1


@pytest.mark.parametrize("who", ["nobody", "a program", "a person"])
def test_every_route_answers_and_none_has_a_fault(
    door: ArautoServer, valkey: RedisServer, routes: list[Route], who: str
) -> None:
    tries = Tries()
    person = Person(door)
    secrets: dict[str, str] = {}

    def enter() -> None:
        valkey.client.flushall()
        assert person.log_in(TOKEN).status == 303
        secrets["Cookie"] = person.cookie
        secrets["X-CSRF-Token"] = csrf(person.get().body.decode())
        secrets["Origin"] = door.url

    if who == "a person":
        enter()
    if who == "a program":
        secrets["Authorization"] = f"Bearer {TOKEN}"

    @given(st.sampled_from(routes), pairs, bodies, headers, st.sampled_from([True] * 4 + [False]))
    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None)
    def ask(
        route: Route,
        query: list[tuple[str, str | bytes]],
        body: tuple[str, bytes | None],
        said: dict[str, str],
        is_ours: bool,
    ) -> None:
        method, path = route
        given = said | {"Content-Type": body[0]} | (secrets if is_ours else {})
        named: dict[str, Any] = {name.replace("-", "_"): value for name, value in given.items()}
        answer = request(door, method, f"{path}?{joined(query)}" if query else path, body[1], **named)
        tries.note(answer)
        assert answer.status < 500, (answer.status, answer.body)
        if who == "a person" and is_ours and path == "/logout" and answer.status == 303:
            enter()

    ask()
    valkey.client.flushall()
    assert sum(tries.by_status.values()) >= EXAMPLES
    assert (tries.by_status.get(200, 0) > 5) or who == "nobody", tries.by_status
    print(who, dict(sorted(tries.by_status.items())))
