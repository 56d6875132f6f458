"""List live channels with their subscribers; count who listens to one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import redis
from redis.exceptions import NoPermissionError

from arauto.i18n.gettext import gettext
from arauto.protocol.events import named
from arauto.protocol.tab_counting import ALL_OF_PATTERNS, is_shadow, of_channel, of_shard, pattern_of
from arauto.protocol.validation import is_own_shard
from arauto.redis_io.connection import RedisLink, error_text
from arauto.refusal import Refusal
from arauto.text.glob import matches

MAX_LISTED = 1000  # channels; the others are only counted
_MOST = 1_000_000  # subscribers; a larger number is not plausible


class ChannelsError(Refusal):
    """Redis does not list its channels; the text says why."""


def list_channels(link: RedisLink, match: bytes, may_read: Callable[[bytes], bool]) -> dict[str, Any]:
    """The channels that match ``match`` (a glob), have subscribers and may be read, sorted by name.

    ``subscribers`` is ``None`` if Redis returned an impossible number; for names that are not UTF-8 see
    :func:`~arauto.protocol.events.named`. ``shards`` are the sharded channels of this node; there are none
    where Redis has no such thing. ``total`` counts both, ``cut`` tells that not all are listed, ``patterns``
    counts everyone's patterns.

    :raise ChannelsError: Redis refuses.
    :raise redis.RedisError: it does not answer.
    """
    with _refusals():
        names = cast(list[bytes], link.client.pubsub_channels(match))
        alive = sorted(name for name in names if not is_shadow(name) and may_read(name))
        shards = sorted(name for name in _shards(link, match) if not is_own_shard(name) and may_read(name))
        return {
            "channels": _counted("channel", alive[:MAX_LISTED], link),
            "shards": _counted("shard", shards[:MAX_LISTED], link),
            "total": len(alive) + len(shards),
            "cut": max(len(alive), len(shards)) > MAX_LISTED,
            "patterns": link.client.pubsub_numpat(),
        }


def count_listeners(link: RedisLink, channel: bytes) -> dict[str, Any]:
    """How many would receive a message on ``channel`` now, as PUBLISH would count them.

    ``receivers`` are the subscribers of the channel and the tabs whose patterns match it, ``tabs`` the
    tabs among them; ``None``: unknown. Of the patterns of others Redis tells only how many there are:
    ``patterns``. Each that matches is one receiver more for each client that has it.

    :raise ChannelsError: Redis refuses.
    :raise redis.RedisError: it does not answer.
    """
    with _refusals():
        patterns = link.client.pubsub_numpat()
        shadows = cast(list[bytes], link.client.pubsub_channels(ALL_OF_PATTERNS)) if patterns else []
        matching = [name for name in shadows if matches(pattern_of(name), channel)]
        subscribers, *tabs = _subscribers(link, [channel, of_channel(channel), *matching])
        return {
            **named("channel", channel),
            "receivers": _sum([subscribers, *tabs[1:]]),
            "tabs": _sum(tabs) if link.may_count_tabs else None,
            "patterns": max(0, patterns - len(shadows)),
        }


def count_shard_listeners(link: RedisLink, shard: bytes) -> dict[str, Any]:
    """The same for a sharded channel, as this node has it; no pattern matches one.

    :raise ChannelsError: Redis refuses.
    :raise redis.RedisError: it does not answer.
    """
    with _refusals():
        (subscribers,) = _subscribers(link, [shard], "shard")
        (tabs,) = _subscribers(link, [of_shard(shard)])
        return {
            **named("shard", shard),
            "receivers": subscribers,
            "tabs": tabs if link.may_count_tabs else None,
            "patterns": 0,
        }


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except redis.ResponseError as error:
        status = 403 if isinstance(error, NoPermissionError) else 502
        sentence = gettext("Redis refuses to list its channels: %(words)s", words=error_text(error))
        raise ChannelsError(sentence, status) from None


def _shards(link: RedisLink, match: bytes) -> list[bytes]:
    try:
        return cast(list[bytes], link.client.pubsub_shardchannels(match))
    except redis.ResponseError:
        return []  # it is older than Redis 7, or the user may not ask


def _counted(kind: str, names: list[bytes], link: RedisLink) -> list[dict[str, Any]]:
    counts = _subscribers(link, names, kind)
    return [{**named(kind, name), "subscribers": count} for name, count in zip(names, counts, strict=True)]


def _subscribers(link: RedisLink, names: list[bytes], kind: str = "channel") -> list[int | None]:
    if not names:
        return []
    ask = link.client.pubsub_shardnumsub if kind == "shard" else link.client.pubsub_numsub
    counts = [count for _, count in ask(*names)]
    most = _clients(link)
    return [count if count <= most else None for count in counts]


def _sum(counts: list[int | None]) -> int | None:
    return None if None in counts else sum(count or 0 for count in counts)


def _clients(link: RedisLink) -> int:
    """The number of clients. There cannot be more subscribers, but Valkey 9.1 returns millions while it
    enlarges its table of a channel's subscribers.
    """
    try:
        return int(link.client.info("clients")["connected_clients"])
    except redis.ResponseError:
        return _MOST  # a user without permission for INFO
