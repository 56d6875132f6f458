"""Sharded channels that a page's own subscriber does not have: their subscribers and gaps."""

from dataclasses import dataclass
from time import monotonic, time

from arauto.protocol.events import Item, Refused, ShardGap
from arauto.redis_io.subscriber import Subscriber
from arauto.system.concurrency import make_lock

FIRST, LONGEST = 0.5, 4.0  # seconds between two attempts


@dataclass(slots=True)
class Shard:
    """One sharded channel.

    :param at: its subscriber; ``None``: it waits for one.
    :param since: messages may be missing since then, in Unix seconds; ``None``: none are.
    :param words: Redis's error why it waits; empty: there was none.
    :param attempts: failed ones.
    :param reported: the refusal that the page was sent.
    """

    at: Subscriber | None
    is_confirmed: bool = False
    since: float | None = None
    words: str = ""
    attempts: int = 0
    retry_at: float = 0.0
    reported: Refused | None = None

    @property
    def gap(self) -> tuple[float, float] | None:
        """The span in which messages may be missing, up to now, in Unix seconds."""
        return None if self.since is None else (self.since, max(self.since, time()))


class ShardsElsewhere:
    """Safe for all threads.

    :param own: the page's own subscriber.
    :param settle: seconds after which messages of one connection cannot be received by the next one again.
    """

    def __init__(self, own: Subscriber, settle: float) -> None:
        self._own = own
        self._settle = settle
        self._lock = make_lock()
        self._shards: dict[bytes, Shard] = {}

    def names(self) -> set[bytes]:
        with self._lock:
            return set(self._shards)

    def waiting(self) -> dict[bytes, Shard]:
        """The channels without a subscriber."""
        with self._lock:
            return {name: shard for name, shard in self._shards.items() if shard.at is None}

    def has(self, holder: Subscriber) -> bool:
        """Whether ``holder`` is the subscriber of one of them."""
        with self._lock:
            return any(shard.at is holder for shard in self._shards.values())

    def states(self) -> list[Item]:
        """The states of all channels, as last sent to the page."""
        with self._lock:
            return [
                shard.reported or [b"ssubscribe", name, 1]
                for name, shard in self._shards.items()
                if shard.reported or shard.is_confirmed
            ]

    def ask(self, name: bytes) -> Subscriber:
        """The subscriber that is to subscribe to the channel, even if it did before."""
        with self._lock:
            shard = self._shards.get(name)
            if shard is None:
                return self._own
            shard.reported = None
            shard.at = shard.at or self._own
            return shard.at

    def drop(self, name: bytes) -> Subscriber:
        """Drop a channel that is no longer selected; returns its last subscriber."""
        with self._lock:
            shard = self._shards.pop(name, None)
            return (shard and shard.at) or self._own

    def give(self, name: bytes, holder: Subscriber) -> None:
        """Set the subscriber of a channel."""
        with self._lock:
            if name in self._shards:
                self._shards[name].at = holder

    def confirm(self, name: bytes, holder: Subscriber) -> list[Item]:
        """Redis has confirmed a channel; returns the gap to deliver before that."""
        with self._lock:
            shard = self._shards.get(name)
            if shard is None:
                return []
            gap = shard.gap
            shard.is_confirmed, shard.since, shard.reported, shard.attempts = True, None, None, 0
            if holder is self._own:
                del self._shards[name]
            return [] if gap is None else [ShardGap(name, *gap)]

    def give_up(self, holder: Subscriber, name: bytes, since: float | None, words: str) -> None:
        """``holder`` has lost the channel, or cannot get it now."""
        with self._lock:
            if holder is self._own and name not in self._shards:
                self._shards[name] = Shard(holder)
            if name in self._shards and self._shards[name].at is holder:
                self._let_wait(self._shards[name], since, words)

    def lose(self, holder: Subscriber, since: float, words: str) -> None:
        """``holder`` has lost all its channels."""
        with self._lock:
            for shard in self._shards.values():
                if shard.at is holder:
                    self._let_wait(shard, since if shard.is_confirmed else None, words)

    def _let_wait(self, shard: Shard, since: float | None, words: str) -> None:
        shard.at, shard.is_confirmed, shard.words = None, False, words
        shard.since = since if shard.since is None else shard.since
        pause = min(LONGEST, FIRST * 2 ** (shard.attempts - 1)) if shard.attempts else 0.0
        shard.attempts += 1
        shard.retry_at = monotonic() + max(pause, 0.0 if shard.since is None else self._settle)
