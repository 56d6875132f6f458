"""Where the bridge goes on in a topic, and what it has missed (pure)."""

from collections.abc import Collection
from typing import NamedTuple

from arauto.bridge.report import Why
from arauto.kafka_io.topic_list import Bounds
from arauto.protocol.topics import Offsets


class Place(NamedTuple):
    """Where it was: all before ``offset`` has been passed on.

    :param epoch: of which topic by this name.
    :param leader: the epoch of its partition's leader then; ``None``: nobody knows.
    """

    offset: int
    epoch: str
    leader: int | None = None


class Placed(NamedTuple):
    """Where it goes on, and what is missing: why, and how many messages at most; ``None``: nobody knows.

    :param leaders: the epoch that a leader had where it goes on, if nothing is known to be missing there.
    """

    offsets: Offsets
    missed: list[tuple[Why, int | None]]
    leaders: Offsets


def place(
    known: dict[int, Place],
    epoch: str,
    bounds: dict[int, Bounds],
    old: set[int],
    truncated: Collection[int] = (),
) -> Placed:
    """Go on where it was.

    :param known: where it was, by partition.
    :param bounds: of the partitions that have a leader.
    :param old: partitions that were there before the bridge was: these go on from their end. Others are new.
    :param truncated: partitions that have lost what was there.
    """
    if any(one.epoch not in ("", epoch) for one in known.values()):
        return Placed({one: found.low for one, found in bounds.items()}, [("replaced", None)], {})
    offsets: Offsets = {}
    missed: list[tuple[Why, int | None]] = []
    leaders: Offsets = {}
    for partition, found in bounds.items():
        at = known.get(partition)
        if at is None:
            offsets[partition] = found.high if partition in old else found.low
            continue
        if at.offset < found.low:
            missed.append(("retention", found.low - at.offset))
        elif at.offset > found.high or partition in truncated:
            missed.append(("truncated", None))
        elif at.leader is not None:
            leaders[partition] = at.leader
        offsets[partition] = min(max(at.offset, found.low), found.high)
    return Placed(offsets, missed, leaders)
