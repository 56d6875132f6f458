"""Acknowledgements as text that any program may have written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arauto.protocol.acknowledgements import (
    MAX_BY,
    Acknowledgement,
    is_valid_by,
    printable_by,
    read_acknowledgement,
    read_member,
)
from arauto.protocol.events import Acknowledged, event

ANA = Acknowledgement("1763879938123-41", "Ana Ç", 1763879941500)


def test_what_redis_keeps_is_what_it_announces() -> None:
    member = "1763879938123-41 1763879941500 Ana Ç".encode()
    assert read_member(member) == read_acknowledgement(b"acknowledged " + member) == ANA
    assert read_acknowledgement(b"acknowledged 1763879938123-41 0 ") == ("1763879938123-41", "", 0)


def test_an_event_says_who_has_it_or_nobody() -> None:
    shown = {"type": "acknowledged", "channel": "a", "id": ANA.id}
    assert event(Acknowledged(b"a", ANA), 0, 0) == shown | {"by": "Ana Ç", "since": 1763879941.5}
    assert event(Acknowledged(b"a", Acknowledgement(ANA.id, "", 0)), 0, 0) == shown


@pytest.mark.parametrize(
    "text",
    [
        b"", b"1-1", b"1-1 5", b"1 5 Ana", b"1-1 x Ana", b"1-1 5 A\nB", "1-1 5 a\u202eb".encode(),
        b"1-1 5 " + b"x" * (MAX_BY + 1), b"1-1234567890123456 5 Ana", "1-\u0661 5 Ana".encode(),
    ],
)  # fmt: skip
def test_anything_else_is_nobody(text: bytes) -> None:
    assert read_member(text) is None
    assert read_acknowledgement(b"acknowledged " + text) is None


@given(st.binary(max_size=99))
def test_any_bytes_are_one_or_none(data: bytes) -> None:
    for found in (read_member(data), read_acknowledgement(b"acknowledged " + data)):
        assert found is None or len(found.by) <= MAX_BY
    assert read_acknowledgement(b"appended " + data) is None


@given(st.text(max_size=2 * MAX_BY))
def test_any_name_becomes_one_that_can_be_read(name: str) -> None:
    shown = printable_by(name)
    assert shown == "" or is_valid_by(shown)
