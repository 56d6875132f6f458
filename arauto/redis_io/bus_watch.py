"""The cluster bus, by which each message gets from the node where it is published to all others (pure).

A link that is down, or was made again, has lost messages, of which Redis does not inform subscribers. So each
pair of nodes is watched: both the receiver and the sender report when their link was made.
"""

from collections.abc import Collection, Container, Iterable
from dataclasses import dataclass
from math import inf
from typing import NamedTuple

from arauto.redis_io.cluster_view import View

LATE = 2.0  # seconds that a node owes another a pong, after which their link counts as broken
PATIENCE = 30.0  # seconds after which a broken link is reported as a loss, though it is still broken

_BROKEN = "broken"
_OUT = "out"  # the others do without the sender; if it is alive, its messages reach no other node
_DEAD = "dead"  # nothing can be published on the sender

_Link = tuple[int | None, int | None] | str
"""When it was made, according to the sender and to the receiver, or one of the words above."""


class Loss(NamedTuple):
    """A node may lack messages published since then; a time of ``elapsed.now``."""

    node: str
    since: float


@dataclass(slots=True)
class _Pair:
    link: _Link
    sure_until: float  # messages published before have been received
    is_broken: bool = False


class BusWatch:
    """Concludes from the views of all nodes which node may have lost messages."""

    def __init__(self) -> None:
        self._pairs: dict[tuple[str, str], _Pair] = {}  # by sender and receiver

    def take(self, views: Collection[View], refusing: Collection[str], queried_at: float) -> list[Loss]:
        """Take the views of all nodes, which were queried at the same time.

        :param refusing: nodes that accept no connection: their process does not run.
        :return: losses that are over: since when each receiver may lack messages.
        """
        senders = {view.id: view for view in views}
        losses: dict[str, float] = {}
        for view in views:
            for since in self._take(view, senders, refusing, queried_at):
                losses[view.id] = min(since, losses.get(view.id, since))
        return [Loss(*one) for one in losses.items()]

    def broken_since(self, receiver: str) -> float | None:
        """Since when it may not receive everything; ``None``: it does, or that is unknown."""
        return min(self._sure(receiver, only_broken=True), default=None)

    def sure_until(self, receiver: str) -> float:
        """Until when it received everything for sure."""
        return min(self._sure(receiver), default=-inf)

    def is_sending(self, sender: str) -> bool:
        """Whether all nodes receive the messages that are published on it."""
        return not any(pair.is_broken for (one, _), pair in self._pairs.items() if one == sender)

    def keep_only(self, nodes: Container[str]) -> None:
        """Forget all nodes that are no longer in the cluster."""
        self._pairs = {ids: pair for ids, pair in self._pairs.items() if ids[1] in nodes}

    def _sure(self, receiver: str, only_broken: bool = False) -> Iterable[float]:
        for (_, one), pair in self._pairs.items():
            if one == receiver and (pair.is_broken if only_broken else pair.link not in (_OUT, _DEAD)):
                yield pair.sure_until

    def _take(
        self, view: View, senders: dict[str, View], refusing: Collection[str], queried_at: float
    ) -> Iterable[float]:
        gone = [one for one, receiver in self._pairs if receiver == view.id and one not in view.members]
        for sender in gone:
            pair = self._pairs.pop((sender, view.id))
            if pair.link not in (_OUT, _DEAD):
                yield pair.sure_until
        for sender in view.members:
            if sender != view.id:
                link = _link(view, sender, senders.get(sender), sender in refusing)
                yield from self._note((sender, view.id), link, queried_at)

    def _note(self, ids: tuple[str, str], link: _Link, queried_at: float) -> Iterable[float]:
        pair = self._pairs.get(ids)
        if pair is None:
            if link != _BROKEN:  # a new node counts once it is reached
                self._pairs[ids] = _Pair(link, queried_at)
            return
        pair.is_broken = link == _BROKEN
        if link == _BROKEN:
            if queried_at - pair.sure_until < PATIENCE:
                return
            yield pair.sure_until
        elif not _is_same(pair.link, link):
            yield pair.sure_until
            pair.link = link
        elif link == _OUT:
            return
        else:
            pair.link = _both(pair.link, link)
        pair.sure_until = queried_at


def _link(view: View, sender: str, sender_view: View | None, is_refusing: bool) -> _Link:
    member, from_ = view.members[sender], view.links_from.get(sender)
    if is_refusing and from_ is None:
        return _DEAD
    if member.has_failed:
        return _BROKEN if view.is_cut_off else _OUT
    if from_ is None or "fail?" in member.flags or member.waits > LATE:
        return _BROKEN
    if sender_view is None:
        return None, from_
    receiver, to = sender_view.members.get(view.id), sender_view.links_to.get(view.id)
    if receiver is None or to is None or receiver.waits > LATE:
        return _BROKEN
    return to, from_


def _is_same(before: _Link, link: _Link) -> bool:
    if isinstance(before, str) or isinstance(link, str):
        return before == link
    return all(None in pair or pair[0] == pair[1] for pair in zip(before, link, strict=True))


def _both(before: _Link, link: _Link) -> _Link:
    if isinstance(before, str) or isinstance(link, str):
        return link
    to, from_ = link
    return (before[0] if to is None else to), (before[1] if from_ is None else from_)
