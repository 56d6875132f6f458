"""Converts logs of earlier versions. Remove this file when there are none left."""

import logging
from typing import Any

import redis

from arauto.protocol.json_members import quoted
from arauto.recording.log_store import Store
from arauto.redis_io.connection import error_text

_HEADS, _SWITCHED = b"arauto:logs", b"arauto:recorded"
_REST = (b"arauto:unsaid", b"arauto:recorder")

log = logging.getLogger("arauto")


def upgrade(store: Store) -> list[bytes]:
    """Convert all logs of earlier versions, and return their channels. Call it before any log is taken.

    It may be interrupted, or run in several processes: nothing is converted twice. A log that cannot be
    converted is left alone and logged.

    :raise redis.RedisError: Redis does not answer.
    """
    client: Any = store.client
    try:
        heads, switched = client.hkeys(_HEADS), client.hkeys(_SWITCHED)
        upgraded = [channel for channel in {*heads, *switched} if _upgrade(store, channel)]
        if (heads or switched) and not client.exists(_HEADS, _SWITCHED):
            client.unlink(*_REST)
    except redis.ResponseError as error:
        log.warning("upgrade failed why=%r", error_text(error))
        return []
    return upgraded


def _upgrade(store: Store, channel: bytes) -> bool:
    try:
        store.register(channel)
        done = store.upgrade(channel)
    except redis.ResponseError as error:
        done = error_text(error)
    if isinstance(done, str):
        log.warning("upgrade skipped channel=%s why=%r", quoted(channel), done)
    return done == 1
