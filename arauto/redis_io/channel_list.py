"""Lists active channels with their subscribers; counts the subscribers of one."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar, cast

import redis
from redis.exceptions import NoPermissionError

from arauto.i18n.gettext import gettext
from arauto.protocol.json_members import named
from arauto.protocol.tab_counting import ALL_OF_PATTERNS, is_shadow, of_channel, of_shard, pattern_of
from arauto.protocol.validation import is_own_shard
from arauto.redis_io.connection import RedisLink, error_text
from arauto.refusal import Refusal
from arauto.text.glob import matches

MAX_LISTED = 1000  # channels; the others are only counted
_MOST = 1_000_000  # subscribers; a larger number is not plausible

_T = TypeVar("_T")


class ChannelsError(Refusal):
    """Redis refuses to list its channels; the text says why."""


def list_channels(link: RedisLink, match: bytes, may_read: Callable[[bytes], bool]) -> dict[str, Any]:
    """The channels that match ``match`` (a glob), have subscribers and may be read, sorted by name.

    ``subscribers`` is ``None`` if Redis returned an impossible number, or a node of a cluster does not
    answer; for names that are not UTF-8 see :func:`~arauto.protocol.events.named`. ``shards`` are the sharded
    channels; there are none on an old Redis. ``total`` counts both, ``cut`` says that not all are listed,
    ``patterns`` counts the patterns of all clients (``None``: unknown); on a cluster those of other clients
    count once on each node.

    :raise ChannelsError: Redis refuses.
    :raise redis.RedisError: it does not answer.
    """
    with _refusals():
        nodes, are_all = link.nodes()
        found = _ask(nodes, lambda node: _pubsub_channels(node, match))
        names = {name for one in found for name in one}
        alive = sorted(name for name in names if not is_shadow(name) and may_read(name))
        shards = {name for one in _ask(nodes, lambda node: _shards(node, match)) for name in one}
        sharded = sorted(name for name in shards if not is_own_shard(name) and may_read(name))
        patterns = _ask(nodes, _patterns if link.is_cluster else _count_patterns)
        are_all = are_all and len(patterns) == len(nodes)
        return {
            "channels": _counted("channel", alive[:MAX_LISTED], nodes, are_all),
            "shards": _counted("shard", sharded[:MAX_LISTED], nodes, are_all),
            "total": len(alive) + len(sharded),
            "cut": max(len(alive), len(sharded)) > MAX_LISTED,
            "patterns": _all_patterns(patterns) if are_all else None,
        }


class Count(NamedTuple):
    """Counts of one server; ``None``: unknown. ``patterns`` are those of other clients."""

    receivers: int | None
    tabs: int | None
    patterns: int


def count_listeners(link: RedisLink, kind: str, name: bytes) -> dict[str, Any]:
    """How many receivers a message would have now on a ``channel`` or ``shard``, as Redis would count them.

    ``receivers`` are the subscribers of the name and the tabs whose patterns match it, ``tabs`` the
    tabs among them; ``None``: unknown. Of the patterns of other clients Redis returns only the number,
    ``patterns``. Each that matches is one more receiver for each client that has it.

    :raise ChannelsError: Redis refuses.
    :raise redis.RedisError: it does not answer.
    """
    with _refusals():
        nodes, are_all = link.nodes()
        counts = _ask(nodes, lambda node: count_at(node, kind, name))
        are_all = are_all and len(counts) == len(nodes)
        return {
            **named(kind, name),
            "receivers": _sum([one.receivers for one in counts]) if are_all else None,
            "tabs": _sum([one.tabs for one in counts]) if are_all and link.may_count_tabs else None,
            "patterns": sum(one.patterns for one in counts),
        }


def count_at(node: RedisLink, kind: str, name: bytes) -> Count:
    """The receivers that a message would have on this server; no pattern matches a sharded channel."""
    if kind == "shard":
        (subscribers,) = _subscribers(node, [name], kind)
        (tabs,) = _subscribers(node, [of_shard(name)])
        return Count(subscribers, tabs, 0)
    patterns, shadows = _patterns(node)
    matching = [shadow for shadow in shadows if matches(pattern_of(shadow), name)]
    subscribers, *of_tabs = _subscribers(node, [name, of_channel(name), *matching])
    return Count(_sum([subscribers, *of_tabs[1:]]), _sum(of_tabs), max(0, patterns - len(shadows)))


def _ask(nodes: list[RedisLink], question: Callable[[RedisLink], _T]) -> list[_T]:
    """The answers of the nodes that answer.

    :raise redis.RedisError: none does, or one refuses.
    """
    answers = []
    for node in nodes:
        try:
            answers.append(question(node))
        except (redis.ConnectionError, redis.TimeoutError):
            if len(nodes) == 1:
                raise
    if not answers:
        raise redis.ConnectionError("no node answers")
    return answers


def _pubsub_channels(node: RedisLink, match: bytes) -> list[bytes]:
    return cast(list[bytes], node.client.pubsub_channels(match))


def _patterns(node: RedisLink) -> tuple[int, list[bytes]]:
    """The number of patterns, and the shadow channels of patterns of tabs."""
    patterns = node.client.pubsub_numpat()
    return patterns, _pubsub_channels(node, ALL_OF_PATTERNS) if patterns else []


def _count_patterns(node: RedisLink) -> tuple[int, list[bytes]]:
    return node.client.pubsub_numpat(), []


def _all_patterns(found: list[tuple[int, list[bytes]]]) -> int:
    ours = {name for _, shadows in found for name in shadows}
    return len(ours) + sum(max(0, patterns - len(shadows)) for patterns, shadows in found)


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
        return []  # it is older than Redis 7, or the user may not run the command


def _counted(kind: str, names: list[bytes], nodes: list[RedisLink], are_all: bool) -> list[dict[str, Any]]:
    counts = _ask(nodes, lambda node: _subscribers(node, names, kind))
    are_all = are_all and len(counts) == len(nodes)
    return [
        {**named(kind, name), "subscribers": _sum(subscribers) if are_all else None}
        for name, *subscribers in zip(names, *counts, strict=True)
    ]


def _subscribers(link: RedisLink, names: list[bytes], kind: str = "channel") -> list[int | None]:
    if not names:
        return []
    ask = link.client.pubsub_shardnumsub if kind == "shard" else link.client.pubsub_numsub
    counts = [count for _, count in ask(*names)]
    most = _clients(link)
    return [count if count <= most else None for count in counts]


def _sum(counts: Iterable[int | None]) -> int | None:
    known = list(counts)
    return None if None in known else sum(count or 0 for count in known)


def _clients(link: RedisLink) -> int:
    """The number of clients: more subscribers than that are implausible. Valkey 9.1 returns millions while
    it enlarges its table of a channel's subscribers.
    """
    try:
        return int(link.client.info("clients")["connected_clients"])
    except redis.ResponseError:
        return _MOST  # a user without permission for INFO
