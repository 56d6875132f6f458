"""Publishes a message to Redis, and counts its receivers and the open tabs among them."""

from typing import Any

import redis
from redis.connection import AbstractConnection, Connection
from redis.exceptions import (
    AskError,
    AuthenticationError,
    ClusterDownError,
    MovedError,
    NoPermissionError,
    NoScriptError,
    TryAgainError,
)

from arauto.i18n.gettext import gettext
from arauto.protocol.tab_counting import ALL_OF_PATTERNS, of_channel, of_shard, pattern_of
from arauto.recording.log_store import Command
from arauto.recording.recorded_channels import Recording
from arauto.recording_core.log_keys import head_of
from arauto.redis_io.channel_list import count_at
from arauto.redis_io.connection import RedisLink, error_text
from arauto.sources.refusal_words import elsewhere, unsupported
from arauto.sources.source import PublishError, Receipt
from arauto.text.glob import matches

_NUMPAT: Command = ("PUBSUB", "NUMPAT")
_SHADOWS_OF_PATTERNS: Command = ("PUBSUB", "CHANNELS", ALL_OF_PATTERNS)


def publish(
    recording: Recording, channel: bytes, message: bytes, link: RedisLink, redis_user: str = ""
) -> Receipt:
    """Publish ``message`` unchanged. If its channel is recorded, promise it to the log in the same script.

    A message that cannot be recorded is published all the same. A visitor with a Redis user publishes on a
    connection of that user, so that Redis checks permissions; the recorder receives it like any other.

    :param link: the visitor's connection to Redis.
    :param redis_user: the visitor's Redis user, or empty.

    :raise PublishError: Redis does not answer, or refuses; the text names the Redis user.
    """
    plain: Command = ("PUBLISH", channel, message)
    if redis_user or not recording.covers(channel):
        return _publish(link, channel, plain, redis_user)
    by_name, whole = recording.store.publish_commands(channel, message)
    try:
        try:
            receipt = _publish(link, channel, by_name, at=head_of(channel))
        except _NotKnown:
            receipt = _publish(link, channel, whole, at=head_of(channel))
    except _NotRun as error:
        receipt = _publish(link, channel, plain)._replace(unrecorded=str(error))
    recording.report(channel, receipt.unrecorded, by="publishing")
    return receipt


def publish_sharded(shard: bytes, message: bytes, link: RedisLink, redis_user: str = "") -> Receipt:
    """Publish to a sharded channel, which is never recorded.

    :raise PublishError: as :func:`publish`; or another node serves the channel, or Redis is too old.
    """
    return _publish(link, shard, ("SPUBLISH", shard, message), redis_user)


class _NotRun(Exception):
    """Redis did not run the script to its end, so nothing was published; the text is Redis's."""


class _NotKnown(_NotRun):
    """Redis does not know the script, or not by its SHA-1."""


def _publish(
    link: RedisLink, channel: bytes, command: Command, user: str = "", at: bytes | None = None
) -> Receipt:
    """:param at: a key: publish on its node rather than on that of the channel."""
    try:
        node, connection = _connect(link, at or channel)
    except redis.RedisError as error:
        if user and isinstance(error, AuthenticationError):
            sentence = gettext("Redis no longer lets the user %(user)s in: log in again.", user=user)
            raise PublishError(sentence, 403) from None
        raise PublishError(
            gettext("Redis is unreachable: the message was not published. Try again when it is back."),
            retry_after=1,
        ) from None
    # The commands are sent by hand and never twice: without a reply it is unknown whether the message was
    # published, and a client that retries might publish it again.
    try:
        is_sharded = command[0] == "SPUBLISH"
        _send(connection, command, _numsub((of_shard if is_sharded else of_channel)(channel)), _NUMPAT)
        answer = connection.read_response()
        receivers, is_promised, why = answer if isinstance(answer, list) else (answer, 0, None)
        tabs = _tabs(link, connection, channel, receivers, is_sharded)
        receipt = Receipt(receivers, tabs, bool(is_promised), (why or b"").decode(errors="replace"))
    except redis.ResponseError as error:
        connection.disconnect()  # the other replies are still to come
        not_run = _not_run(error) if command[0] not in ("PUBLISH", "SPUBLISH") else None
        if not_run is not None:
            raise not_run(error_text(error)) from None
        unsharded = _no_shard(error, link, channel) if is_sharded else None
        raise (unsharded or _refused(error, channel, user)) from None
    except redis.RedisError:
        raise PublishError(
            gettext("Redis did not answer: the message may have been published or not.")
        ) from None
    finally:
        node.client.connection_pool.release(connection)
    return _add_others(receipt, link, node, channel, is_sharded) if link.is_cluster else receipt


def _no_shard(error: redis.ResponseError, link: RedisLink, shard: bytes) -> PublishError | None:
    """``None``: the error is not about sharded channels."""
    if isinstance(error, MovedError) and link.is_cluster:
        # Another node has replied: the channel's own node is unreachable, or has just lost it.
        sentence = gettext(
            "The node of this sharded channel does not answer, or the channel is just moving to another one: "
            "try again. Nothing was published."
        )
        return PublishError(sentence, retry_after=1)
    if isinstance(error, MovedError):
        return PublishError(elsewhere(shard.decode(), str(error).split()[-1]), 502)
    return PublishError(unsupported(), 501) if str(error).startswith("unknown command") else None


def _refused(error: redis.ResponseError, channel: bytes, user: str) -> PublishError:
    status = 403 if isinstance(error, NoPermissionError) else 502
    status = 503 if isinstance(error, ClusterDownError) else status
    if user and status == 403:
        sentence = gettext(
            "Redis does not let the user %(user)s publish to %(channel)s. Nothing was published.",
            user=user,
            channel=channel.decode(),
        )
    else:
        sentence = gettext("Redis refused the message: %(words)s", words=error_text(error))
    return PublishError(sentence, status)


def _connect(link: RedisLink, channel: bytes) -> tuple[RedisLink, Connection]:
    """A connection to publish on, and its node."""
    nodes = link.publishers(channel)
    for node in nodes[:-1]:
        try:
            return node, node.client.connection_pool.get_connection()
        except AuthenticationError:
            raise
        except redis.RedisError:
            pass  # nothing was sent to it, so the next node may publish
    return nodes[-1], nodes[-1].client.connection_pool.get_connection()


def _add_others(
    receipt: Receipt, link: RedisLink, publisher: RedisLink, channel: bytes, is_sharded: bool
) -> Receipt:
    """Count on the other nodes of the cluster too. The message is published, whatever they reply."""
    kind = "shard" if is_sharded else "channel"
    counts, tabs, is_at_least = [receipt.receivers], [receipt.tabs], False
    try:
        nodes, are_all = link.nodes()
        if not are_all:
            raise redis.ConnectionError("a node does not answer")
        for node in nodes:
            if node is not publisher:
                count = count_at(node, kind, channel)
                counts.append(count.receivers or 0)
                tabs.append(count.tabs if link.may_count_tabs else None)
                is_at_least = is_at_least or count.receivers is None or count.patterns > 0
    except (redis.RedisError, OSError):
        is_at_least = True
        tabs.append(None)
    all_tabs = None if None in tabs else sum(one or 0 for one in tabs)
    return receipt._replace(receivers=sum(counts), tabs=all_tabs, is_at_least=is_at_least)


def _not_run(error: redis.ResponseError) -> type[_NotRun] | None:
    """``None``: not an error of Redis itself, but perhaps of a proxy in between."""
    words = str(error).lower()
    if isinstance(error, NoScriptError) or "'evalsha'" in words:
        return _NotKnown
    # Publishing is the script's last step, so any error comes before it.
    is_redis = isinstance(error, NoPermissionError | AskError | MovedError | TryAgainError | ClusterDownError)
    is_redis = is_redis or "script" in words or "unknown command" in words
    return _NotRun if is_redis else None


def _numsub(*names: bytes) -> Command:
    return ("PUBSUB", "NUMSUB", *names)


def _send(connection: AbstractConnection, *commands: Command) -> None:
    connection.send_packed_command(connection.pack_commands(commands))


def _tabs(
    link: RedisLink, connection: AbstractConnection, channel: bytes, receivers: int, is_sharded: bool
) -> int | None:
    """How many receivers are tabs; all pending replies are read.

    The message is published: an error from here on only leaves the number unknown.
    """
    try:
        by_channel, patterns = _answer(connection), _answer(connection)
        tabs = _sum(by_channel)
        # Listing shadow channels of patterns takes Redis some time: only if a pattern may have received it.
        if patterns and tabs < receivers and not is_sharded:
            tabs += _by_pattern(connection, channel)
        if tabs < receivers and not link.may_count_tabs:
            return None
    except (redis.RedisError, OSError):
        return None
    # There cannot be more tabs than receivers. Valkey 9.1 returns millions for NUMSUB while it
    # enlarges its table of a channel's subscribers.
    return tabs if tabs <= receivers else None


def _answer(connection: AbstractConnection) -> Any:
    try:
        return connection.read_response()
    except redis.ResponseError:
        connection.disconnect()
        raise


def _by_pattern(connection: AbstractConnection, channel: bytes) -> int:
    _send(connection, _SHADOWS_OF_PATTERNS)
    shadows = [name for name in _answer(connection) if matches(pattern_of(name), channel)]
    if not shadows:
        return 0
    _send(connection, _numsub(*shadows))
    return _sum(_answer(connection))


def _sum(numsub: list[Any]) -> int:
    """The sum of the counts in ``PUBSUB NUMSUB``, which alternate with names."""
    return sum(numsub[1::2])
