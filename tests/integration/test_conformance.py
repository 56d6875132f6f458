"""The WebSocket server against RFC 6455, byte by byte, on both workers.

The only message of a page is a change of its selection. The confirmation of the channel shows that the
message arrived.
"""

import json
import struct
from collections.abc import Iterator
from unittest.mock import ANY

import pytest

from arauto.settings import WORKERS
from tests.support.http import get
from tests.support.machine_time import MachineTime
from tests.support.raw import (
    BINARY,
    CLOSE,
    PING,
    PONG,
    TEXT,
    Frame,
    RawFeed,
    change,
    close_frame,
    frame,
    raw_feed,
)
from tests.support.redis_servers import RedisServer
from tests.support.servers import ArautoServer
from tests.support.waiting import eventually

NAME = "grüße→😀"
SAID = '{"subscribe":["grüße→😀"]}'.encode()
HEARD = {"type": "subscribe", "channel": NAME, "at": ANY}


@pytest.fixture(scope="module", params=WORKERS)
def server(
    request: pytest.FixtureRequest, valkey: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ArautoServer]:
    log = tmp_path_factory.mktemp("conformance") / "log"
    server = ArautoServer(log, REDIS_URL=valkey.url, ARAUTO_WORKER=request.param)
    yield server
    server.close()
    assert "Traceback" not in server.log


def in_pieces(payload: bytes, size: int) -> bytes:
    """One text message in frames of ``size`` bytes."""
    cuts = range(0, len(payload), size)
    return b"".join(
        frame(TEXT if cut == 0 else 0, payload[cut : cut + size], fin=cut == cuts[-1]) for cut in cuts
    )


def test_control_the_helper_masks_as_the_rfc_says() -> None:
    """The example of section 5.7: a mistake in the helper would hide in all tests below."""
    assert frame(TEXT, b"Hello", mask=b"\x37\xfa\x21\x3d") == bytes.fromhex("818537fa213d7f9f4d5158")


@pytest.mark.parametrize(
    "sent",
    [
        frame(TEXT, SAID),
        frame(TEXT, SAID, mask=b"\0\0\0\0"),
        frame(TEXT, SAID + b" " * (126 - len(SAID))),
        frame(TEXT, SAID + b" " * (65_000 - len(SAID))),
        in_pieces(SAID, 1),
        in_pieces(SAID, 7),
        frame(TEXT, b"", fin=False) + frame(0, SAID, fin=False) + frame(0),
        frame(TEXT, SAID[:9], fin=False) + frame(PING, b"between") + frame(0, SAID[9:]),
        frame(TEXT, SAID[:9], fin=False) + frame(PONG) + frame(PONG, b"unasked") + frame(0, SAID[9:]),
        frame(PONG, b"x" * 125) + frame(TEXT, SAID),
    ],
    ids=[
        "one frame", "a mask of zeros", "126 bytes", "65,000 bytes", "a byte a frame", "through characters",
        "empty fragments", "a ping between", "pongs between", "an unasked pong before",
    ],
)  # fmt: skip
def test_a_message_arrives_in_whatever_frames(server: ArautoServer, sent: bytes) -> None:
    with raw_feed(server) as feed:
        feed.send(sent)
        got = feed.next()
        if got == Frame(PONG, b"between"):
            got = feed.next()
        assert got is not None
        assert json.loads(got.payload) == [HEARD]


def test_a_message_arrives_byte_by_byte(server: ArautoServer) -> None:
    with raw_feed(server) as feed:
        for byte in in_pieces(SAID, 20):
            feed.send(bytes((byte,)))
        assert next(feed.events()) == HEARD


@pytest.mark.parametrize("payload", [b"", b"x", bytes(range(125)), b"\xff" * 125])
def test_a_ping_is_answered_with_its_payload(server: ArautoServer, payload: bytes) -> None:
    with raw_feed(server) as feed:
        feed.send(frame(PING, payload))
        assert feed.next() == Frame(PONG, payload)


def test_ten_pings_at_once_are_answered_in_order(server: ArautoServer) -> None:
    with raw_feed(server) as feed:
        feed.send(b"".join(frame(PING, b"%d" % n) for n in range(10)))
        assert [feed.next() for _ in range(10)] == [Frame(PONG, b"%d" % n) for n in range(10)]


def ending_after(server: ArautoServer, broken: bytes) -> Frame:
    """The close frame of the server after these bytes."""
    with raw_feed(server) as feed:
        feed.send(broken)
        last = feed.ending()
        assert last is not None
        return last


@pytest.mark.parametrize(
    "broken",
    [
        *(frame(TEXT, SAID, rsv=rsv) for rsv in range(1, 8)),
        *(frame(opcode, SAID) for opcode in (0x3, 0x4, 0x5, 0x6, 0x7, 0xB, 0xC, 0xD, 0xE, 0xF)),
        frame(PING, b"x", rsv=4),
        frame(CLOSE, b"", rsv=1),
        frame(PING, b"x" * 126),
        frame(PONG, b"x" * 126),
        frame(CLOSE, struct.pack(">H", 1000) + b"x" * 124),
        frame(PING, b"", fin=False) + frame(0, b""),
        frame(PONG, b"", fin=False),
        frame(CLOSE, b"", fin=False),
        frame(0, SAID),
        frame(0, SAID, fin=False),
        frame(TEXT, SAID) + frame(0, b"after a whole message"),
        frame(TEXT, SAID, fin=False) + frame(TEXT, SAID),
        frame(TEXT, SAID, fin=False) + frame(BINARY, SAID),
        frame(TEXT, SAID, mask=None),
        frame(PING, b"", mask=None),
        frame(TEXT, SAID, length=b"\x7e\x00" + bytes((len(SAID),))),
        frame(TEXT, SAID, length=b"\x7f" + struct.pack(">Q", len(SAID))),
        frame(TEXT, b"x" * 300, length=b"\x7f" + struct.pack(">Q", 300)),
        frame(TEXT, b"", length=b"\x7f" + struct.pack(">Q", 1 << 63)),
        frame(TEXT, b"", length=b"\x7f" + b"\xff" * 8),
    ],
    ids=lambda broken: broken[:14].hex(),
)
def test_what_breaks_the_framing_ends_with_1002(server: ArautoServer, broken: bytes) -> None:
    last = ending_after(server, broken)
    assert last.code == 1002
    assert last.reason


@pytest.mark.parametrize(
    "broken",
    [
        frame(TEXT, b"\xff"),
        frame(TEXT, SAID[:-5]),  # ends inside a character
        frame(TEXT, b"\xc0\x80"),  # overlong
        frame(TEXT, b"\xed\xa0\x80"),  # a surrogate
        frame(TEXT, b"\xf4\x90\x80\x80"),  # beyond Unicode
        frame(TEXT, b"\xe2\x82", fin=False) + frame(0, b"x"),
        frame(CLOSE, struct.pack(">H", 1000) + b"\xff"),
        frame(CLOSE, struct.pack(">H", 1000) + "é".encode()[:1]),
    ],
    ids=lambda broken: broken[:14].hex(),
)
def test_what_is_not_utf8_ends_with_1007(server: ArautoServer, broken: bytes) -> None:
    assert ending_after(server, broken).code == 1007


def test_text_that_cannot_become_utf8_fails_before_it_is_complete(server: ArautoServer) -> None:
    with raw_feed(server) as feed:
        feed.send(frame(TEXT, b'{"subscribe":["\xf4\x90', fin=False))  # the rest never comes
        last = feed.ending()
        assert last is not None
        assert last.code == 1007


@pytest.mark.parametrize(
    "code", [None, 1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4999]
)
def test_a_close_is_answered_with_its_code(server: ArautoServer, code: int | None) -> None:
    with raw_feed(server) as feed:
        feed.send(close_frame(code, b"" if code is None else "até logo".encode()))
        assert feed.next() == Frame(
            CLOSE, b"" if code is None else struct.pack(">H", code) + "até logo".encode()
        )
        assert feed.rest() == b""


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535])
def test_a_close_with_a_code_that_nobody_may_send_ends_with_1002(server: ArautoServer, code: int) -> None:
    with raw_feed(server) as feed:
        feed.send(close_frame(code))
        last = feed.ending()
        assert last is not None
        assert last.code == 1002


def test_a_close_of_one_byte_ends_with_1002(server: ArautoServer) -> None:
    with raw_feed(server) as feed:
        feed.send(frame(CLOSE, b"\x03"))
        last = feed.ending()
        assert last is not None
        assert last.code == 1002


def test_a_close_with_the_longest_reason_is_answered_with_it(server: ArautoServer) -> None:
    with raw_feed(server) as feed:
        feed.send(close_frame(1000, b"r" * 123))
        assert feed.next() == Frame(CLOSE, struct.pack(">H", 1000) + b"r" * 123)


@pytest.mark.parametrize(
    "after",
    [
        frame(TEXT, SAID) + frame(PING, b"late"),
        close_frame(1001),
        b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        frame(TEXT, SAID, rsv=7),
        b"\x00" * 100_000,
    ],
    ids=["frames", "another close", "HTTP", "a broken frame", "zeros"],
)
@pytest.mark.parametrize("end", [close_frame(), frame(TEXT, b"", rsv=1)], ids=["a close", "a broken frame"])
def test_nothing_after_the_end_is_answered(server: ArautoServer, end: bytes, after: bytes) -> None:
    with raw_feed(server) as feed:
        feed.send(end + after)
        got = feed.next()
        assert got is not None
        assert got.opcode == CLOSE
        feed.send_if_open(after)
        assert feed.rest() == b""


def test_no_http_is_answered_after_our_own_close(server: ArautoServer) -> None:
    """A proxy that forwards a tunnel must not reach an HTTP server through it."""
    with raw_feed(server) as feed:
        feed.send(frame(TEXT, b"nonsense"))
        got = feed.next()
        assert got is not None
        assert got.code == 1008
        feed.send(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        feed.send_if_open(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert b"HTTP/1.1" not in feed.rest()


@pytest.mark.parametrize(
    "extra",
    [
        frame(TEXT, SAID),
        close_frame(),
        frame(TEXT, SAID)[:5],
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
    ids=["a message", "a close", "half a frame", "HTTP"],
)
def test_what_is_sent_before_the_handshake_is_answered_is_not_read(
    server: ArautoServer, extra: bytes
) -> None:
    """RFC 6455 forbids it (section 4.1: the client waits); the web server's parser discards it."""
    with raw_feed(server, extra=extra) as feed:
        feed.say(subscribe=["later"])
        assert next(feed.events()) == {"type": "subscribe", "channel": "later", "at": ANY}
        feed.send(close_frame())
        assert b"HTTP/1.1" not in feed.rest()


def test_a_message_over_the_limit_ends_with_1009(server: ArautoServer) -> None:
    with raw_feed(server) as feed:
        feed.send(frame(TEXT, b"x" * 65_537))
        last = feed.ending()
        assert last is not None
        assert (last.code, last.reason) == (1009, "A message may have at most 65536 characters.")


def test_a_header_that_announces_exabytes_costs_nothing(server: ArautoServer) -> None:
    before = memory(server)
    with raw_feed(server) as feed:
        feed.send(frame(TEXT, b"", length=b"\x7f" + struct.pack(">Q", 1 << 62)))
        feed.send(b"x" * 70_000)
        last = feed.ending()
        assert last is not None
        assert last.code == 1009
    assert memory(server) - before < 5_000_000


@pytest.mark.parametrize(
    "endless",
    [
        frame(0, b"x", fin=False),
        frame(0, b"", fin=False),
        frame(PING, b"x" * 125),
        frame(PONG, b""),
        frame(PONG, b"")[:2] + b"\0\0\0\0",
        frame(TEXT, change(subscribe=["raw"])),
    ],
    ids=["fragments of a byte", "empty fragments", "pings", "pongs", "pongs as browsers send", "messages"],
)
def test_a_flood_ends_with_1008_and_costs_no_memory(server: ArautoServer, endless: bytes) -> None:
    before = memory(server)
    with raw_feed(server) as feed:
        feed.send(frame(TEXT, b"", fin=False) if not endless[0] else b"")
        for _ in range(200):
            feed.send_if_open(endless * 50)
        last = feed.ending()
        assert last is not None
        assert last.code == 1008
        assert last.reason == "Over 500 frames in 10 seconds: say several names in one message."
    assert memory(server) - before < 10_000_000
    assert get(server, "/healthz").status == 200


def test_somebody_who_clicks_without_rest_is_no_flood(server: ArautoServer) -> None:
    with raw_feed(server) as feed:
        for n in range(200):
            feed.say(subscribe=[f"c{n}"], unsubscribe=[f"c{n - 1}"])
        events = feed.events()
        while next(events) != {"type": "subscribe", "channel": "c199", "at": ANY}:
            pass
        feed.send(close_frame())
        last = feed.ending()
        assert last is not None
        assert last.code == 1000


@pytest.mark.alone
def test_a_hundred_that_send_too_much_all_get_a_reason_and_leave_nothing(
    server: ArautoServer, valkey: RedisServer, machine: MachineTime
) -> None:
    feeds = [RawFeed(server).confirmed() for _ in range(100)]
    for feed in feeds:
        feed.send(frame(TEXT, b"x" * 65_537))
    for feed in feeds:
        last = feed.ending()
        assert last is not None
        assert last.code == 1009
        feed.close()
    began = machine()
    eventually(lambda: valkey.subscribers() == 0)
    assert machine() - began < 2


def memory(server: ArautoServer) -> int:
    return sum(worker.memory_info().rss for worker in server.workers())
