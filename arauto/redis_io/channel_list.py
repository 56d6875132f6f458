"""What is alive at Redis now: channels with their subscribers, and the number of patterns."""

from collections.abc import Callable
from typing import Any, cast

import redis
from redis.exceptions import NoPermissionError

from arauto.i18n.gettext import gettext
from arauto.protocol.events import named
from arauto.protocol.tab_counting import is_shadow
from arauto.redis_io.connection import RedisLink, complaint
from arauto.refusal import Refusal

MAX_LISTED = 1000  # channels; the rest is only counted
_MOST = 1_000_000  # subscribers; a number beyond it is taken for nonsense


class ChannelsError(Refusal):
    """Redis did not tell; the text says why."""


def list_channels(link: RedisLink, match: bytes, may_read: Callable[[bytes], bool]) -> dict[str, Any]:
    """The channels that ``match`` (a glob), that anyone listens to and that one may read, by name.

    ``subscribers`` is ``None`` where Redis gave no possible number; for names that are not UTF-8
    see :func:`~arauto.protocol.events.named`. ``total`` counts all, ``cut`` says that not all are
    listed, ``patterns`` counts the patterns of everyone.

    :raise ChannelsError: Redis refuses.
    :raise redis.RedisError: it does not answer.
    """
    try:
        names = cast(list[bytes], link.client.pubsub_channels(match))
        alive = sorted(name for name in names if not is_shadow(name) and may_read(name))
        listed = alive[:MAX_LISTED]
        return {
            "channels": [
                {**named("channel", name), "subscribers": subscribers}
                for name, subscribers in zip(listed, _subscribers(link, listed), strict=True)
            ],
            "total": len(alive),
            "cut": len(alive) > MAX_LISTED,
            "patterns": link.client.pubsub_numpat(),
        }
    except redis.ResponseError as error:
        status = 403 if isinstance(error, NoPermissionError) else 502
        sentence = gettext("Redis refuses to list its channels: %(words)s", words=complaint(error))
        raise ChannelsError(sentence, status) from None


def _subscribers(link: RedisLink, names: list[bytes]) -> list[int | None]:
    if not names:
        return []
    counts = [count for _, count in link.client.pubsub_numsub(*names)]
    most = _clients(link)
    return [count if count <= most else None for count in counts]


def _clients(link: RedisLink) -> int:
    """How many clients there are. More subscribers cannot be, but Valkey 9.1 says millions
    while it enlarges its table of a channel's subscribers."""
    try:
        return int(link.client.info("clients")["connected_clients"])
    except redis.ResponseError:
        return _MOST  # a user without the right to INFO
