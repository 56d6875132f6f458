"""The logs in a cluster: the node of each command, and commands while a node is down."""

from time import time

import pytest
import redis
from redis.crc import key_slot

from arauto.recording.cluster_store import ClusterStore, slot_of, tag_of
from arauto.recording_core.log_keys import (
    GLOBS,
    NAMES,
    SWITCHED,
    acknowledgements_of,
    announcements_of,
    head_of,
    promised_of,
    stream_of,
)
from arauto.redis_io.elapsed import now
from tests.support.cluster_doubles import A, B, FakeLink, shard

ON_A, ON_B, ON_C = b"b", b"c", b"a"


@pytest.fixture
def link() -> FakeLink:
    return FakeLink()


@pytest.fixture
def store(link: FakeLink) -> ClusterStore:
    return ClusterStore(link, 100, 1000)


@pytest.mark.parametrize("channel", [b"a", b"a{b}c", b"{b}", b"a}b", b"{"])
def test_all_that_is_about_one_log_is_in_one_slot(channel: bytes) -> None:
    keys = (stream_of(channel), head_of(channel), promised_of(channel), acknowledgements_of(channel))
    assert {*map(key_slot, keys), key_slot(announcements_of(channel, 0))} == {slot_of(channel)}


def test_a_tag_is_in_its_slot() -> None:
    assert all(key_slot(tag_of(slot)) == slot for slot in (0, 5461, 16_383))


def test_the_lease_and_the_beats_of_a_shard_are_in_it(link: FakeLink, store: ClusterStore) -> None:
    for one in link.fake.found:
        of_shard = store.of(one)
        assert one.has(key_slot(of_shard.lease))
        assert one.has(key_slot(of_shard.beats))
    assert len({store.of(one).lease for one in link.fake.found}) == 3


def test_a_page_wakes_the_recorder_of_the_shard(link: FakeLink, store: ClusterStore) -> None:
    for channel, one in zip((ON_A, ON_B, ON_C), link.fake.found, strict=True):
        assert store.beats_for(channel) == store.of(one).beats
        assert store.of(one).beats_for(channel) == store.of(one).beats


def test_a_recorder_asks_its_own_node_alone(link: FakeLink, store: ClusterStore) -> None:
    """Also after a slot has moved: messages have another order at another node."""
    of_shard = store.of(link.fake.found[0])
    link.fake.found = [shard(B, 0, 16_384)]
    assert store.client_of(head_of(ON_A)) is link.fakes[B]
    assert of_shard.client_of(head_of(ON_A)) is of_shard.client_of(of_shard.lease) is link.fakes[A]


def test_no_other_node_than_its_own_is_asked_by_a_recorder_for_names(
    link: FakeLink, store: ClusterStore
) -> None:
    of_shard = store.of(link.fake.found[0])
    assert of_shard.register(b"new") is False
    assert of_shard.names() == store.names() == {b"new"}
    assert store.log_names.is_wanted.is_set()
    assert not any(node.commands for node in link.fakes.values())


def test_what_a_node_does_not_answer_is_a_reply(link: FakeLink, store: ClusterStore) -> None:
    link.fakes[A].is_down = True
    link.fakes[B].sets = {GLOBS: {b"a*"}}
    link.fake.found.pop()  # no node has C's slots
    names, globs, switched = store.ask([(key, ("SMEMBERS", key)) for key in (NAMES, GLOBS, SWITCHED)])
    assert isinstance(names, redis.TimeoutError)
    assert globs == {b"a*"}
    assert isinstance(switched, redis.ConnectionError)


def test_a_name_is_registered_once_its_node_answers(link: FakeLink, store: ClusterStore) -> None:
    node = link.fakes[A]
    node.sets, node.is_down = {NAMES: {b"old"}}, True
    store.register(ON_B)
    with pytest.raises(redis.TimeoutError):
        store.update_names(lambda name: True)
    assert store.names() == {ON_B}
    node.is_down = False
    store.update_names(lambda name: False)  # it has been closed meanwhile and must be removed
    assert node.sets[NAMES] == store.names() == {b"old", ON_B}
    assert link.fakes[B].commands == [("SPUBLISH", store.beats_for(ON_B), b"look")]
    store.update_names(lambda name: True)
    assert len(link.fakes[B].commands) == 1


def test_a_recorded_log_that_has_lost_its_name_gets_it_again(link: FakeLink, store: ClusterStore) -> None:
    """Another process has removed the log, and this one has begun a new one."""
    store.register(ON_B)
    store.update_names(lambda name: True)
    link.fakes[A].sets[NAMES].clear()
    store.update_names(lambda name: True)
    assert link.fakes[A].sets[NAMES] == {ON_B}
    link.fakes[A].sets[NAMES].clear()
    store.update_names(lambda name: False)
    assert link.fakes[A].sets[NAMES] == store.names() == set()


def test_a_name_is_removed(link: FakeLink, store: ClusterStore) -> None:
    store.register(ON_B)
    store.update_names(lambda name: True)
    store.unregister(ON_B)
    store.update_names(lambda name: True)
    assert link.fakes[A].sets[NAMES] == store.names() == set()


def test_earlier_losses_are_shown_by_the_clock_newest_first(link: FakeLink, store: ClusterStore) -> None:
    moment = now()
    link.fake.losses = [(moment - 20, moment - 26), (moment - 1, moment - 7)]
    found = [since - 1000 * time() for pair in store.of(link.fake.found[0]).losses() for since in pair]
    assert found == pytest.approx([-7000, -1000, -26_000, -20_000], abs=200)
    assert store.losses() == []
