"""The recorder of one shard, and the state of the rest of the cluster."""

from time import time
from unittest.mock import MagicMock

from arauto.recording.cluster_store import ClusterStore
from arauto.recording.shard_recording import RECENT, ShardRecording
from arauto.redis_io.elapsed import now
from tests.support.cluster_doubles import FakeLink


def make() -> tuple[FakeLink, MagicMock, ShardRecording]:
    link, recording = FakeLink(), MagicMock()
    shard = link.fake.found[1]
    return link, recording, ShardRecording(recording, link, shard, ClusterStore(link, 1, 1).of(shard))


def test_a_loss_is_reported_once_in_the_time_of_day() -> None:
    link, _, shard_recording = make()
    moment = now()
    link.fake.losses = [(moment - RECENT - 1, moment - 100)]
    assert shard_recording.new_loss() is None
    link.fake.losses += [(moment - 2, moment - 8), (moment - 1, moment - 5)]
    loss = shard_recording.new_loss()
    assert loss is not None
    since, found = (round(at / 1000 - time()) for at in loss)
    assert (since, found) == (-8, -1)
    assert shard_recording.new_loss() is None


def test_what_all_shards_share_is_not_asked_for() -> None:
    """The node of the shared keys may be down, and a recorder that waits for it does not record."""
    link, recording, shard_recording = make()
    shard_recording.refresh()
    shard_recording.trim()
    shard_recording.upgrade()
    assert not recording.method_calls
    assert not any(node.commands for node in link.fakes.values())
    shard_recording.look()
    assert shard_recording.store.log_names.is_wanted.is_set()


def test_a_slot_that_is_gone_has_the_cluster_looked_at() -> None:
    link, _, shard_recording = make()
    shard_recording.has_moved()
    assert link.fake.looks == 1
