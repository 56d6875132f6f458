"""POST /publish: its bodies, its responses, and requests that publish nothing."""

import json
from collections.abc import Callable, Iterator

import pytest
from redis.client import PubSub

from tests.support.http import publish, publish_json, request
from tests.support.redis_servers import RedisServer
from tests.support.servers import ArautoServer, Start
from tests.support.tabs import open_tab
from tests.support.waiting import eventually

MIB = 1024 * 1024
FORM = "application/x-www-form-urlencoded"
BOUNDARY = "boundary"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"


@pytest.fixture
def listener(valkey: RedisServer) -> Iterator[PubSub]:
    """A redis-py subscriber on every channel."""
    with valkey.client.pubsub(ignore_subscribe_messages=True) as pubsub:
        pubsub.psubscribe("*")
        eventually(lambda: valkey.client.pubsub_numpat() == 1)
        yield pubsub


def received(pubsub: PubSub) -> bytes:
    """The data of the next message."""
    return bytes(eventually(lambda: pubsub.get_message(timeout=1))["data"])


def nothing_received(pubsub: PubSub, valkey: RedisServer) -> bool:
    """Whether no message came before one that is published now."""
    valkey.client.publish("sentinel", "sentinel")
    return received(pubsub) == b"sentinel"


def multipart(**fields: str) -> bytes:
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    return ("".join(parts) + f"--{BOUNDARY}--\r\n").encode()


def chunked(body: bytes) -> Iterator[bytes]:
    """http.client sends an iterator without a length in chunks."""
    for start in range(0, len(body), 65536):
        yield body[start : start + 65536]


TEXTS = ["disk full", "linha um\nlinha dois", "Olá 🎺 שלום", "a&b=c%+", "\r\n\x00\t", ""]


@pytest.mark.parametrize("text", TEXTS)
def test_a_form_is_published_byte_for_byte(plain_arauto: ArautoServer, listener: PubSub, text: str) -> None:
    answer = publish(plain_arauto, "noticias", text)
    assert (answer.status, answer.json) == (200, {"channel": "noticias", "receivers": 1, "tabs": 0})
    assert received(listener) == text.encode()


@pytest.mark.parametrize("text", TEXTS)
def test_json_is_published_byte_for_byte(plain_arauto: ArautoServer, listener: PubSub, text: str) -> None:
    answer = publish_json(plain_arauto, json.dumps({"channel": "n", "message": text}))
    assert (answer.status, answer.json) == (200, {"channel": "n", "receivers": 1, "tabs": 0})
    assert received(listener) == text.encode()


def test_only_the_pages_own_form_has_its_line_ends_changed(
    plain_arauto: ArautoServer, listener: PubSub
) -> None:
    body = b"channel=n&newlines=lf&message=a%0D%0Ab%0Dc%0Ad"
    assert request(plain_arauto, "POST", "/publish", body, Content_Type=FORM).status == 200
    assert received(listener) == b"a\nb\rc\nd"


def test_multipart_is_published(plain_arauto: ArautoServer, listener: PubSub) -> None:
    answer = request(
        plain_arauto,
        "POST",
        "/publish",
        multipart(channel="n", message="Olá"),
        Content_Type=MULTIPART,
    )
    assert answer.json == {"channel": "n", "receivers": 1, "tabs": 0}
    assert received(listener) == "Olá".encode()


@pytest.mark.parametrize("sure", ["1", "true"])
def test_what_is_protected_is_published_only_when_confirmed(
    start: Start, listener: PubSub, valkey: RedisServer, sure: str
) -> None:
    server = start(REDIS_URL=valkey.url, ARAUTO_PROTECTED="prod.*, exact", ARAUTO_WORKERS="1")
    for channel in ("prod.eu", "exact"):
        for unsure in ("", "&confirmed=", "&confirmed=0"):
            body = f"channel={channel}&message=x{unsure}"
            answer = request(server, "POST", "/publish", body, Content_Type=FORM)
            assert answer.status == 409
            assert answer.error.startswith("The channel is protected: send confirmed=1 if you mean it.")
        assert publish_json(server, json.dumps({"channel": channel, "message": "x"})).status == 409
    assert nothing_received(listener, valkey)
    assert publish(server, "product", "free").status == 200
    assert received(listener) == b"free"
    body = f"channel=prod.eu&message=meant&confirmed={sure}"
    assert request(server, "POST", "/publish", body, Content_Type=FORM).status == 200
    assert received(listener) == b"meant"
    publish_json(server, json.dumps({"channel": "exact", "message": "meant too", "confirmed": True}))
    assert received(listener) == b"meant too"


def test_the_count_is_redis_own_tabs_included(plain_arauto: ArautoServer, listener: PubSub) -> None:
    with open_tab(plain_arauto, "counted"), open_tab(plain_arauto, patterns=("count*",)):
        assert publish(plain_arauto, "counted", "x").json["receivers"] == 3


def test_nobody_was_listening(plain_arauto: ArautoServer) -> None:
    assert publish(plain_arauto, "empty room", "x").json == {
        "channel": "empty room",
        "receivers": 0,
        "tabs": 0,
    }


def test_an_empty_message_reaches_a_tab(plain_arauto: ArautoServer) -> None:
    with open_tab(plain_arauto, "a") as tab:
        publish(plain_arauto, "a", "")
        assert tab.messages(1) == [""]


@pytest.mark.parametrize(
    ("channel", "sentence"),
    [
        ("", "Channel is required."),
        ("x" * 257, "A channel name can have at most 256 bytes."),
        ("é" * 129, "A channel name can have at most 256 bytes."),
        ("a\nb", "A channel name cannot have control characters."),
        ("a\x00", "A channel name cannot have control characters."),
        ("a\x7f", "A channel name cannot have control characters."),
        ("arauto:tabs:channel:a", "Names that begin with arauto:tabs: are reserved for counting pages."),
    ],
)
def test_a_bad_channel_gets_400_and_a_sentence(
    plain_arauto: ArautoServer, listener: PubSub, valkey: RedisServer, channel: str, sentence: str
) -> None:
    for answer in (
        publish(plain_arauto, channel, "x"),
        publish_json(plain_arauto, json.dumps({"channel": channel, "message": "x"})),
    ):
        assert (answer.status, answer.error) == (400, sentence)
    assert nothing_received(listener, valkey)


@pytest.mark.parametrize("channel", ["x" * 256, "é" * 128, "with space", "a*[b]?", "🎺", "</script>"])
def test_an_odd_channel_is_taken_literally(
    plain_arauto: ArautoServer, listener: PubSub, channel: str
) -> None:
    assert publish(plain_arauto, channel, "x").json == {"channel": channel, "receivers": 1, "tabs": 0}


@pytest.mark.parametrize(
    "body",
    ["", "{", "[]", "null", '"x"', "1", '{"channel": 1, "message": "x"}', '{"channel": "a", "message": null}',
     '{"channel": "a"}', '{"message": "x"}', '{"channel": "a", "message": "\\ud800"}',
     '{"channel": "\\ud800", "message": "x"}', '{"channel": "a", "message": NaN}',
     "[" * 100_000, b"\xff\xfe"],
)  # fmt: skip
def test_json_that_says_nothing_gets_400_and_a_sentence(
    plain_arauto: ArautoServer, listener: PubSub, valkey: RedisServer, body: str | bytes
) -> None:
    answer = publish_json(plain_arauto, body)
    assert answer.status == 400
    assert answer.error.endswith((".", "}"))
    assert nothing_received(listener, valkey)


ONE = "Give one of channel, shard and topic: nothing was published."
KIND = (
    "kind says what channel names: channel or shard. Beside shard or topic leave it out."
    " Nothing was published."
)
TOPICS_ALONE = (
    "Only a message to a topic has a key, headers or a partition, or is a tombstone:"
    " leave them out, or give topic."
    " Nothing was published."
)


def test_what_would_be_ignored_is_refused(
    plain_arauto: ArautoServer, listener: PubSub, valkey: RedisServer
) -> None:
    for fields, sentence in (
        *(("channel=a&kind=" + kind, KIND) for kind in ("SHARD", "pattern", "topic", "1")),
        ("shard=a&kind=channel", KIND),
        ("topic=a&kind=shard", KIND),
        ("channel=a&shard=a", ONE),
        ("channel=a&topic=a", ONE),
        ("topic=a", "There is no Kafka here: set KAFKA_URL. Nothing was published."),
        ("channel=a&key=k", TOPICS_ALONE),
        ("channel=a&partition=0", TOPICS_ALONE),
        ("channel=a&newlines=LF", "newlines is lf, or left out: nothing was published."),
    ):
        answer = request(plain_arauto, "POST", "/publish", fields + "&message=x", Content_Type=FORM)
        assert (answer.status, answer.error) == (400, sentence), fields
    assert publish_json(plain_arauto, b'{"channel": "a", "kind": ["shard"], "message": "x"}').error == KIND
    assert nothing_received(listener, valkey)


def test_a_form_without_a_message_gets_400(plain_arauto: ArautoServer) -> None:
    answer = request(plain_arauto, "POST", "/publish", "channel=a", Content_Type=FORM)
    assert (answer.status, answer.error) == (400, "Message is required; it may be empty.")


def test_no_body_gets_400(plain_arauto: ArautoServer) -> None:
    assert request(plain_arauto, "POST", "/publish").error == "Channel is required."


def test_another_content_type_gets_415(plain_arauto: ArautoServer) -> None:
    answer = request(plain_arauto, "POST", "/publish", "<a/>", Content_Type="text/xml")
    assert (answer.status, answer.error) == (415, "Send a form or JSON.")


BODIES: dict[str, tuple[str, Callable[[str], bytes]]] = {
    "urlencoded": (FORM, lambda text: f"channel=a&message={text}".encode()),
    "escaped": (FORM, lambda text: b"channel=a&message=" + b"%78" * len(text)),
    "multipart": (
        f"multipart/form-data; boundary={BOUNDARY}",
        lambda text: multipart(channel="a", message=text),
    ),
    "json": ("application/json", lambda text: json.dumps({"channel": "a", "message": text}).encode()),
    "json escaped": (
        "application/json",
        lambda text: b'{"channel": "a", "message": "' + b"\\u0078" * len(text) + b'"}',
    ),
}


@pytest.mark.parametrize("in_chunks", [False, True], ids=["length", "chunked"])
@pytest.mark.parametrize("kind", BODIES)
def test_the_cap_holds_for_every_kind_of_body(
    plain_arauto: ArautoServer, listener: PubSub, valkey: RedisServer, kind: str, in_chunks: bool
) -> None:
    content_type, write = BODIES[kind]

    def send(size: int) -> tuple[int, str]:
        body = write("x" * size)
        answer = request(
            plain_arauto, "POST", "/publish", chunked(body) if in_chunks else body, Content_Type=content_type
        )
        return answer.status, answer.body.decode()

    status, text = send(MIB + 1)
    assert status == 413
    assert "1048577 bytes, more than the 1048576 allowed: nothing was published." in text
    assert nothing_received(listener, valkey)
    assert send(MIB)[0] == 200
    assert received(listener) == b"x" * MIB


@pytest.mark.parametrize("in_chunks", [False, True], ids=["length", "chunked"])
def test_a_body_far_over_the_cap_gets_413(
    plain_arauto: ArautoServer, listener: PubSub, valkey: RedisServer, in_chunks: bool
) -> None:
    body = b"channel=a&message=" + b"x" * (50 * MIB)
    try:
        answer = request(
            plain_arauto, "POST", "/publish", chunked(body) if in_chunks else body, Content_Type=FORM
        )
        assert answer.status == 413
        assert answer.error.endswith("nothing was published.")
    except ConnectionError:
        pass  # the server answered and closed before all was sent, and the client missed the response
    assert nothing_received(listener, valkey)


def test_an_announced_body_far_over_the_cap_is_refused_unread(plain_arauto: ArautoServer) -> None:
    answer = request(
        plain_arauto, "POST", "/publish", Content_Type=FORM, Content_Length=str(50 * MIB), Connection="close"
    )
    assert (answer.status, answer.error) == (413, "The request is too large: nothing was published.")


def test_a_person_without_javascript_gets_a_page(plain_arauto: ArautoServer) -> None:
    answer = publish(plain_arauto, "empty room", "x", Accept="text/html,application/xhtml+xml,*/*;q=0.8")
    assert answer.headers["content-type"].startswith("text/html")
    assert "Nobody was listening: this message is gone." in answer.body.decode()
