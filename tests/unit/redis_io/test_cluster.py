"""The state of a cluster in a process, without a cluster."""

from unittest.mock import MagicMock

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
