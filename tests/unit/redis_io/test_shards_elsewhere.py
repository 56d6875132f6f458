"""Sharded channels at other nodes: the node that is tried, the time, and the gap."""

from time import monotonic, time
from typing import Any

import pytest

from arauto.protocol.events import Refused, ShardGap
from arauto.redis_io import shards_elsewhere as module
from arauto.redis_io.shards_elsewhere import ShardsElsewhere

OWN: Any = "the page's own subscriber"
OTHER: Any = "another node's"
A, B = b"a", b"b"


@pytest.fixture
def shards() -> ShardsElsewhere:
    found = ShardsElsewhere(OWN, settle=0.5)
    found.give_up(OWN, A, None, "MOVED 7 host:1")
    found.give_up(OWN, B, 1000.0, "")
    return found


def test_what_was_never_there_is_asked_for_at_once_and_what_was_after_a_moment(
    shards: ShardsElsewhere,
) -> None:
    waiting = shards.waiting()
    assert waiting.keys() == {A, B}
    assert waiting[A].retry_at <= monotonic() < waiting[B].retry_at


def test_a_gap_begins_where_it_was_lost_first_and_is_reported_once(shards: ShardsElsewhere) -> None:
    for name in (A, B):
        shards.give(name, OTHER)
    shards.give_up(OTHER, B, 2000.0, "MOVED 9 host:2")
    shards.give(B, OTHER)
    assert shards.confirm(A, OTHER) == []
    (gap,) = shards.confirm(B, OTHER)
    assert isinstance(gap, ShardGap)
    assert (gap.shard, gap.start) == (B, 1000.0)
    assert gap.end == pytest.approx(time(), abs=5)
    assert shards.confirm(B, OTHER) == []
    shards.lose(OTHER, 3000.0, "")
    assert [shard.since for shard in shards.waiting().values()] == [3000.0, 3000.0]


def test_attempts_in_vain_are_made_less_and_less_often(shards: ShardsElsewhere) -> None:
    for _ in range(9):
        shards.give(A, OTHER)
        shards.lose(OTHER, 0.0, "refused")
    shard = shards.waiting()[A]
    assert (shard.since, shard.words) == (None, "refused")
    assert shard.retry_at == pytest.approx(monotonic() + module.LONGEST, abs=1)
    shards.give(A, OTHER)
    shards.confirm(A, OTHER)
    assert shard.attempts == 0


def test_the_page_gets_the_state_of_each(shards: ShardsElsewhere) -> None:
    shards.give(A, OTHER)
    assert shards.states() == []
    shards.confirm(A, OTHER)
    shards.waiting()[B].reported = refused = Refused("shard", B, "away")
    assert shards.states() == [[b"ssubscribe", A, 1], refused]


def test_its_holder_is_asked_again(shards: ShardsElsewhere) -> None:
    """And no other node, or messages would come twice."""
    shards.give(A, OTHER)
    assert [shards.ask(name) for name in (A, B, b"new")] == [OTHER, OWN, OWN]
    assert shards.names() == {A, B}
    shards.confirm(B, OWN)  # its own connection has it now, like all other names
    assert shards.names() == {A}
    assert [shards.drop(name) for name in (A, B)] == [OTHER, OWN]
    shards.give_up(OTHER, A, 1.0, "")  # it is no longer selected
    assert not shards.names()
    assert not shards.has(OTHER)
