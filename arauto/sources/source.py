"""The interface of a source of messages, such as Redis."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol

from arauto.auth.visitor import Visitor
from arauto.protocol.events import Deliver
from arauto.protocol.log_entries import LogEntry, Volume
from arauto.protocol.log_query import Point
from arauto.protocol.resume import ResumePoint
from arauto.protocol.selection import Change, Selection
from arauto.refusal import Refusal


class SourceError(Exception):
    """The source does not answer, or refuses; the text is the source's own error.

    :param is_refusal: it did answer.
    """

    def __init__(self, words: str, is_refusal: bool) -> None:
        super().__init__(words)
        self.is_refusal = is_refusal


class PublishError(Refusal):
    """The message was not published, or it is unknown whether it was; the text says which."""

    status = 503


class Receipt(NamedTuple):
    """How many subscriptions received a message.

    On a cluster only the publishing node counts exactly; on the others they are counted just afterwards,
    without patterns of other clients. ``is_at_least``: there may have been more.

    ``tabs`` of them are tabs, of any process; ``None``: unknown. On a recorded channel the recorder is one of
    the receivers. ``is_promised``: the message will be in the log, even if the recorder ends before it has
    written it; else ``unrecorded`` says why not.
    """

    receivers: int
    tabs: int | None
    is_promised: bool = False
    unrecorded: str = ""
    is_at_least: bool = False


class Tail(Protocol):
    """The new messages of one selection, while its ``with`` block runs."""

    def size_after(self, change: Change) -> int:
        """How many names the selection would have after ``change``."""

    def change(self, change: Change) -> None:
        """Change the selection; from any thread."""


class Source(Protocol):
    """One for each application."""

    def channels(self, visitor: Visitor, glob: bytes) -> dict[str, Any]:
        """The channels that ``glob`` matches and that the visitor may read, with their subscribers.

        :raise Refusal: the source does not answer, or refuses.
        """

    def listeners(self, visitor: Visitor, channel: bytes, is_sharded: bool) -> dict[str, Any]:
        """How many subscribers the channel has now, and how many of them are tabs.

        :raise Refusal: the source does not answer, or refuses, or the visitor may not subscribe.
        """

    def check_reading(self, visitor: Visitor, channel: bytes) -> None:
        """:raise NoRight: the visitor may not read the channel's log."""

    def tail(
        self,
        visitor: Visitor,
        selection: Selection,
        resume_points: dict[bytes, ResumePoint],
        deliver: Deliver,
        fail: Callable[[], None],
    ) -> AbstractContextManager[Tail]:
        """Deliver batches, from threads of its own and one at a time, while the block runs.

        :param resume_points: where recorded channels resume.
        :param fail: called once if the thread ends by an unexpected error.
        """

    def read(self, channel: bytes, since: Point, until: Point | None) -> Iterator[list[LogEntry]]:
        """The log of a channel, a page at a time, oldest first.

        :raise Refusal: the channel is not recorded, or its log has no such point.
        :raise SourceError: the log cannot be read, at first or further on.
        """

    def volume(self, channel: bytes, since: Point, until: Point | None, parts: int) -> Volume | None:
        """How many messages the log of a channel has in each part of a span of time. ``None``: none.

        :raise Refusal: the channel is not recorded.
        :raise SourceError: the log cannot be read.
        """

    def publish(self, visitor: Visitor, channel: bytes, message: bytes, is_sharded: bool) -> Receipt:
        """:raise PublishError: it was not published, or it is unknown whether it was; the text says which."""

    def missing(self) -> list[str]:
        """Names of the servers that do not answer, for a monitor; they contain nothing secret."""
