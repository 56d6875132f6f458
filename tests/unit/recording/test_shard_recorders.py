"""One recorder for each shard, however the shards change."""

from typing import Any
from unittest.mock import MagicMock

import pytest

from arauto.recording import shard_recorders as shard_recorders_module
from arauto.recording.cluster_store import ClusterStore, slot_of
from arauto.recording.shard_recorders import ShardRecorders
from arauto.redis_io.cluster_map import Shard
from arauto.redis_io.redis_url import Address
from tests.support.cluster_doubles import A, B, C, FakeLink, shard

D = ("d", 4)


class Recorder:
    """A recorder that only starts and stops."""

    def __init__(self, recording: Any, *_: object) -> None:
        self.recording = recording
        self.candidate = MagicMock(token=0)
        self.is_running = False
        self.wakes = 0
        self.error = ""

    def start(self) -> None:
        self.is_running = True

    def end(self) -> None:
        self.is_running = False

    def wake(self) -> None:
        self.wakes += 1

    def why_not(self, channel: bytes) -> str:
        return f"of {self.recording.shard.address[0]}"


class Made(ShardRecorders):
    def __init__(self) -> None:
        self.link = FakeLink()
        recording = MagicMock(store=ClusterStore(self.link, 1, 1), error="nobody")
        super().__init__(recording, self.link, MagicMock(), MagicMock(), MagicMock())
        self.made: list[Recorder] = []

    def follow(self, *shards: Shard) -> list[tuple[Address, int]]:
        """The nodes with recorders, each with the lowest slot of its shard."""
        self._follow(list(shards))
        found: list[Any] = [one for _, one in self._recorders.values()]
        self.made += [one for one in found if one not in self.made]
        return sorted(
            (one.recording.shard.address, one.recording.shard.first) for one in self.made if one.is_running
        )


@pytest.fixture
def recorders(monkeypatch: pytest.MonkeyPatch) -> Made:
    monkeypatch.setattr(shard_recorders_module, "RecorderThread", Recorder)
    return Made()


THREE = (shard(A, 0, 5000), shard(B, 5000, 10_000), shard(C, 10_000, 16_384))


def test_each_shard_has_one_and_keeps_it(recorders: Made) -> None:
    assert recorders.follow(*THREE) == recorders.follow(*THREE) == [(A, 0), (B, 5000), (C, 10_000)]
    assert len(recorders.made) == 3


def test_a_new_master_gets_one_and_the_old_one_ends(recorders: Made) -> None:
    recorders.follow(*THREE)
    assert recorders.follow(shard(D, 0, 5000), *THREE[1:]) == [(B, 5000), (C, 10_000), (D, 0)]


def test_while_nobody_has_its_slots_a_recorder_goes_on_trying(recorders: Made) -> None:
    recorders.follow(*THREE)
    assert recorders.follow(*THREE[1:]) == [(A, 0), (B, 5000), (C, 10_000)]
    assert recorders.follow() == [(A, 0), (B, 5000), (C, 10_000)]


def test_a_shard_with_another_lowest_slot_has_another_lease(recorders: Made) -> None:
    recorders.follow(*THREE)
    assert recorders.follow(THREE[0], shard(B, 6000, 10_000), shard(C, 10_000, 16_384)) == [
        (A, 0),
        (B, 6000),
        (C, 10_000),
    ]
    assert len(recorders.made) == 4


def test_a_recorder_learns_of_other_slots(recorders: Made) -> None:
    recorders.follow(*THREE)
    grown = Shard(A, (range(5000), range(9000, 10_000)))
    recorders.follow(grown, shard(B, 5000, 9000), THREE[2])
    assert recorders.made[0].recording.slots == grown.slots
    assert len(recorders.made) == 3


def test_why_a_channel_is_not_recorded_is_known_to_its_shard(recorders: Made) -> None:
    assert recorders.why_not(b"b") == "nobody"
    recorders.follow(*THREE)
    assert [recorders.why_not(name) for name in (b"b", b"c", b"a")] == ["of a", "of b", "of c"]


def test_a_process_tidies_what_it_records(recorders: Made) -> None:
    recorders.follow(*THREE)
    assert not any(map(recorders._has, (b"a", b"b", b"c")))
    recorders.made[0].candidate.token = 7
    assert [name for name in (b"a", b"b", b"c") if recorders._has(name)] == [b"b"]
    assert THREE[0].has(slot_of(b"b"))


def test_all_are_woken_and_the_shared_keys_are_read(recorders: Made) -> None:
    recorders.follow(*THREE)
    recorders.wake()
    assert [one.wakes for one in recorders.made] == [1, 1, 1]
    assert recorders._recording.store.log_names.is_wanted.is_set()  # type: ignore[attr-defined]
