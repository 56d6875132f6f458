"""How many messages a topic has over time, from the offsets that Kafka finds for times."""

from collections import deque
from collections.abc import Callable, Mapping
from itertools import pairwise
from math import exp, log
from time import monotonic, time

from confluent_kafka import Consumer

from arauto.kafka_io.connection import KafkaLink
from arauto.kafka_io.topic_list import Bounds, Partition, offsets_of
from arauto.protocol.log_entries import Volume

SECONDS = 1.5  # of queries for one result; counts not known by then are spread evenly
STEPS = 14  # to find a time, as exactly as a fifth of a percent of its age

Count = Callable[[int], int]
"""How many messages are older than a time."""


def find_volume(
    link: KafkaLink,
    bounds: Mapping[Partition, Bounds],
    since: int | None,
    until: int | None,
    parts: int,
) -> Volume | None:
    """How many messages there are from ``since`` (or the first) to ``until`` (or the last).

    It counts offsets, also those without a message. All times are Unix milliseconds.

    :return: ``None``: there are none.
    :raise KafkaFailed: Kafka does not answer, or refuses.
    """
    total = sum(high - low for low, high in bounds.values())
    if not total:
        return None

    def ask(consumer: Consumer) -> Volume:
        def older(ms: int) -> int:
            found = offsets_of(consumer, [*bounds], ms)
            return sum(_between(found.get(one, -1), *bound) - bound.low for one, bound in bounds.items())

        now = round(1000 * time())
        start = _moment(lambda ms: older(ms) == 0, now)[0] if since is None else since
        end = max(start + 1, _moment(lambda ms: older(ms) < total, now)[1] if until is None else until)
        return Volume(start, end, _counts(older, start, end, parts, monotonic() + SECONDS), [])

    return link.ask(ask)


def _between(offset: int, low: int, high: int) -> int:
    return high if offset < 0 else min(max(offset, low), high)


def _moment(is_before: Callable[[int], bool], now: int) -> tuple[int, int]:
    """Two times around the one up to which ``is_before`` holds; the newer it is, the closer they are."""
    near, far = 0.0, log(now)
    for _ in range(STEPS):
        middle = (near + far) / 2
        if is_before(now - round(exp(middle))):
            far = middle
        else:
            near = middle
    return now - round(exp(far)), now - round(exp(near)) + 1


def _counts(older: Count, start: int, end: int, parts: int, deadline: float) -> list[int]:
    """Halves first: when the time is over only fine detail is missing. Empty spans are not divided."""

    def at(edge: int) -> int:
        return start + (end - start) * edge // parts

    known = {0: older(start), parts: older(end)}
    waiting = deque([(0, parts)])
    while waiting and monotonic() < deadline:
        left, right = waiting.popleft()
        if right - left > 1 and known[left] < known[right]:
            middle = (left + right) // 2
            known[middle] = older(at(middle))
            waiting += [(left, middle), (middle, right)]
    edges: list[int] = []
    for left, right in pairwise(sorted(known)):
        n = known[right] - known[left]
        edges += [known[left] + n * (one - left) // (right - left) for one in range(left, right)]
    edges.append(known[parts])
    return [max(0, right - left) for left, right in pairwise(edges)]
