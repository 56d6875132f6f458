import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arauto.protocol.events import (
    Followed,
    Gap,
    Halted,
    Item,
    LogGap,
    Lost,
    Numbered,
    Refused,
    Unfollowed,
    encode,
    event,
    hole_event,
)
from arauto.protocol.json_members import quoted
from arauto.protocol.log_entries import FIRST, Hole, Id
from arauto.protocol.log_position import Position

CAP = 64
HERE = Position("0af1", 8, 1700)


def decoded(*batch: Item, limit: int = CAP) -> list[dict[str, Any]]:
    return list(json.loads(encode(list(batch), 12.5, limit)))


def test_a_message() -> None:
    assert decoded([b"message", b"a", "Olá".encode()]) == [
        {"type": "message", "channel": "a", "data": "Olá", "at": 12.5}
    ]


def test_a_message_by_pattern() -> None:
    assert decoded([b"pmessage", b"a*", b"ab", b"x"]) == [
        {"type": "pmessage", "pattern": "a*", "channel": "ab", "data": "x", "at": 12.5}
    ]


def test_a_sharded_message_has_no_channel() -> None:
    """So a client that looks for a channel's messages does not mistake it for one."""
    assert decoded([b"ssubscribe", b"a", 1], [b"smessage", b"a", b"x"], Refused("shard", b"a", "no")) == [
        {"type": "ssubscribe", "shard": "a", "at": 12.5},
        {"type": "smessage", "shard": "a", "data": "x", "at": 12.5},
        {"type": "refused", "shard": "a", "error": "no"},
    ]


def test_confirmations_name_a_channel_or_a_pattern() -> None:
    assert decoded([b"subscribe", b"a", 1], [b"punsubscribe", b"a*", 0]) == [
        {"type": "subscribe", "channel": "a", "at": 12.5},
        {"type": "punsubscribe", "pattern": "a*", "at": 12.5},
    ]


def test_notices() -> None:
    assert decoded(
        Lost(1.5, "gone"),
        Gap(1.5, 2.5),
        Refused("channel", b"a", "NOPERM x"),
        Refused("", b"", "WRONGPASS x"),
    ) == [
        {"type": "reconnecting", "from": 1.5, "reason": "redis", "detail": "gone"},
        {"type": "gap", "from": 1.5, "to": 2.5, "reason": "redis"},
        {"type": "refused", "channel": "a", "error": "NOPERM x"},
        {"type": "refused", "error": "WRONGPASS x"},
    ]


def test_a_channel_that_is_not_text_stays_visible() -> None:
    assert event([b"message", b"a\xff", b""], 0, CAP)["channel"] == "a\\xff"


@pytest.mark.parametrize(
    "make",
    [
        lambda name: [b"message", name, b""],
        lambda name: [b"pmessage", b"*", name, b""],
        lambda name: [b"subscribe", name, 1],
        lambda name: Refused("channel", name, "no"),
        lambda name: Numbered(name, HERE, b""),
        lambda name: LogGap(name, Hole(Id(1, 0), 1, 2, "log")),
        lambda name: Followed(name, HERE),
        lambda name: Halted(name, 0, "OOM"),
        lambda name: Unfollowed(name),
    ],
)
def test_names_that_look_the_same_are_distinguished(make: Callable[[bytes], Item]) -> None:
    shown, twin = (event(make(name), 0, CAP) for name in (b"a\xff", b"a\\xff"))
    assert shown["channel"] == twin["channel"]
    assert base64.b64decode(shown["channel_base64"]) == b"a\xff"
    assert "channel_base64" not in twin
    assert quoted(b"a\xff") != quoted(b"a\\xff")


def test_the_cut_does_not_go_through_a_character() -> None:
    shown = event([b"message", b"a", b"x" + "é".encode() * CAP], 0, CAP)
    assert shown["data"] == "x" + "é" * ((CAP - 1) // 2)
    assert (shown["truncated"], shown["size"]) == (True, 1 + 2 * CAP)


def test_a_cut_binary_message_says_both() -> None:
    shown = event([b"message", b"a", b"\xff" * (CAP + 1)], 0, CAP)
    assert shown["data"] == base64.b64encode(b"\xff" * CAP).decode()
    assert (shown["encoding"], shown["truncated"], shown["size"]) == ("base64", True, CAP + 1)


@given(st.binary(max_size=2 * CAP), st.binary(max_size=20))
def test_any_bytes_make_valid_json_that_gives_them_back(data: bytes, channel: bytes) -> None:
    (shown,) = decoded([b"message", channel, data])
    size = shown.get("size", len(data))
    assert size == len(data)
    if shown.get("encoding") == "base64":
        assert base64.b64decode(shown["data"]) == data[:CAP]
    elif shown.get("truncated"):
        assert data[:CAP].startswith(shown["data"].encode())
        assert len(data[:CAP]) - len(shown["data"].encode()) < 4
    else:
        assert shown["data"].encode() == data


names = st.binary(max_size=40)
moments = st.floats(0, 4e9)
items = st.one_of(
    st.tuples(st.just(b"message"), names, st.binary(max_size=2 * CAP)).map(list),
    st.tuples(st.just(b"pmessage"), names, names, st.binary(max_size=2 * CAP)).map(list),
    st.tuples(
        st.sampled_from([b"subscribe", b"unsubscribe", b"psubscribe", b"punsubscribe"]),
        names,
        st.integers(0, 100),
    ).map(list),
    st.builds(Lost, moments, st.text()),
    st.builds(Gap, moments, moments),
    st.builds(Refused, st.sampled_from(["channel", "pattern", ""]), names, st.text()),
)


@given(st.lists(items, max_size=8), moments, st.integers(0, 3 * CAP))
def test_any_batch_is_one_json_array_with_an_event_for_each(batch: list[Item], at: float, limit: int) -> None:
    given = encode(batch, at, limit)
    shown = json.loads(given.decode())
    assert len(shown) == len(batch)
    for event_ in shown:
        assert all(name in event_ for name in _REQUIRED[event_["type"]])
        assert len(event_.get("data", "")) <= max(limit, limit * 4 / 3 + 4)


_REQUIRED = {
    "message": ("channel", "data", "at"),
    "pmessage": ("pattern", "channel", "data", "at"),
    "subscribe": ("channel", "at"),
    "unsubscribe": ("channel", "at"),
    "psubscribe": ("pattern", "at"),
    "punsubscribe": ("pattern", "at"),
    "reconnecting": ("from", "reason", "detail"),
    "gap": ("from", "to", "reason"),
    "refused": ("error",),
}


def test_a_message_that_is_in_a_log_says_where() -> None:
    shown = {"type": "message", "channel": "a", "id": "1700-8", "data": "x"}
    assert decoded(Numbered(b"a", HERE, b"x")) == [shown | {"at": 12.5}]
    assert decoded(Numbered(b"a", HERE, b"x", 1700)) == [shown | {"at": 1.7, "past": True}]


def test_what_is_said_of_a_log() -> None:
    place = {"type": "following", "channel": "a", "epoch": "0af1", "id": "1700-8"}
    assert decoded(Followed(b"a", HERE)) == [place]
    assert decoded(Followed(b"a", HERE, 1500)) == [place | {"since": 1.5}]
    assert decoded(Followed(b"a", None)) == [{"type": "following", "channel": "a"}]
    event = {"type": "stopped", "channel": "a", "from": 1700.5, "error": "OOM command not allowed"}
    assert decoded(Halted(b"a", 1700500, "OOM command not allowed")) == [event]
    assert decoded(Unfollowed(b"a")) == [{"type": "unrecorded", "channel": "a"}]


def test_a_hole_between_two_clocks_does_not_end_before_it_begins() -> None:
    event = hole_event(b"a", Hole(FIRST, 2_000, 1_500, "unrecorded"))
    assert (event["from"], event["to"]) == (2.0, 2.0)
