import base64
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from arauto.messages import Gap, Item, Lost, Refused, encode, event

CAP = 64


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
        {"type": "subscribe", "channel": "a"},
        {"type": "punsubscribe", "pattern": "a*"},
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
