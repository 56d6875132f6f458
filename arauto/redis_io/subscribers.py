"""The subscribers of one page: its own, and those on other nodes that have sharded channels of the page.

The page's own one subscribes to all names. A sharded channel that its node does not have is moved to a
subscriber on the right node. While no node serves it, the page shows that; its other names are not affected.
"""

from collections.abc import Callable
from types import TracebackType
from typing import Self

from arauto.protocol.events import Deliver, Item
from arauto.protocol.selection import Change, Selection
from arauto.redis_io.connection import RedisLink
from arauto.redis_io.other_nodes import OtherNodes
from arauto.redis_io.subscriber import JOIN_PATIENCE, Explain, MakeCommands, Subscriber
from arauto.system.concurrency import make_lock
from arauto.system.timer_wheel import TimerWheel


class Subscribers:
    """The subscriptions of one page.

    :param deliver: takes the batches of all subscribers, one at a time.
    :param on_fault: called when a thread ends by an unexpected error.
    :param explain: replaces the error of a refusal by a sentence.
    :param through: takes the batches of the page's own subscriber instead of ``deliver``.
    :param commands: makes the commands of the page's own subscriber.

    Use it in a ``with`` block: leaving it ends the threads and their connections.
    """

    # Few pages ever need subscribers on other nodes, and there may be thousands of pages.
    __slots__ = ("_asking", "_explain", "_link", "_on_fault", "_others", "_out", "_through", "_timers", "own")

    def __init__(
        self,
        link: RedisLink,
        selection: Selection,
        deliver: Deliver,
        on_fault: Callable[[], None],
        timers: TimerWheel,
        explain: Explain,
        through: Deliver | None = None,
        commands: MakeCommands | None = None,
    ) -> None:
        self.own: Subscriber = Subscriber(
            lambda: link.connect(self.own.shards),
            self._deliver,
            on_fault,
            timers,
            selection,
            commands,
            moves=lambda: link.moves,
            settle=link.settle,
            explain=explain,
            give_up=self._give_up,
        )
        """The page's own subscriber, which has all names except for some sharded channels."""
        self._link = link
        self._out = deliver
        self._on_fault = on_fault
        self._timers = timers
        self._explain = explain
        self._through = through or deliver
        self._asking = make_lock()  # guards the assignment of channels to subscribers
        self._others: OtherNodes | None = None

    def __enter__(self) -> Self:
        self.own.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.own.stop()
        self.own.join(JOIN_PATIENCE)
        if self._others is not None:
            self._others.close()

    def size_after(self, change: Change) -> int:
        """How many names would be selected after ``change``."""
        elsewhere = self._others.names() if self._others else set()
        elsewhere -= {*change.ssubscribe, *change.sunsubscribe, *self.own.shards}
        return self.own.size_after(change) + len(elsewhere)

    def change(self, change: Change) -> None:
        """Change the selection without losing a message of the rest; from any thread."""
        with self._asking:
            if self._others is None:
                self.own.change(change)
            else:
                self._others.change(change)
            if self._others is not None:
                self._others.forget(change.sunsubscribe)  # channels that our own has just given up

    def _deliver(self, batch: list[Item]) -> None:
        if self._others is None:
            self._through(batch)  # this very list, which other pages share
        else:
            self._others.deliver_of_own(batch, self._through)

    def _give_up(self, name: bytes, since: float | None, words: str) -> None:
        if self._others is None:
            self._others = OtherNodes(
                self._link, self.own, self._asking, self._out, self._on_fault, self._timers, self._explain
            )
        self._others.give_up(self.own, name, since, words)
