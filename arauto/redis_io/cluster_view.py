"""One node's view of a cluster, parsed from its replies (pure)."""

from dataclasses import dataclass, field
from typing import Any

from arauto.redis_io.redis_url import Address

COMMANDS = (("CLUSTER", "NODES"), ("CLUSTER", "LINKS"), ("TIME",))
_AWAY = {"handshake", "noaddr"}  # nodes that are not connected yet, or have no known address


@dataclass(frozen=True, slots=True)
class Member:
    """A node, as seen by another one or by itself.

    :param address: where to reach it.
    :param known_as: its address in replies.
    :param master: the id of its master, if it is a replica; else ``-``.
    :param epoch: of its slots: of two nodes with the same slot, the one with the higher epoch has it.
    :param waits: seconds for which it has owed the other one a pong; 0: it owes none.
    """

    address: Address
    known_as: Address
    flags: frozenset[str]
    master: str
    epoch: int
    waits: float
    is_linked: bool
    slots: tuple[range, ...]

    @property
    def is_master(self) -> bool:
        return "master" in self.flags

    @property
    def has_failed(self) -> bool:
        """Whether a majority of the masters considers it failed."""
        return "fail" in self.flags


@dataclass(frozen=True, slots=True)
class View:
    """A node's view of the cluster.

    :param queried_at: when it was queried, by ``elapsed.now``.
    :param links_to: when its link to each other node was made, by its clock. Its messages go there.
    :param links_from: the same for links that others have made to it.
    """

    id: str
    queried_at: float
    members: dict[str, Member]
    links_to: dict[str, int] = field(default_factory=dict)
    links_from: dict[str, int] = field(default_factory=dict)

    @property
    def is_cut_off(self) -> bool:
        """Whether it does not reach most of the masters, so that others may do without it."""
        masters = [one for one in self.members.values() if one.is_master and one.slots]
        failing = [one for one in masters if one.flags & {"fail", "fail?"}]
        return bool(masters) and 2 * len(failing) >= len(masters)


def read_view(replies: list[Any], address: Address, queried_at: float, by_name: bool = False) -> View:
    """:param address: where it was queried.
    :param by_name: reach nodes by the names that they announce, if any: certificates may be for these.

    :raise ValueError: they are not the replies to :data:`COMMANDS`.
    """
    nodes, links, time = replies
    try:
        ms = int(time[0]) * 1000 + int(time[1]) // 1000
        lines = [line.split(" ") for line in nodes.decode().splitlines() if line]
        members = {line[0]: _read_member(line, address, ms, by_name) for line in lines}
        own = next(id for id, member in members.items() if "myself" in member.flags)
        known = {id: one for id, one in members.items() if not _AWAY & one.flags}
        if isinstance(links, list):
            found = [dict(zip(link[::2], link[1::2], strict=True)) for link in links]
        else:  # the command is missing or not permitted: then a link that was made again is not noticed
            linked = [id.encode() for id, one in known.items() if one.is_linked and id != own]
            found = [
                {b"direction": way, b"node": id, b"create-time": 0}
                for id in linked
                for way in (b"to", b"from")
            ]
        to, from_ = (
            {one[b"node"].decode(): int(one[b"create-time"]) for one in found if one[b"direction"] == way}
            for way in (b"to", b"from")
        )
    except (AttributeError, IndexError, KeyError, StopIteration, TypeError, ValueError) as error:
        raise ValueError(f"its answer cannot be understood: {nodes!r:.100}") from error
    return View(own, queried_at, known, to, from_)


def _read_member(line: list[str], queried: Address, now: int, by_name: bool) -> Member:
    """:param line: ``id ip:port@bus,hostname flags master ping-sent pong-received epoch state slots…``"""
    place, _, names = line[1].partition(",")
    host, _, port = place.partition("@")[0].rpartition(":")
    flags = frozenset(line[2].split(","))
    sent = int(line[4])
    name = next((one for one in names.split(",") if one and "=" not in one), "") if by_name else ""
    return Member(
        (name or host or queried[0], int(port)),  # a node that stands alone does not know its address
        (host, int(port)),
        flags,
        line[3],
        int(line[6]),
        max(0, now - sent) / 1000 if sent else 0.0,
        line[7] == "connected",
        tuple(_read_slots(text) for text in line[8:] if text and text[0] != "["),
    )


def _read_slots(text: str) -> range:
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)
