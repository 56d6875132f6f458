"""Messages of channels that Kafka does not have yet, in order, up to a bound (pure)."""

from collections import deque
from collections.abc import Collection, Iterable
from itertools import chain
from typing import NamedTuple

from arauto.text.bridge_rules import Rule

MOST = 100_000  # messages
MOST_BYTES = 1 << 26
OVERHEAD = 200  # bytes of a message beside its data


class Kept(NamedTuple):
    """A message of a channel on its way to a topic.

    :param at: when it was received, in milliseconds by a clock that nobody sets.
    :param after: it was published after that, by the same clock; much earlier if messages are backed up.
    """

    at: int
    rule: Rule
    channel: bytes
    data: bytes
    after: int

    @property
    def topic(self) -> str:
        return self.rule.topic

    @property
    def size(self) -> int:
        return len(self.data) + len(self.channel) + OVERHEAD


class Outbox:
    """Messages that wait for each topic, and those in flight. When full, it drops the oldest that waits."""

    def __init__(self, topics: Iterable[str], most: int = MOST, most_bytes: int = MOST_BYTES) -> None:
        self.moving: dict[int, Kept] = {}
        """In flight: by number, in the order in which they were taken."""
        self.waiting = 0
        self._most, self._most_bytes = most, most_bytes
        self._queues: dict[str, deque[Kept]] = {topic: deque() for topic in topics}
        self._moving = {topic: [0, 0] for topic in self._queues}
        self._size = 0
        self._number = 0

    @property
    def is_empty(self) -> bool:
        return not self.waiting and not self.moving

    @property
    def oldest(self) -> int | None:
        """The messages that Kafka does not have were published after that; ``None``: it has all."""
        # In flight, those of several topics are in the order in which they were taken.
        first = (queue[0] for queue in self._queues.values() if queue)
        return min((message.after for message in chain(first, self.moving.values())), default=None)

    def moving_to(self, topic: str) -> tuple[int, int]:
        """How many messages are in flight to a topic, with how many bytes."""
        many, size = self._moving[topic]
        return many, size

    def next_size(self, topic: str) -> int:
        """The size of the next message for a topic; 0: there is none."""
        queue = self._queues[topic]
        return queue[0].size if queue else 0

    def add(self, message: Kept) -> Kept | None:
        """Add a message.

        :return: the message that was dropped for it.
        """
        self._queues[message.topic].append(message)
        self._count(message, 1)
        if self.waiting > self._most or self._size > self._most_bytes:
            return self._drop_oldest()
        return None

    def take(self, topic: str) -> tuple[int, Kept] | None:
        """The next message for a topic, with the number by which it is :meth:`settle`d."""
        queue = self._queues[topic]
        if not queue:
            return None
        message = queue.popleft()
        self._count(message, -1)
        self._number += 1
        self.moving[self._number] = message
        self._move(message, 1)
        return self._number, message

    def settle(self, number: int) -> Kept | None:
        """Forget a message that Kafka has or will never have; ``None``: it was put back meanwhile."""
        if (message := self.moving.pop(number, None)) is not None:
            self._move(message, -1)
        return message

    def put_back(self, numbers: Iterable[int]) -> None:
        """Put messages in flight back to the front of their queues, in order."""
        for number in sorted(numbers, reverse=True):
            if (message := self.settle(number)) is not None:
                self._queues[message.topic].appendleft(message)
                self._count(message, 1)

    def forget_before(self, ms: int, rules: Collection[Rule]) -> None:
        """Drop what these rules received before ``ms``: another process has passed it on."""
        for queue in self._queues.values():
            others: list[Kept] = []
            while queue and queue[0].at < ms:
                message = queue.popleft()
                if message.rule in rules:
                    self._count(message, -1)
                else:
                    others.append(message)
            queue.extendleft(reversed(others))

    def _drop_oldest(self) -> Kept:
        queue = min((queue for queue in self._queues.values() if queue), key=lambda queue: queue[0].at)
        message = queue.popleft()
        self._count(message, -1)
        return message

    def _move(self, message: Kept, many: int) -> None:
        moving = self._moving[message.topic]
        moving[0] += many
        moving[1] += many * message.size

    def _count(self, message: Kept, many: int) -> None:
        self.waiting += many
        self._size += many * message.size
