"""No message makes the filter raise, or take longer than its length allows."""

import re
from time import process_time

import pytest

from arauto.filter.letters import SEVERAL, normal, unaccented
from arauto.filter.query import read_filter

FILTERS = [
    "disk", '"a b"', "a=b", "a.b.c:*x*y*z*", "has:a", "severity>=error", "a>1", "-a", "a|b|c", "x" * 500,
    "a." * 248 + "a:1", "0[0]", "a[99999999999999999999]:1", "a:(b OR (c -d))",
]  # fmt: skip
MESSAGES = [
    b"", b"\xff\xfe", b"\x00", b"{", b'"', b'{"a":', b"[" * 100_000, b'{"a":' * 100_000,
    b"[" * 900 + b"]" * 900,
    b'[{"a":' * 400 + b"1" + b"}]" * 400, b'"{\\"a\\":' * 50_000, b'{"a":"\\ud83d"}', b'{"a":1e999}',
    b'{"a":NaN}',
    b'{"a":-0}', b'{"a":' + b"9" * 100_000 + b"}", b'{"a":"' + b"9" * 100_000 + b'"}', b"a=" * 100_000,
    b'{"a":' + b"[" * 501 + b"1" + b"]" * 501 + b"}", b"\x1b[" + b"0" * 100_000, b"\x1b]" * 50_000,
    b'{"alerts":[[],{},{"labels":[]}],"status":"firing","severity":{}}',
    b'{"repository":{"full_name":"a"},"issue":[]}',
    b'{"severity":[],"level":true,"priority":1e400}', b'{"level":"' + b"0" * 5_000 + b'"}', b"{}" * 50_000,
    "a\u0301\u0316".encode() * 50_000, b"a" + "\u0301\u0316".encode() * 50_000,
    "\U0001f600".encode() * 50_000,
    b'["' + b"\\ud83d\\ude00" * 20_000 + b'"]', b"\\u" * 100_000, b'{"a":"' + b"\\" * 100_001,
    b'{"a.b.c":{"b":1}}',
]  # fmt: skip


@pytest.mark.parametrize("text", FILTERS, ids=range(len(FILTERS)))
def test_no_message_raises_or_takes_long(text: str) -> None:
    wanted = read_filter(text)
    began = process_time()
    for message in MESSAGES:
        assert wanted.passes("a", message) in (True, False)
    assert process_time() - began < 20  # quadratic time would take minutes


def test_bytes_that_are_no_text_are_found_by_their_channel_only() -> None:
    assert read_filter("news -disk").passes("news", b"disk \xff")
    assert not read_filter("disk").passes("news", b"disk \xff")


def test_lists_are_looked_into_as_deep_as_in_the_page() -> None:
    wanted = read_filter("a:1")
    assert wanted.passes("", b'{"a":' + b"[" * 499 + b"1" + b"]" * 499 + b"}")
    assert not wanted.passes("", b'{"a":' + b"[" * 500 + b"1" + b"]" * 500 + b"}")


def test_no_more_than_thirty_accents_on_a_letter_are_ordered() -> None:
    assert len(normal("a" + "\u0301\u0316" * 50_000)) <= 31
    assert unaccented("a" + "\u0301\u0316" * 50_000 + "é") == "ae"


def test_letters_that_stand_for_several_are_known() -> None:
    several = [char for char in map(chr, range(0x20000)) if len(char.casefold()) > 1]
    assert [char for char in several if not re.match(f"[{SEVERAL}]", char)] == []
