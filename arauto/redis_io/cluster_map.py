"""Chooses nodes of a cluster for subscribing and publishing, from the views of all nodes (pure)."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from redis.crc import key_slot

from arauto.redis_io.bus_watch import BusWatch
from arauto.redis_io.cluster_view import Member, View
from arauto.redis_io.redis_url import Address

SLOTS = 16384


@dataclass(frozen=True)
class Shard:
    """A master, and its slots."""

    address: Address
    slots: tuple[range, ...]

    @property
    def first(self) -> int:
        """The lowest of its slots."""
        return min(slots[0] for slots in self.slots)

    def has(self, slot: int) -> bool:
        return any(slot in slots for slots in self.slots)


@dataclass(frozen=True)
class ClusterMap:
    """Immutable; replaced once a second.

    :param members: all nodes, by id.
    :param answering: nodes that have answered, and are with the majority.
    :param whole: nodes of ``answering`` that get every message.
    :param sending: nodes of ``answering`` whose messages reach all others.
    :param failed: nodes that the others do without.
    :param dead: nodes that accept no connection.
    """

    members: dict[str, Member] = field(default_factory=dict)
    answering: frozenset[str] = frozenset()
    whole: frozenset[str] = frozenset()
    sending: frozenset[str] = frozenset()
    failed: frozenset[str] = frozenset()
    dead: frozenset[str] = frozenset()

    @classmethod
    def of(cls, views: Collection[View], refusing: Collection[str], bus: BusWatch) -> "ClusterMap":
        """:param bus: it must have taken the same views."""
        good = [view for view in views if not view.is_cut_off] or views
        members = _merge(good)
        failed = {id for view in good for id, one in view.members.items() if one.has_failed}
        answering = frozenset(view.id for view in good if view.id in members) - failed
        return cls(
            members,
            answering,
            frozenset(id for id in answering if bus.broken_since(id) is None),
            frozenset(id for id in answering if bus.is_sending(id)),
            frozenset(failed) & members.keys(),
            frozenset(refusing) & members.keys(),
        )

    def for_subscribers(self, with_replicas: bool) -> list[list[Address]]:
        """Nodes to subscribe on, in groups of equally good ones, best first."""
        masters = {id for id, one in self.members.items() if one.is_master}
        wanted = self.members.keys() if with_replicas else masters
        steps = (self.whole & wanted, self.whole - wanted, self.answering - self.whole)
        return [found for step in steps if (found := self._addresses(step))]

    def for_publishing(self, channel: bytes) -> list[Address]:
        """Nodes to publish on, best first: the same for all processes, which keeps the order of messages."""
        slot = key_slot(channel)
        owner = self.owner(slot)
        masters = [id for id in sorted(self.sending) if self.members[id].is_master]
        chosen = [owner] if owner in self.sending else []
        chosen += masters[slot % len(masters) :] + masters[: slot % len(masters)] if masters else []
        chosen += sorted(self.answering)
        return self._addresses(dict.fromkeys(id for id in chosen if id))

    def to_count(self) -> tuple[list[Address], bool]:
        """All nodes that may have subscribers and answer, and whether none is missing."""
        return self._addresses(
            sorted(self.answering)
        ), not self.members.keys() - self.answering - self.failed - self.dead

    def reach(self, known_as: Address) -> Address:
        """The address at which we reach the node that has this address in replies."""
        members = self.members.values()
        return next((one.address for one in members if one.known_as == known_as), known_as)

    def serving(self, shard: bytes) -> list[Address]:
        """The nodes that answer and have a sharded channel: a master and its replicas."""
        owner = self.owner(key_slot(shard))
        replicas = [id for id, one in self.members.items() if one.master == owner and owner]
        return self._addresses(id for id in (owner, *replicas) if id in self.answering)

    def owner(self, slot: int) -> str:
        """The id of the node that has the slot; empty: none."""
        owners = [id for id, one in self.members.items() if any(slot in slots for slots in one.slots)]
        return max(owners, key=lambda id: self.members[id].epoch, default="")

    def shards(self) -> list[Shard]:
        """The masters that answer and have slots."""
        owned = ((id, self.members[id]) for id in sorted(self.answering))
        return [
            Shard(one.address, one.slots)
            for id, one in owned
            if one.is_master and one.slots and self.owner(one.slots[0][0]) == id
        ]

    def master_of(self, slot: int) -> Address | None:
        """The address of the slot's master; ``None``: there is none."""
        owner = self.owner(slot)
        return self.members[owner].address if owner else None

    @property
    def has_all_slots(self) -> bool:
        """Whether each slot has a node."""
        slots = [slot for id, one in self.members.items() if id not in self.failed for slot in one.slots]
        return len({number for slot in slots for number in slot}) == SLOTS

    def away(self) -> list[Address]:
        """All nodes that do not answer, or are not with the majority."""
        return self._addresses(sorted(self.members.keys() - self.answering))

    def _addresses(self, ids: Iterable[str]) -> list[Address]:
        return [self.members[id].address for id in ids]


def together(views: Collection[View]) -> list[View]:
    """The views of the largest group of nodes that know each other: a removed node knows only itself."""
    groups: list[tuple[set[str], list[View]]] = []
    for view in views:
        ids, found = set(view.members), [view]
        for group in [one for one in groups if one[0] & ids]:
            groups.remove(group)
            ids, found = ids | group[0], [*group[1], *found]
        groups.append((ids, found))
    return max((found for _, found in groups), key=len, default=[])


def _merge(views: Collection[View]) -> dict[str, Member]:
    """Take each node's view of itself, except for its address, which others know better."""
    merged: dict[str, Member] = {}
    for view in views:
        for id, member in view.members.items():
            merged.setdefault(id, member)
    for view in views:
        own, other = view.members[view.id], merged[view.id]
        merged[view.id] = Member(
            other.address,
            other.known_as,
            own.flags | (other.flags & {"fail"}),
            own.master,
            own.epoch,
            0.0,
            True,
            own.slots,
        )
    return merged
