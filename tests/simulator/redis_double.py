"""A test double of Redis for the protocol: one channel, its log, and scripts that run in one step."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field, replace

from arauto.protocol.log_position import Position
from arauto.recording_core.announcements import Announcement, Appended, Closed, Renewed, Resumed, digest
from arauto.recording_core.feed_steps import Entry, Pages
from arauto.recording_core.missing_entries import with_missing
from arauto.recording_core.page_place import LATE
from arauto.recording_core.recorder_steps import Fenced, Outcome

LEASE = 1500  # milliseconds
PAGE = 5  # entries; few, so that a read often takes several commands

Push = Callable[[object], None]


@dataclass(frozen=True)
class Raw:
    """A message of the channel."""

    data: bytes


@dataclass(frozen=True)
class Beat:
    """The beat of the recorder with this token."""

    token: int
    at: int
    until: int


@dataclass
class Data:
    """The data that a snapshot contains."""

    position: Position | None = None  # the end of the log; None: it has no head
    owner: int = 0
    owner_run: int = 0  # the run of Redis in which the log began
    until: int = 0  # messages published before are in the log
    closed: int | None = None  # when recording was switched off
    starts: dict[str, int] = field(default_factory=dict)  # epoch -> its first number, less one
    begins_at: int = 0  # the first number, less one, of a page without a position
    renewed: str = ""  # the epoch of the deleted log, until a message is written
    entries: list[Entry] = field(default_factory=list)
    foreign: int = 0  # the greatest number that another client has written to the stream
    promised: list[bytes] = field(default_factory=list)
    is_wanted: bool = True
    lease_token: int = 0
    lease_until: int = 0
    lease_run: int = 0  # the run of Redis that gave the lease


@dataclass
class Server:
    """The state that all channels share. Its clock may be set, unlike ``time``; both in milliseconds."""

    time: int = 1_000_000
    ahead: int = 0  # milliseconds by which its clock is ahead
    run: int = 1
    refuses_writes: bool = False
    is_readable: bool = True

    @property
    def now(self) -> int:
        return self.time + self.ahead


class RedisDouble:
    """One channel of a server. Each method is one step."""

    def __init__(self) -> None:
        self.server = Server()
        self.channel = b"news.a"
        self.data = Data()
        self.keep = 10_000  # entries
        self.published: list[tuple[bytes, int]] = []
        self.is_registered = False
        """Whether a page has announced a mark, for which recorders follow a channel without messages."""
        self.losses: list[tuple[int, int]] = []
        """Losses: their start, and when the process that takes the log found them; oldest first."""
        self._epochs = 0
        self._channel: list[Push] = []
        self._words: list[Push] = []
        self._beats: list[Push] = []

    @property
    def now(self) -> int:
        return self.server.now

    @property
    def run(self) -> int:
        return self.server.run

    @property
    def refuses_writes(self) -> bool:
        return self.server.refuses_writes

    # Pub/Sub

    def subscribe(self, push: Push) -> None:
        if push not in self._channel:
            self._channel.append(push)

    def follow(self, push: Push) -> None:
        if push not in self._words:
            self._words.append(push)

    def listen_to_beats(self, push: Push) -> None:
        self._beats.append(push)

    def leave(self, push: Push) -> None:
        if push in self._channel:
            self._channel.remove(push)

    def unfollow(self, push: Push) -> None:
        if push in self._words:
            self._words.remove(push)

    def drop(self, push: Push) -> None:
        for listeners in (self._channel, self._words, self._beats):
            if push in listeners:
                listeners.remove(push)

    def publish(self, data: bytes) -> None:
        self.published.append((data, self.now))
        for push in self._channel:
            push(Raw(data))

    def lose(self, data: bytes) -> None:
        """Publish at another node, from which the bus does not forward the message."""
        self.published.append((data, self.now))

    def announce(self, announcement: Announcement) -> None:
        for push in self._words:
            push(announcement)

    # Scripts

    def publish_and_promise(self, data: bytes) -> None:
        if self.data.is_wanted and not self.refuses_writes and self.data.position:
            self.data.promised.append(data)
        self.publish(data)

    def append(
        self, token: int, after: Position, messages: tuple[bytes, ...], until: int
    ) -> tuple[int, Outcome]:
        data = self.data
        if data.owner != token or data.closed is not None:
            return 0, Outcome.FENCED
        if data.position != after:
            return 0, Outcome.MOVED
        if self.refuses_writes:
            return 0, Outcome.REFUSED
        if messages and data.foreign > after.number:
            data.owner_run = 0
            return 0, Outcome.MOVED
        for message in messages:
            self._add(message)
        data.until = max(data.until, until)
        self.announce(
            Appended(after.epoch, after.number + 1, tuple(map(digest, messages)), token, data.until, self.now)
        )
        return len(messages), Outcome.DONE

    def take(
        self, token: int, known: Position | None, until: int, is_first: bool = False, doubt: int = 0
    ) -> Position | None:
        """:raise PermissionError: Redis refuses writes.
        :raise Fenced: a later recorder owns the log.
        """
        data = self.data
        if not data.is_wanted or self.refuses_writes:
            raise PermissionError
        if token < data.owner:
            raise Fenced(data.owner)
        is_same = known and data.position and data.owner_run == self.run and data.closed is None
        is_whole = data.position is None or data.foreign <= data.position.number
        if (
            is_same
            and is_whole
            and known
            and data.position
            and known.number <= data.position.number
            and known.epoch in (data.position.epoch, data.renewed)
        ):
            data.owner = token
            return data.position
        if is_first and data.position is None and not data.entries and not data.promised and known is None:
            return self._begin(token, until)
        self._resume(token, known, 0 if is_first else until, doubt)
        return None

    def _begin(self, token: int, until: int) -> Position:
        """Begin a log without a gap: the recorder has all messages that were ever published."""
        data = self.data
        self._epochs += 1
        data.position = Position(f"e{self._epochs}", self.now, self.now)
        data.starts = {data.position.epoch: self.now}
        data.begins_at, data.renewed = self.now, ""
        data.owner, data.owner_run, data.closed, data.until = token, self.run, None, until
        return data.position

    def _resume(self, token: int, known: Position | None, until: int, doubt: int) -> None:
        data = self.data
        begins = data.position is None and not data.entries and known is None and not (until or doubt)
        # Without the head of the log, the recorder's position may be of another state of Redis.
        known_until = self.now
        if data.position is None and (data.entries or data.promised):
            known_until = data.entries[-1].ms - LATE if data.entries else 0
        # A number that was announced must not name another message: so a new epoch begins.
        # Numbers only rise: if the last one is unknown, they continue from the time.
        last = max(data.foreign, data.entries[-1].number if data.entries else 0)
        number = known.number if known else 0
        number = max(last, data.position.number if data.position else max(number, self.now))
        self._epochs += 1
        moment = self._moment
        if data.entries and data.entries[-1].ms == moment:
            moment += 1  # the next number of this moment was used by the attempt
        data.position = Position(f"e{self._epochs}", number, moment)
        data.starts[data.position.epoch] = data.position.number
        since = data.closed if data.closed is not None else (data.until or until)  # 0: unknown
        since, is_lossy = min(since, doubt or since), bool(doubt)
        for lost, found in reversed(self.losses):
            if lost < since <= found:
                since, is_lossy = lost, True
        since = min(since, known_until)
        left = tuple(map(digest, data.promised))
        for message in list(data.promised):
            self._add(message)
        data.promised.clear()
        data.begins_at, data.renewed = data.position.number, ""
        if begins and not left:
            since = self.now
        else:
            since = min(since, self.now - 1)
            self._add(None, since)
        data.owner, data.owner_run, data.closed, data.until = token, self.run, None, self.now
        self.announce(Resumed(data.position, since, self.now, token, left, is_lossy=is_lossy))

    def _add(self, message: bytes | None, since: int = 0) -> None:
        data = self.data
        assert data.position is not None
        data.position = replace(data.position, number=data.position.number + 1, ms=self._moment)
        data.entries.append(Entry(data.position.number, data.position.ms, message, since))
        if message is not None and data.promised and data.promised[0] == message:
            data.promised.pop(0)
        del data.entries[: -self.keep]

    @property
    def _moment(self) -> int:
        """The time in the id of an entry; it never goes back."""
        return max(self.now, self.data.position.ms if self.data.position else 0)

    def read(self, after: Position, until: int | None) -> Pages:
        """:raise PermissionError: the log cannot be read."""
        data = self.data
        if not self.server.is_readable or data.position is None:
            raise PermissionError
        is_other = not self._goes_back_to(after)
        end = data.position.number if until is None else min(data.position.number, until)
        first = 0 if is_other else after.number
        if is_other:
            end = data.position.number
            first = data.begins_at
        entries = [entry for entry in data.entries if first < entry.number <= end]
        has_more = len(entries) > PAGE
        if has_more:
            entries = entries[:PAGE]
            end = entries[-1].number
        is_cut = has_more or end < data.position.number
        ms = data.position.ms if not is_cut else entries[-1].ms if entries else after.ms
        pages = Pages(
            entries,
            Position(data.position.epoch, max(end, first), ms),
            self.now,
            data.until,
            is_other,
            data.owner_run != self.run,
            has_more,
            data.position.number,
        )
        starts = tuple(data.starts.values())
        return with_missing(
            pages, first, starts, lambda: bool(data.entries) and data.entries[0].number <= first
        )

    def locate_first(self) -> Position | None:
        """The position before the first entry.

        :return: ``None`` if there is no log.
        :raise PermissionError: the log cannot be read.
        """
        if not self.server.is_readable:
            raise PermissionError
        end, entries = self.data.position, self.data.entries
        if end is None or not entries:
            return end
        return Position(end.epoch, entries[0].number - 1, entries[0].ms)

    def _goes_back_to(self, after: Position) -> bool:
        """Whether the log has the same entries up to ``after`` as a page with that position."""
        data = self.data
        assert data.position is not None
        if after.epoch not in data.starts:
            return False
        epochs = list(data.starts)
        later = [data.starts[epoch] for epoch in epochs[epochs.index(after.epoch) + 1 :]]
        return after.number <= min([*later, data.position.number])

    def delete(self) -> None:
        data = self.data
        data.entries.clear()
        data.foreign = 0
        data.promised.clear()
        data.starts.clear()
        if data.position is None:
            return
        self._epochs += 1
        data.renewed, data.begins_at = data.position.epoch, data.position.number
        data.position = replace(data.position, epoch=f"e{self._epochs}")
        data.starts[data.position.epoch] = data.position.number
        if data.closed is None:
            self.announce(Renewed(data.position))

    def switch(self, on: bool) -> None:
        data = self.data
        data.is_wanted = on
        if not on and data.closed is None and data.position is not None:
            data.closed = min(self.now, data.until or self.now)
            data.owner = 0
            data.promised.clear()
            self.announce(Closed(data.position))

    # The lease

    def claim(self, above: int = 0, grace: int = 0) -> int:
        data, is_here = self.data, self.data.lease_run in (0, self.run)
        is_valid = self.now < data.lease_until + grace and data.lease_until <= self.now + LEASE
        if self.refuses_writes or (is_here and is_valid):
            return 0
        self.data.lease_token = max(self.now, self.data.lease_token + 1, above + 1)
        self.data.lease_until, self.data.lease_run = self.now + LEASE, self.run
        return self.data.lease_token

    def renew(self, token: int, until: int) -> bool:
        """:raise PermissionError: Redis refuses writes."""
        if self.refuses_writes:
            raise PermissionError
        if self.data.lease_token != token:
            return False
        self.data.lease_until = self.now + LEASE
        for push in self._beats:
            push(Beat(token, self.now, until))
        return True

    def release(self, token: int) -> None:
        if self.data.lease_token != token or self.refuses_writes:
            return
        self.data.lease_until = 0
        for push in self._beats:
            push(Beat(0, self.now, 0))

    # Faults

    def snapshot(self) -> Data:
        return deepcopy(self.data)

    def restart(self, data: Data, run: int) -> None:
        """Restart with the data of a snapshot; every connection is lost.

        :param run: a new one, unless the old master has returned.
        """
        self.data = deepcopy(data)
        self.server.run = run
        self._channel.clear()
        self._words.clear()
        self._beats.clear()

    def forget_head(self) -> None:
        """The head of the log is deleted or evicted."""
        self.data.position, self.data.owner, self.data.starts = None, 0, {}
        self.data.closed, self.data.until = None, 0

    def write_foreign(self) -> None:
        """Another client writes to the stream, with a number that the recorder would use later."""
        if self.data.position is not None:
            self.data.foreign = self.data.position.number + 5

    def forget_lease(self) -> None:
        self.data.lease_token = self.data.lease_until = self.data.lease_run = 0
