import json

import pytest

from arauto.protocol.selection import Change, Selection
from arauto.protocol.validation import MAX_SELECTION, BadSelection, read_change, select


def test_a_shard_is_not_the_channel_of_its_name() -> None:
    selection = select(["a"], ["a"], ["a", "a", "a*["])
    assert selection == Selection((b"a",), (b"a",), (b"a", b"a*["))
    assert selection.size == 4


def test_a_change_names_shards() -> None:
    assert read_change('{"ssubscribe": ["a"], "sunsubscribe": ["b"]}') == Change(
        ssubscribe=(b"a",), sunsubscribe=(b"b",)
    )


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "Channel is required."),
        ("x" * 257, "A channel name can have at most 256 bytes."),
        ("a\n", "A channel name cannot have control characters."),
        ("arauto:words:0:{a}", "Sharded channels that begin with arauto: are reserved for recordings."),
    ],
)
def test_names_that_no_shard_can_have(name: str, sentence: str) -> None:
    for refused in (lambda: select([], [], [name]), lambda: read_change(json.dumps({"ssubscribe": [name]}))):
        with pytest.raises(BadSelection, match=sentence.replace(".", "[.]")):
            refused()


def test_all_kinds_count_together() -> None:
    with pytest.raises(BadSelection, match="at most 100"):
        select(["a"], ["b"], [str(n) for n in range(MAX_SELECTION - 1)])
