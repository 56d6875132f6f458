"""Requests that are not UTF-8 are refused with a sentence: no byte is replaced, and nothing is done."""

import gzip
import json
from collections.abc import Iterator

import pytest
from redis.client import PubSub

from tests.integration.test_publish import (
    BOUNDARY,
    FORM,
    MIB,
    MULTIPART,
    chunked,
    listener,
    multipart,
    nothing_received,
    received,
)
from tests.support.http import get, publish_json, request
from tests.support.persons import HTML, Person
from tests.support.raw import raw_feed
from tests.support.redis_servers import RedisServer
from tests.support.servers import ArautoServer

__all__ = ["listener"]
NOT_UTF8 = "The body is not UTF-8: send it in UTF-8. Nothing was done."
BAD_ADDRESS = "The address is not UTF-8: encode it in UTF-8 before you percent-encode it."
HALF = "The body has an unpaired surrogate, such as \\ud83d: send whole characters."
JSON = "application/json"
TOKEN = "a shared token of twenty-six"


def multipart_bytes(name: bytes, value: bytes, header: bytes = b"") -> bytes:
    part = b'--boundary\r\nContent-Disposition: form-data; name="%b"\r\n%b\r\n%b\r\n' % (name, header, value)
    return multipart(channel="n", message="x").replace(b"--boundary--\r\n", part + b"--boundary--\r\n")


@pytest.mark.parametrize(
    ("body", "kind", "sentence"),
    [
        (b"channel=n&message=Ol%E1", FORM, NOT_UTF8),
        (b"channel=n&message=Ol\xe1", FORM, NOT_UTF8),
        (b"channel=bin%E9&message=x", FORM, NOT_UTF8),
        (b"channel=n&message=x&fie%E9=1", FORM, NOT_UTF8),
        (b"channel=n&message=%ED%A0%BD", FORM, NOT_UTF8),
        (multipart(channel="n", message="Ola").replace(b"Ola", b"Ol\xe1"), MULTIPART, NOT_UTF8),
        (multipart_bytes(b"fie\xe9", b"1"), MULTIPART, NOT_UTF8),
        (b'{"channel": "n", "message": "Ol\xe1"}', JSON, NOT_UTF8),
        (b'{"channel": "n", "message": "x", "fie\xe9": 1}', JSON, NOT_UTF8),
        ('{"channel": "n", "message": "x"}'.encode("utf-16"), JSON, NOT_UTF8),
        (rb'{"channel": "n", "message": "\ud83d"}', JSON, HALF),
        (rb'{"channel": "\udc00", "message": "x"}', JSON, HALF),
    ],
)
def test_a_body_that_is_not_utf8_publishes_nothing(
    plain_arauto: ArautoServer, listener: PubSub, valkey: RedisServer, body: bytes, kind: str, sentence: str
) -> None:
    answer = request(plain_arauto, "POST", "/publish", body, Content_Type=kind)
    assert (answer.status, answer.error) == (400, sentence)
    assert nothing_received(listener, valkey)


@pytest.mark.parametrize("kind", [FORM, JSON, MULTIPART])
def test_a_body_that_is_cut_at_the_limit_is_too_large(plain_arauto: ArautoServer, kind: str) -> None:
    """A cut body may end inside a character and is invalid JSON, but it is refused for its size."""
    body = "é" * 4 * MIB
    bodies = {
        FORM: f"channel=n&message={body}".encode(),
        JSON: b'{"channel": "n", "message": "%b"}' % body.encode(),
        MULTIPART: multipart(channel="n", message=body),
    }
    answer = request(plain_arauto, "POST", "/publish", chunked(bodies[kind]), Content_Type=kind)
    assert (answer.status, answer.error) == (413, "The request is too large: nothing was published.")


@pytest.mark.parametrize("kind", [FORM, JSON, MULTIPART])
@pytest.mark.parametrize("charset", ["latin-1", "utf-16", "odd"])
def test_another_charset_is_refused(
    plain_arauto: ArautoServer, listener: PubSub, valkey: RedisServer, kind: str, charset: str
) -> None:
    bodies = {
        FORM: b"channel=n&message=x",
        JSON: b'{"channel": "n", "message": "x"}',
        MULTIPART: multipart(channel="n", message="x"),
    }
    named = f"{kind}; charset={charset}"
    answer = request(plain_arauto, "POST", "/publish", bodies[kind], Content_Type=named)
    assert (answer.status, answer.error) == (415, f"Send it in UTF-8: {charset} is not supported.")
    assert nothing_received(listener, valkey)


@pytest.mark.parametrize("kind", [FORM, JSON])
def test_what_is_packed_is_refused(
    plain_arauto: ArautoServer, listener: PubSub, valkey: RedisServer, kind: str
) -> None:
    body = gzip.compress(b"channel=n&message=x" if kind == FORM else b'{"channel": "n", "message": "x"}')
    answer = request(plain_arauto, "POST", "/publish", body, Content_Type=kind, Content_Encoding="gzip")
    assert (answer.status, answer.error) == (415, "Send the body uncompressed: gzip is not supported.")
    assert nothing_received(listener, valkey)


def test_a_file_is_no_message(plain_arauto: ArautoServer, listener: PubSub, valkey: RedisServer) -> None:
    body = multipart(channel="n", message="x").replace(b'name="message"', b'name="message"; filename="n.txt"')
    answer = request(plain_arauto, "POST", "/publish", body, Content_Type=MULTIPART)
    assert answer.status == 400
    assert answer.error == "Send text and no file: curl does with -F 'message=<note.txt'."
    assert nothing_received(listener, valkey)


def test_a_part_with_another_charset_is_refused(
    plain_arauto: ArautoServer, listener: PubSub, valkey: RedisServer
) -> None:
    body = multipart_bytes(b"confirmed", "é".encode(), b"Content-Type: text/plain; charset=ISO-8859-1\r\n")
    answer = request(plain_arauto, "POST", "/publish", body, Content_Type=MULTIPART)
    assert (answer.status, answer.error) == (415, "Send it in UTF-8: ISO-8859-1 is not supported.")
    assert nothing_received(listener, valkey)


@pytest.mark.parametrize(
    "kind", [f"{FORM}; charset=UTF-8", f'{FORM};charset="utf-8"', f"{FORM}; charset=us-ascii"]
)
def test_utf8_may_be_named(plain_arauto: ArautoServer, listener: PubSub, kind: str) -> None:
    answer = request(plain_arauto, "POST", "/publish", b"channel=n&message=Ol%C3%A1", Content_Type=kind)
    assert answer.status == 200
    assert received(listener) == "Olá".encode()


def test_a_percent_that_encodes_nothing_stands_for_itself(
    plain_arauto: ArautoServer, listener: PubSub
) -> None:
    """As browsers decode it: ``curl -d message=100%`` relies on that."""
    body = b"channel=n&message=100% %zz %4"
    assert request(plain_arauto, "POST", "/publish", body, Content_Type=FORM).status == 200
    assert received(listener) == b"100% %zz %4"


@pytest.mark.parametrize("twice", ["channel", "message", "confirmed"])
def test_a_field_that_is_there_twice_publishes_nothing(
    plain_arauto: ArautoServer, listener: PubSub, valkey: RedisServer, twice: str
) -> None:
    form = b"channel=n&message=x&confirmed=1&%b=2" % twice.encode()
    parts = multipart(channel="n", message="x", confirmed="1")
    parts = parts.replace(b"--boundary--", multipart(**{twice: "2"}))
    json = b'{"channel":"n","message":"x","confirmed":true,"%b":"2"}' % twice.encode()
    for body, kind in ((form, FORM), (parts, MULTIPART), (json, "application/json")):
        answer = request(plain_arauto, "POST", "/publish", body, Content_Type=kind)
        assert (answer.status, answer.error) == (400, f"Send the field {twice} once: nothing was done.")
    assert nothing_received(listener, valkey)


@pytest.mark.parametrize("depth", [900, 1010, 1100])
def test_deep_nesting_hides_no_field_that_is_there_twice(
    plain_arauto: ArautoServer, listener: PubSub, valkey: RedisServer, depth: int
) -> None:
    deep = b"[" * depth + b"]" * depth
    body = b'{"channel":"n","channel":"n","message":"x","more":%b}' % deep
    assert request(plain_arauto, "POST", "/publish", body, Content_Type="application/json").status == 400
    assert nothing_received(listener, valkey)


def test_a_form_that_cannot_be_read_says_so(plain_arauto: ArautoServer) -> None:
    for kind in ("multipart/form-data", "multipart/form-data; boundary=other"):
        answer = request(
            plain_arauto, "POST", "/publish", multipart(channel="n", message="x"), Content_Type=kind
        )
        assert (answer.status, answer.error) == (400, "The form cannot be read: nothing was done.")
    assert BOUNDARY != "other"


ADDRESSES = [
    "/?channel=%E9", "/feed?channel=bin%E9", "/feed?pattern=%E9*", "/feed?channel=a&after=%E9",
    "/feed?channel=a&since=%E9", "/channels?match=%E9*", "/channels/a/messages?since=%E9",
    "/channels/a/messages?until=%E9", "/channels/a%E9/messages", "/channels/%ED%A0%BD/messages",
    "/?lang=%E9", "/?fie%E9=1", "/login?next=/%E9", "/static/%E9.js", "/nothing%E9", "/tokens?lang=%E9",
    "/healthz?%E9",
]  # fmt: skip


@pytest.mark.parametrize("path", ADDRESSES)
def test_an_address_that_is_not_utf8_is_refused(plain_arauto: ArautoServer, path: str) -> None:
    answer = get(plain_arauto, path)
    assert (answer.status, answer.error) == (400, BAD_ADDRESS)
    page = get(plain_arauto, path, Accept=HTML)
    assert page.status == 400
    assert BAD_ADDRESS in page.body.decode()


@pytest.mark.parametrize(("method", "what"), [("PUT", "recording"), ("DELETE", "messages")])
def test_a_log_is_not_touched_by_a_name_that_is_not_utf8(
    plain_arauto: ArautoServer, method: str, what: str
) -> None:
    answer = request(plain_arauto, method, f"/channels/bin%E9/{what}", b'{"recorded": true}')
    assert (answer.status, answer.error) == (400, BAD_ADDRESS)


def test_what_switches_must_be_utf8_too(plain_arauto: ArautoServer) -> None:
    for body, sentence in ((b'{"recorded": true, "\xe9": 1}', NOT_UTF8), (b'{"a": "\\ud83d"}', HALF)):
        answer = request(plain_arauto, "PUT", "/channels/a/recording", body)
        assert (answer.status, answer.error) == (400, sentence)


@pytest.fixture(scope="module")
def door(valkey: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArautoServer]:
    directory = tmp_path_factory.mktemp("door")
    server = ArautoServer(
        directory / "log", REDIS_URL=valkey.url, ARAUTO_TOKEN=TOKEN, ARAUTO_LOGIN="redis",
        ARAUTO_TOKENS=str(directory / "tokens"),
    )  # fmt: skip
    yield server
    server.close()
    assert "Traceback" not in server.log


@pytest.mark.parametrize("field", ["user", "password", "next", "csrf"])
def test_the_login_form_must_be_utf8(door: ArautoServer, field: str) -> None:
    answer = request(door, "POST", "/login", f"{field}=%E9".encode(), Content_Type=FORM)
    assert (answer.status, answer.error) == (400, NOT_UTF8)


def test_the_form_of_tokens_must_be_utf8(door: ArautoServer) -> None:
    person = Person(door)
    person.log_in(TOKEN)
    for path in ("/tokens", "/tokens/revoke", "/logout"):
        answer = request(door, "POST", path, b"name=%E9", Content_Type=FORM, Cookie=person.cookie)
        assert (answer.status, answer.error) == (400, NOT_UTF8)


def test_a_socket_gets_a_reason_for_half_a_character_and_lives_on(plain_arauto: ArautoServer) -> None:
    with raw_feed(plain_arauto, "whole") as feed:
        feed.say(subscribe=["half \ud83d"])
        feed.say(subscribe=["other"])
        events = feed.events()
        assert next(events) == {
            "type": "error",
            "error": "A name has an unpaired surrogate: send whole characters.",
        }
        assert next(events)["channel"] == "other"


def test_control_whole_pairs_are_taken(plain_arauto: ArautoServer, listener: PubSub) -> None:
    assert publish_json(plain_arauto, json.dumps({"channel": "n", "message": "🎺"})).status == 200
    assert received(listener) == "🎺".encode()
