"""Which nodes of a cluster a subscriber tries."""

from typing import Any
from unittest.mock import MagicMock

import pytest
import redis
from redis.exceptions import AuthenticationError

from arauto.redis_io.cluster_link import TRIES, ClusterLink, open_link
from arauto.redis_io.redis_url import Address

NODES: list[Address] = [(f"n{n}", 7000) for n in range(6)]
REFUSED = AuthenticationError("WRONGPASS")
AWAY = redis.ConnectionError("refused")


def link_to(answers: list[Any]) -> tuple[Any, list[Address]]:
    """A link to nodes that fail in these ways, and a list of those that are tried."""
    link: Any
    link, tried = open_link("redis+cluster://n0:7000"), list[Address]()
    assert isinstance(link, ClusterLink)
    link.cluster = MagicMock()
    link.cluster.places.return_value = NODES

    def connect(address: Address) -> Any:
        tried.append(address)
        if isinstance(answer := answers[NODES.index(address)], Exception):
            raise answer
        return answer

    for address in NODES:
        link._links[address] = MagicMock(connect_and_ask=connect)
    return link, tried


def test_nodes_that_refuse_do_not_shut_a_page_out_of_the_others() -> None:
    """They have no subscribers, so all of them are tried first."""
    there = MagicMock()
    link, tried = link_to([REFUSED, REFUSED, REFUSED, AWAY, there, AWAY])
    assert link.connect() is there
    assert tried == NODES[:5]
    link.cluster.shun.assert_called_once_with(NODES[3])
    link, _ = link_to([REFUSED] * 6)
    with pytest.raises(AuthenticationError):
        link.connect()


def test_few_nodes_that_do_not_answer_are_tried() -> None:
    link, tried = link_to([AWAY] * 6)
    with pytest.raises(redis.ConnectionError):
        link.connect()
    assert tried == NODES[:TRIES]
