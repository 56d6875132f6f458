"""Where the bridge goes on in a topic, and what it has missed (pure)."""

from collections.abc import Collection
from typing import NamedTuple

from arauto.bridge.report import Why
from arauto.kafka_io.topic_list import Bounds
from arauto.protocol.topics import Offsets


class Place(NamedTuple):
    """An offset of one partition: messages before it have been passed on.

    :param epoch: the id of the topic, as another one may get this name.
    :param leader: the epoch of the partition's leader then; ``None``: unknown.
    """

    offset: int
    epoch: str
    leader: int | None = None


class Placed(NamedTuple):
    """Where to go on, and what is missing: why, and how many messages at most; ``None``: unknown.

    :param leaders: the epochs of leaders, of partitions where nothing is known to be missing.
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
    """Go on at the known offsets.

    :param known: places by partition.
    :param bounds: bounds of the partitions that have a leader.
    :param old: partitions that existed before the bridge: without a place they are read from their end,
        others from their beginning.
    :param truncated: partitions that have lost messages that were read.
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
