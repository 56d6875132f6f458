"""The state of a cluster in a process, without a cluster."""

import socket
from threading import Thread
from time import monotonic
from unittest.mock import MagicMock

import pytest

from arauto.redis_io import cluster as module
from arauto.redis_io.cluster import MANY_LOSSES, UNSEEN, Cluster
from arauto.redis_io.cluster_poll import LATE_AFTER, _Node
from arauto.redis_io.placed_socket import PlacedSocket
from tests.support.waiting import PATIENCE
from tests.unit.redis_io.test_bus_watch import view


def test_the_losses_of_a_node_are_found_by_its_address() -> None:
    """Here ``b`` receives everything, and the link from it to ``a`` was replaced."""
    cluster = Cluster(MagicMock(), (), with_replicas=True)
    cluster._ids = {(one, 7000): one for one in "abc"}
    for at in (1.0, 2.0):
        cluster._take([view(one, at) for one in "abc"], at)
    assert cluster.losses_at(("a", 7000)) == []
    cluster._take([view("a", 3.0, from_b=2), view("b", 3.0, to_a=2), view("c", 3.0)], 3.0)
    assert cluster.losses_at(("a", 7000)) == [(3.0, 2.0 - UNSEEN)]
    assert cluster.losses_at(("b", 7000)) == cluster.losses_at(("elsewhere", 1)) == []
    cluster.losses = (*cluster.losses, (3.0, "b", 1.0), (4.0, "a", 3.5))
    assert cluster.all_losses() == [(3.0, 1.0 - UNSEEN), (4.0, 3.5 - UNSEEN)]
    for n in range(MANY_LOSSES + 5):
        cluster._take([view("a", 3.0, from_b=3 + n), view("b", 3.0, to_a=3 + n), view("c", 3.0)], 3.0)
    assert len(cluster.losses_at(("a", 7000))) == MANY_LOSSES


def test_the_links_of_a_node_that_another_has_replaced_are_forgotten() -> None:
    """Else ``a`` would count as cut off for good, and nothing be published there any more."""
    cluster = Cluster(MagicMock(), (), with_replicas=True)
    cluster._ids = {(one, 7000): one for one in "abc"}
    cluster._take([view(one, 1.0) for one in "abc"], 1.0)
    cluster._take([view("a", 2.0), view("b", 2.0), view("c", 2.0, waits_a=3.0)], 2.0)
    assert cluster._map.sending == {"b"}
    cluster._ids[("c", 7000)] = "d"  # as after CLUSTER RESET HARD, or a start without its files
    for at in (3.0, 4.0):
        cluster._take([view(one, at, without="c") for one in "ab"], at)
    assert cluster._map.sending == {"a", "b"}


def test_pages_that_need_a_master_leave_a_node_that_is_none_any_more(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It goes on serving its slots as a replica. Its recorder ends by itself."""
    cluster = Cluster(MagicMock(), (), with_replicas=True)
    cluster._ids = {(one, 7000): one for one in "abc"}
    ends = [end for _ in range(2) for end in socket.socketpair()]
    page, recorder, other = (PlacedSocket(end, ("a", 7000)) for end in ends[:3])
    page.is_bound = recorder.is_bound = recorder.notes_losses = True
    cluster._sockets[("a", 7000)].update((page, recorder, other))
    at = page.made
    cluster._take([view(one, at + 1) for one in "abc"], at + 1)
    moves = cluster.moves
    assert page.doubted_since is None
    replica = frozenset({"slave"})
    for after in (2, 3):  # it is ended once
        cluster._take([view(one, at + after, flags_a=replica) for one in "abc"], at + after)
    assert page.doubted_since == page.made
    assert recorder.doubted_since is other.doubted_since is None
    assert cluster.moves == moves + 1
    (logged,) = [one.getMessage() for one in caplog.records if one.msg.startswith("cluster doubted")]
    assert logged == "cluster doubted node=a:7000 feeds=1 seconds=2.0"
    for end in ends:
        end.close()


@pytest.mark.parametrize(("asked", "is_left"), [(0.5, False), (LATE_AFTER, True), (None, True)])
def test_a_node_is_not_left_for_a_silence_in_which_it_was_not_asked(
    asked: float | None, is_left: bool
) -> None:
    """As after this process was stopped while it polled the nodes, and has only just asked one of them."""
    cluster = Cluster(MagicMock(), (), with_replicas=True)
    cluster._ids = {(one, 7000): one for one in "abc"}
    ends = socket.socketpair()
    page = PlacedSocket(ends[0], ("a", 7000))
    cluster._sockets[("a", 7000)].add(page)
    at = page.made
    cluster._take([view(one, at) for one in "abc"], at)
    cluster._answered_at["a"] = at
    node = cluster._poll._nodes[("a", 7000)] = _Node(MagicMock())
    node.owes_since = None if asked is None else monotonic() - asked
    cluster._take([view(one, at + 60) for one in "bc"], at + 60)
    assert (page.doubted_since is not None) == is_left
    for end in ends:
        end.close()


def test_a_newer_map_is_waited_for_but_not_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(MagicMock(), (), with_replicas=True)
    cluster._queried_at = 9.0
    monkeypatch.setattr(module, "RENEWED_WITHIN", 0.05)
    began = monotonic()
    cluster.renew(10.0)
    assert monotonic() - began >= 0.05
    assert cluster._wake.is_set()
    monkeypatch.setattr(module, "RENEWED_WITHIN", 10 * PATIENCE)
    cluster.renew(9.0)

    def take() -> None:
        cluster._take([view(one, 10.5) for one in "abc"], 10.5)

    for comes in (take, cluster.stop):
        pages = [Thread(target=cluster.renew, args=(10.0,), daemon=True) for _ in range(2)]
        for page in pages:
            page.start()
        comes()
        for page in pages:
            page.join(PATIENCE)
        assert not any(page.is_alive() for page in pages)
        cluster._queried_at = 9.0
