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
    """The source does not answer, or refuses; the text is its own words.

    :param is_refusal: it does answer.
    """

    def __init__(self, words: str, is_refusal: bool) -> None:
        super().__init__(words)
        self.is_refusal = is_refusal


class PublishError(Refusal):
    """The message could not be published; the text says what is known of it."""

    status = 503


class Receipt(NamedTuple):
    """How many subscriptions received a message.

    On a cluster one node counts exactly; at the others they are counted just afterwards, without the patterns
    of others. ``is_at_least``: there may have been more.

    ``tabs`` of them belong to pages of ours, whichever process serves them; ``None``: unknown.
    On a recorded channel the recorder is one of the receivers. ``is_promised``: the message will be in
    the log, also if the recorder ends before it has written it; or ``unrecorded`` says why not.
    """

    receivers: int
    tabs: int | None
    is_promised: bool = False
    unrecorded: str = ""
    is_at_least: bool = False


class Tail(Protocol):
    """The messages of one selection as they come, until it is left."""

    def size_after(self, change: Change) -> int:
        """How many names there would be."""

    def change(self, change: Change) -> None:
        """Go on with another selection; from any thread."""


class Source(Protocol):
    """One for each application."""

    def channels(self, visitor: Visitor, glob: bytes) -> dict[str, Any]:
        """The channels that ``glob`` matches and that the visitor may read, with their counts.

        :raise Refusal: it cannot be told.
        """

    def listeners(self, visitor: Visitor, channel: bytes, is_sharded: bool) -> dict[str, Any]:
        """How many listen to the channel now, and how many of them are tabs.

        :raise Refusal: it cannot be told, or not to this visitor.
        """

    def check_reading(self, visitor: Visitor, channel: bytes) -> None:
        """:raise NoRight: the visitor may not read what is stored of the channel."""

    def tail(
        self,
        visitor: Visitor,
        selection: Selection,
        resume_points: dict[bytes, ResumePoint],
        deliver: Deliver,
        fail: Callable[[], None],
    ) -> AbstractContextManager[Tail]:
        """Deliver batches, from threads of its own and one at a time, for as long as the block runs.

        :param resume_points: where stored channels resume.
        :param fail: is called once where the thread ends by a fault.
        """

    def read(self, channel: bytes, since: Point, until: Point | None) -> Iterator[list[LogEntry]]:
        """What is stored of a channel, a page at a time, oldest first.

        :raise Refusal: nothing is stored of it, or not from there.
        :raise SourceError: it cannot be read, at first or further on.
        """

    def volume(self, channel: bytes, since: Point, until: Point | None, parts: int) -> Volume | None:
        """How many messages are stored of a channel in each part of a span of time. ``None``: none are.

        :raise Refusal: nothing is stored of it.
        :raise SourceError: it cannot be read.
        """

    def publish(self, visitor: Visitor, channel: bytes, message: bytes, is_sharded: bool) -> Receipt:
        """:raise PublishError: it was not published, or nobody knows; the text says which."""

    def missing(self) -> list[str]:
        """The names of what does not answer, for a monitor: nothing that has to be kept from anybody."""
