"""Checks what a visitor may do with a channel.

Redis users subscribe and publish on their own connections, so Redis itself checks them.
Before this program changes a log for them, it queries their permissions.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from redis.exceptions import AuthenticationError

from arauto.auth.audit import Audit
from arauto.auth.visitor import ALL, Visitor
from arauto.i18n.gettext import gettext
from arauto.protocol.json_members import text
from arauto.protocol.selection import Selection
from arauto.protocol.topic_names import read_name
from arauto.protocol.topics import channel_of
from arauto.redis_io.connection import RedisLink
from arauto.refusal import Refusal


class NoRight(Refusal):
    """The visitor lacks a permission; the text is a sentence that names it.

    :param what: what was refused, for the audit trail, such as ``channel="news"``.
    """

    status = 403

    def __init__(self, sentence: str, **what: str) -> None:
        super().__init__(sentence)
        self.what = what


def check_subscribing(visitor: Visitor, names: Selection) -> None:
    """Check that the visitor's token may subscribe to ``names``; sharded channels count like others.

    Globs of topics are allowed to all: each topic that they match is checked later.

    :raise NoRight: it may not subscribe to one of these.
    """
    if visitor.reads is ALL:
        return
    topics = [channel_of(one.topic) for one in map(read_name, map(text, names.topics)) if not one.is_glob]
    for kind, channels in (("channel", [*names.channels, *topics]), ("shard", names.shards)):
        for name in channels:
            if not visitor.may_read(name):
                raise NoRight(
                    gettext("This token may not listen to %(name)s.", name=text(name)), **{kind: text(name)}
                )
    for name in names.patterns:
        if not visitor.may_read_all_of(name):
            raise NoRight(
                gettext("This token may not listen to all of %(name)s.", name=text(name)), pattern=text(name)
            )


def check_reading(visitor: Visitor, channel: bytes) -> None:
    """A visitor that may subscribe to a channel may read its log.

    :raise NoRight: the visitor may not.
    :raise redis.RedisError: Redis does not answer.
    """
    check_subscribing(visitor, Selection((channel,)))
    if visitor.redis_user:
        with _refuse_locked_out(visitor):
            may = visitor.link.may_subscribe(channel)
        if not may:
            raise NoRight(
                gettext(
                    "Redis does not let the user %(user)s listen to %(name)s.",
                    user=visitor.name,
                    name=text(channel),
                ),
                channel=text(channel),
            )


def readable(visitor: Visitor, channels: Iterable[bytes]) -> set[bytes]:
    """Those of ``channels`` that the visitor may read.

    :raise NoRight: Redis no longer accepts the visitor.
    :raise redis.RedisError: Redis does not answer.
    """
    allowed = [channel for channel in channels if visitor.may_read(channel)]
    if not visitor.redis_user:
        return set(allowed)
    with _refuse_locked_out(visitor):
        return set(visitor.link.may_subscribe_to(allowed))


class Permissions:
    """Checks of changes. Only the server itself publishes to the audit channel.

    :param link: the program's own, to query permissions of Redis users.
    """

    def __init__(self, link: RedisLink, audit: Audit) -> None:
        self._link = link
        self._audit = audit

    def check_publishing(self, visitor: Visitor, channel: bytes, is_sharded: bool = False) -> None:
        """:raise NoRight: the visitor is read-only, its token is for other channels, or it is the audit's."""
        if not is_sharded:
            self._check_not_audit(channel)
        if visitor.may_publish(channel):
            return
        if visitor.is_reader:
            raise NoRight(gettext("You may watch, but not publish. Nothing was published."))
        raise NoRight(
            gettext(
                "This token may not publish to %(channel)s. Nothing was published.", channel=channel.decode()
            )
        )

    def check_producing(self, visitor: Visitor, channel: bytes) -> None:
        """A visitor that may publish to ``channel`` may publish to the topic that it stands for.

        :raise NoRight: the visitor may not.
        :raise redis.RedisError: Redis does not answer, or refuses us.
        """
        self.check_publishing(visitor, channel)
        if not self._redis_lets_publish(visitor, channel):
            raise NoRight(
                gettext(
                    "Redis does not let the user %(user)s publish to %(channel)s. Nothing was published.",
                    user=visitor.name,
                    channel=channel.decode(),
                )
            )

    def check_recording(self, visitor: Visitor, channel: bytes) -> None:
        """A visitor that may publish to a channel may record it or delete its log.

        :raise NoRight: the visitor may not.
        :raise redis.RedisError: Redis does not answer, or refuses us.
        """
        self._check_not_audit(channel)
        if not visitor.may_publish(channel):
            raise NoRight(
                gettext(
                    "Only those who may publish to %(name)s may record it or delete its recording.",
                    name=text(channel),
                )
            )
        if not self._redis_lets_publish(visitor, channel):
            raise NoRight(
                gettext(
                    "Redis does not let the user %(user)s publish to %(name)s: "
                    "only those who may do that may record it or delete its recording.",
                    user=visitor.name,
                    name=text(channel),
                )
            )

    def check_acknowledging(self, visitor: Visitor, channel: bytes) -> None:
        """A visitor that may publish to a channel may take its messages, and give them back.

        :raise NoRight: the visitor may not.
        :raise redis.RedisError: Redis does not answer, or refuses us.
        """
        self._check_not_audit(channel)
        if not visitor.may_publish(channel) or not self._redis_lets_publish(visitor, channel):
            raise NoRight(
                gettext(
                    "Only those who may publish to %(name)s may acknowledge its messages.", name=text(channel)
                )
            )

    def _redis_lets_publish(self, visitor: Visitor, channel: bytes) -> bool:
        if not visitor.redis_user:
            return True
        check_redis_user(visitor)
        return self._link.user_may_run(visitor.name, "PUBLISH", channel, b"")

    def _check_not_audit(self, channel: bytes) -> None:
        if channel == self._audit.channel:
            raise NoRight(gettext("This channel is for the audit trail: nobody else publishes to it here."))


def check_redis_user(visitor: Visitor) -> None:
    """Check that Redis still accepts the visitor, if it is a Redis user.

    :raise NoRight: it does not.
    :raise redis.RedisError: it does not answer.
    """
    if visitor.redis_user and not visitor.link.can_log_in():
        raise NoRight(_locked_out_sentence(visitor))


@contextmanager
def _refuse_locked_out(visitor: Visitor) -> Iterator[None]:
    try:
        yield
    except AuthenticationError:
        raise NoRight(_locked_out_sentence(visitor)) from None


def _locked_out_sentence(visitor: Visitor) -> str:
    return gettext("Redis no longer lets the user %(user)s in: log in again.", user=visitor.name)
