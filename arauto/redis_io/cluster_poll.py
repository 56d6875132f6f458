"""Polls the nodes of a cluster for their views of each other."""

from collections.abc import Callable, Collection, Iterable
from time import monotonic
from typing import Any

import redis

from arauto.redis_io.cluster_view import COMMANDS, View, read_view
from arauto.redis_io.elapsed import now
from arauto.redis_io.redis_url import Address

ANSWER_WITHIN = 0.9  # seconds, for all of them together
LATE_AFTER = 1.5  # seconds after which an answer is late
RETRY_AFTER = 5.0  # seconds, if connecting takes too long
GIVE_UP_AFTER = 10.0  # seconds without an answer until another connection is made


class _Node:
    """The connection to one node."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.owes_since: float | None = None  # when the unanswered commands were sent
        self.retry_at = 0.0


class ClusterPoll:
    """A connection to each node, for one thread.

    :param make_connection: makes a connection to the node at an address, which is not connected yet.
    :param by_name: whether to reach nodes by the names that they announce.
    """

    def __init__(self, make_connection: Callable[[Address], Any], by_name: bool) -> None:
        self._make_connection = make_connection
        self._by_name = by_name
        self._nodes: dict[Address, _Node] = {}
        self.errors: dict[Address, Exception] = {}
        """Nodes that did not answer the last time, and why."""

    def ask(self, addresses: Iterable[Address]) -> dict[Address, View]:
        """The views of the nodes that answer in time; :attr:`errors` has the others."""
        queried_at, end = now(), monotonic() + ANSWER_WITHIN
        waiting = [(address, node) for address in addresses if (node := self._send(address))]
        views = {}
        for address, node in waiting:
            try:
                if not node.connection.can_read(max(0.0, end - monotonic())):
                    raise redis.TimeoutError("no answer in time")
                views[address] = read_view(_read(node), address, queried_at, self._by_name)
                self.errors.pop(address, None)
            except (redis.RedisError, OSError, ValueError) as error:
                self._note_error(address, node, error)
        return views

    def _send(self, address: Address) -> _Node | None:
        """``None``: nothing can be sent now."""
        node = self._nodes.get(address)
        if node is None:
            node = self._nodes[address] = _Node(self._make_connection(address))
        if monotonic() < node.retry_at:
            return None
        began = monotonic()
        try:
            if node.owes_since is not None:
                if not node.connection.can_read(0):
                    if began - node.owes_since > GIVE_UP_AFTER:
                        raise redis.TimeoutError("no answer")
                    return None
                _read(node)  # the late answer to the last poll
            node.connection.send_packed_command(node.connection.pack_commands(COMMANDS), check_health=False)
            node.owes_since = began
        except (redis.RedisError, OSError) as error:
            if monotonic() - began > ANSWER_WITHIN / 2:
                node.retry_at = monotonic() + RETRY_AFTER
            self._note_error(address, node, error)
            return None
        return node

    def _note_error(self, address: Address, node: _Node, error: Exception) -> None:
        self.errors[address] = error
        is_late = isinstance(error, redis.TimeoutError) and node.owes_since is not None
        if not is_late or monotonic() - (node.owes_since or 0.0) > GIVE_UP_AFTER:
            node.connection.disconnect()
            node.owes_since = None

    def refuses(self, address: Address) -> bool:
        """Whether no process listens there."""
        error: BaseException | None = self.errors.get(address)
        while error is not None and not isinstance(error, ConnectionRefusedError):
            error = error.__cause__ or error.__context__
        return error is not None

    def may_answer(self, address: Address) -> bool:
        """Whether an answer of the node is due, but not late.

        Its last answer may be old all the same: this process may have stood still since.
        """
        node = self._nodes.get(address)
        since = None if node is None else node.owes_since
        return since is not None and monotonic() - since < LATE_AFTER

    def keep_only(self, addresses: Collection[Address]) -> None:
        """Close the connections to all others."""
        for address in self._nodes.keys() - set(addresses):
            self._nodes.pop(address).connection.disconnect()
            self.errors.pop(address, None)


def _read(node: _Node) -> list[Any]:
    """The replies to :data:`COMMANDS`, or errors in place of those that are not required.

    :raise redis.RedisError: there were none, or a required one is an error.
    """
    replies: list[Any] = []
    for _ in COMMANDS:
        try:
            replies.append(node.connection.read_response())
        except redis.ResponseError as error:
            replies.append(error)
    node.owes_since = None
    for needed in (replies[0], replies[2]):
        if isinstance(needed, redis.ResponseError):
            raise needed
    return replies
