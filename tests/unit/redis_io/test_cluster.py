"""The state of a cluster in a process, without a cluster."""

from unittest.mock import MagicMock

import pytest

from arauto.redis_io import cluster as module
from arauto.redis_io.cluster import MANY_LOSSES, UNSEEN, Cluster
from tests.unit.redis_io.test_bus_watch import view


def test_the_losses_of_a_node_are_told_by_where_it_is() -> None:
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


def test_pages_that_need_a_master_leave_a_node_that_is_none_any_more() -> None:
    """It goes on serving its slots as a replica. Its recorder ends by itself."""
    cluster = Cluster(MagicMock(), (), with_replicas=True)
    cluster._ids = {(one, 7000): one for one in "abc"}
    page, recorder, other = (
        MagicMock(address=("a", 7000), doubted_since=None, is_bound=is_bound, notes_losses=notes_losses)
        for is_bound, notes_losses in ((True, False), (True, True), (False, False))
    )
    cluster._sockets[("a", 7000)].update((page, recorder, other))
    cluster._take([view(one, 1.0) for one in "abc"], 1.0)
    moves = cluster.moves
    page.doubt.assert_not_called()
    replica = frozenset({"slave"})
    cluster._take([view(one, 2.0, flags_a=replica) for one in "abc"], 2.0)
    page.doubt.assert_called_once_with(page.made)
    recorder.doubt.assert_not_called()
    other.doubt.assert_not_called()
    assert cluster.moves == moves + 1


def test_a_newer_map_is_waited_for_but_not_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(MagicMock(), (), with_replicas=True)
    asked = [0.0]
    monkeypatch.setattr(module, "now", lambda: asked[0])

    def wait(seconds: float) -> None:
        asked[0] += seconds
        if asked[0] > 10.2:
            cluster._queried_at = 10.1

    monkeypatch.setattr(cluster._stopped, "wait", wait)
    cluster.renew(0.0)
    assert asked[0] == pytest.approx(module.RENEWED_WITHIN, abs=0.05)
    assert cluster._wake.is_set()
    asked[0] = 10.0
    cluster.renew(10.0)
    assert 10.2 < asked[0] < 10.3
