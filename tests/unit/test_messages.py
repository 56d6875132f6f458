import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arauto.logs import FIRST, Hole, Id, Position
from arauto.messages import (
    Followed,
    Gap,
    Item,
    LogGap,
    Lost,
    Numbered,
    Refused,
    Unfollowed,
    encode,
    event,
    hole_event,
    quoted,
)

CAP = 64
POSITION = b"late 0123456789abcdef.1-1 "


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
        lambda name: Numbered(name, Id(1, 0), b""),
        lambda name: Numbered(name, Id(1, 0), None),
        lambda name: LogGap(name, Hole(Id(1, 0), 1, 2, "log")),
        lambda name: Followed(name, Position("e", Id(1, 0))),
        lambda name: Unfollowed(name),
    ],
)
def test_names_that_look_the_same_are_told_apart(make: Callable[[bytes], Item]) -> None:
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


EPOCH = "0123456789abcdef"


def marker(channel: bytes, words: str) -> Item:
    return [b"smessage", b"arauto:ids:" + channel, words.encode()]


def test_an_id_goes_with_the_message_that_it_came_with() -> None:
    following = marker(b"a", f"next {EPOCH}.1700-8")
    (event,) = decoded(following, [b"message", b"a", b"x"])
    assert event == {"type": "message", "channel": "a", "at": 12.5, "data": "x", "id": "1700-8"}
    alone = {"type": "recorded", "channel": "a", "id": "1700-8", "next": True}
    assert decoded(following) == [alone]
    assert decoded(following, [b"message", b"b", b"x"])[0] == alone


def test_what_recorders_say() -> None:
    late, new = marker(b"a", f"late {EPOCH}.1700-8 3"), marker(b"a", f"gap {EPOCH}.1700-11")
    assert decoded(late, new) == [
        {"type": "recorded", "channel": "a", "id": "1700-8", "count": 3},
        {"type": "recorded", "channel": "a", "id": "1700-11", "count": 0, "break": True, "epoch": EPOCH},
    ]
    stop = marker(b"a", "stop 1700500 OOM command not allowed")
    told = {"type": "stopped", "channel": "a", "from": 1700.5, "error": "OOM command not allowed"}
    assert decoded(stop) == [told]


@pytest.mark.parametrize(
    "words",
    ["", "late", "late x 3", f"late {EPOCH}.1-1 x", "\xff", f"next {EPOCH}.1-1 2 3 x", "stop", "stop x y"],
)
def test_the_words_of_a_stranger_do_no_harm(words: str) -> None:
    stray: Item = [b"smessage", b"arauto:feed:0123", f"done 0123.1 {EPOCH}.1-1 a".encode()]
    assert decoded(stray) == [{"type": "heartbeat", "at": 12.5}]
    shown = decoded(marker(b"a", words), [b"message", b"a", b"x"])
    assert shown[-1]["data"] == "x"


def test_a_hole_between_two_clocks_does_not_end_before_it_begins() -> None:
    told = hole_event(b"a", Hole(FIRST, 2_000, 1_500, "unrecorded"))
    assert (told["from"], told["to"]) == (2.0, 2.0)


@pytest.mark.parametrize(
    "word",
    [
        b"stop " + b"9" * 5_000,
        b"stop 1e5 x",
        *(POSITION + b for b in (b"9" * 30, b"-5", b"x")),
        b"\xff",
        b"",
        b" ",
    ],
)
def test_the_words_of_a_stranger_about_a_log_are_not_told(word: bytes) -> None:
    assert decoded([b"smessage", b"arauto:ids:a", word]) == [{"type": "heartbeat", "at": 12.5}]
