"""Wherever the bytes are cut between reads, the replies are those of one parser that had all bytes."""

import itertools
from typing import Any

import hiredis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arauto.protocol.events import Item
from arauto.redis_io import resp_parser
from arauto.redis_io.resp_parser import Parser

names = st.binary(max_size=5)
messages = st.lists(st.tuples(names, st.binary(max_size=200)), max_size=8)


def resp(channel: bytes, data: bytes) -> bytes:
    return b"*3\r\n$7\r\nmessage\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n" % (len(channel), channel, len(data), data)


@given(messages, st.lists(st.integers(min_value=0, max_value=2000), max_size=6), st.integers(1, 3))
def test_cuts_anywhere_change_nothing(
    sent: list[tuple[bytes, bytes]], cuts: list[int], subscribers: int
) -> None:
    stream = b"".join(resp(*message) for message in sent)
    places = [0, *sorted(cuts), len(stream)]
    chunks = [stream[a:b] for a, b in itertools.pairwise(places)]
    for _ in range(subscribers):
        parser = Parser()
        got = [reply for chunk in chunks if chunk for reply in parser.parse(chunk)]
        assert got == [[b"message", channel, data] for channel, data in sent]


PONG = b"*2\r\n$4\r\npong\r\n$4\r\nlook\r\n"


def test_messages_around_the_reply_to_a_probe_are_those_of_others() -> None:
    data = resp(b"a", b"beside a pong")
    known = Parser().parse(data)
    *messages, pong = Parser().parse(data + PONG)
    assert pong == [b"pong", b"look"]
    assert resp_parser.shared(messages) is known
    unknown: list[Item] = [[b"message", b"a", b"not seen"]]
    assert resp_parser.shared(unknown) is unknown


def test_a_piece_with_the_reply_to_a_probe_takes_no_others_place() -> None:
    data = resp(b"a", b"for all")
    known = Parser().parse(data)
    for number in range(50):
        Parser().parse(resp(b"a", b"%d" % number) + PONG)
    assert Parser().parse(data) is known


def test_equal_bytes_are_parsed_once() -> None:
    data = resp(b"a", b"the same for all")
    assert Parser().parse(data) is Parser().parse(bytes(data))


def test_the_same_bytes_after_a_beginning_are_something_else() -> None:
    whole = resp(b"a", b"x")
    outer = b"*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$%d\r\n" % len(whole)
    assert Parser().parse(whole) == [[b"message", b"a", b"x"]]
    parser = Parser()
    assert parser.parse(outer) == []
    assert parser.parse(whole) == []
    assert parser.parse(b"\r\n") == [[b"message", b"a", whole]]
    assert parser.parse(whole) == [[b"message", b"a", b"x"]]


REPLIES = [
    (resp(b"a", b"x"), [b"message", b"a", b"x"]),
    (b"*4\r\n$8\r\npmessage\r\n$2\r\na*\r\n$1\r\na\r\n$0\r\n\r\n", [b"pmessage", b"a*", b"a", b""]),
    (b"*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:12\r\n", [b"subscribe", b"a", 12]),
    (b"*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n", [b"unsubscribe", None, 0]),
    (b"*2\r\n$4\r\npong\r\n$0\r\n\r\n", [b"pong", b""]),
    (b"+PONG\r\n", b"PONG"),
]


@given(st.lists(st.sampled_from(REPLIES), min_size=1), st.data())
def test_after_every_kind_of_reply_the_connection_shares_again(
    sent: list[tuple[bytes, object]], data: st.DataObject
) -> None:
    """A parser that miscounts would need its own reader forever."""
    stream = b"".join(raw for raw, _ in sent)
    cut = data.draw(st.integers(0, len(stream)))
    parser = Parser()
    got = [reply for chunk in (stream[:cut], stream[cut:]) if chunk for reply in parser.parse(chunk)]
    assert got == [reply for _, reply in sent]
    shared = resp(b"a", b"for all")
    assert parser.parse(shared) is Parser().parse(shared)


def test_an_error_is_counted_too() -> None:
    parser = Parser()
    (error,) = parser.parse("-NOPERM não\r\n".encode())
    assert str(error) == "NOPERM não"
    shared = resp(b"a", b"for all")
    assert parser.parse(shared) is Parser().parse(shared)


def test_a_reader_that_has_grown_is_not_kept() -> None:
    """One large message to a thousand tabs must not leave a thousand large buffers."""
    data = resp(b"a", b"x" * 100_000)
    for _ in range(50):
        parser = Parser()
        assert parser.parse(data[:65536]) == []
        assert parser.parse(data[65536:]) == [[b"message", b"a", b"x" * 100_000]]
        assert parser.at_boundary
    assert len(resp_parser._spare) <= resp_parser._REMEMBERED


def test_what_is_not_resp_raises_and_spoils_no_other_connection() -> None:
    with pytest.raises(hiredis.ProtocolError):
        Parser().parse(b"?nonsense\r\n")
    assert Parser().parse(resp(b"a", b"x")) == [[b"message", b"a", b"x"]]


def test_subscribers_that_lag_read_equal_pieces() -> None:
    """More bytes wait than a read takes, and each piece ends inside a reply."""
    stream = b"".join(resp(b"a", b"%05d" % number * 20) for number in range(3000))

    def read(first: int) -> list[list[Item]]:
        parser, at = Parser(), 0
        batches: list[list[Item]] = []
        while at < len(stream):
            size = parser.wanted if batches else first
            batches.append(parser.parse(stream[at : at + size]))
            at += size
        return batches

    one, other = read(65536), read(65536)
    assert len(one) > 4
    assert all(batch is same for batch, same in zip(one, other, strict=True))
    assert [reply for batch in read(1000) for reply in batch] == [reply for batch in one for reply in batch]


def test_what_follows_a_large_reply_is_shared() -> None:
    large, small = resp(b"a", b"x" * 200_000), resp(b"a", b"small")
    stream, parser = large + small + small[:10], Parser()
    got: list[Any] = []
    for at in range(0, len(stream), 65536):
        got += parser.parse(stream[at : at + 65536])
    assert [len(reply[2]) for reply in got] == [200_000, 5]
    assert not parser.at_boundary
    assert parser.parse(small[10:]) is Parser().parse(small)


def test_large_replies_come_whole_to_each_subscriber() -> None:
    stream = b"".join(resp(b"a", b"%d" % number * 100_000) for number in range(5))
    for _ in range(3):
        parser, at = Parser(), 0
        got: list[Any] = []
        while at < len(stream):
            assert parser.wanted > 0
            got += parser.parse(stream[at : at + (size := parser.wanted)])
            at += size
        assert [reply[2] for reply in got] == [b"%d" % number * 100_000 for number in range(5)]
