"""Brings a feed's recorded channels from where the page was to where Redis is: no hole, no duplicate.

Each feed marks a point in the stream of a recorded channel (``sync``) once it is subscribed,
and hears by the same connection when all before that point is in the log (``done``, with the
log's end). So everything is decided by order, nothing by time:

- what came before ``sync`` is in the log, and is read from there;
- so is what came after it with an id, since that is not beyond the log's end;
- what came after it without one is not in the log yet, and waits until the log has been read.

From there on the recorder numbers what has no id in the order in which it was published.
"""

import secrets
from collections.abc import Callable, Iterable
from time import time
from typing import NamedTuple

import redis

from arauto.asking import Point
from arauto.logs import (
    FIRST,
    Hole,
    Marker,
    Position,
    channel_of,
    ids_of,
    is_ids,
    is_moment,
    is_position,
    to_feed,
)
from arauto.messages import (
    Complaint,
    Followed,
    Gap,
    Item,
    LogGap,
    Lost,
    Numbered,
    Push,
    Refused,
    Unfollowed,
    text,
)
from arauto.names import Change, Selection
from arauto.reading import hole_before, place, read
from arauto.recording import Recording
from arauto.subscriber import Command, subscribing
from arauto.workers import make_lock

MAX_WAITING = 100_000  # messages held while a recorder is replaced; then the page tries again

Deliver = Callable[[list[Item]], None]


class Start(NamedTuple):
    """Where a page wants to go on: behind what it was shown, or at a point of the past.

    ``pending`` is how many messages it was shown after ``at`` that have no id yet.
    """

    at: Position | Point
    pending: int = 0

    @property
    def ms(self) -> int:
        """When that was, in Unix milliseconds; 0 where it cannot be told."""
        return self.at.id.ms if isinstance(self.at, Position) else self.at.ms or 0


class _Catching:
    """One channel between its subscription and the moment when it is followed."""

    def __init__(self, start: Start | None) -> None:
        self.asker = ""  # under which name and number ``sync`` was asked for
        self.start = start  # ``None``: the page gets what comes from now on
        self.is_synced = False
        self.is_numbered = False  # whether the next message has just been given an id
        self.is_shown = True  # what became of the last message; its copies by patterns go with it
        self.early: list[Item] = []  # without an id, before ``sync``
        self.waiting: list[Item] = []  # what is not early, in the order in which it came ...
        self.held: list[Item] = []  # ... and of this what has no id


class Follower:
    """Stands between a subscriber and its ``deliver``; runs in the subscriber's thread.

    :param starts: where the page was, by channel.
    :param leave: called when only the page can say what it has been shown and so has to come
        again: the link to Redis was lost and is back, or the log could not be read.
    :param unheard: what to say of a recorded ``{name}`` of whose log Redis lets this feed hear
        nothing; where it is empty, nothing is said.
    """

    def __init__(
        self,
        recording: Recording,
        deliver: Deliver,
        selection: Selection,
        starts: dict[bytes, Start],
        leave: Callable[[], None],
        unheard: str = "",
    ) -> None:
        self._recording = recording
        self._deliver = deliver
        self._leave = leave
        self._unheard = unheard
        self._token = secrets.token_hex(8)
        self._asked = 0
        self._own = to_feed(self._token)
        self._lock = make_lock()  # guards which channels are being caught up with
        self._catching = {
            name: _Catching(starts.get(name))
            for name in selection.channels
            if recording.covers(name) or (name in starts and isinstance(starts[name].at, Position))
        }
        self._follows = bool(self._catching)
        self._followed: set[bytes] = set()  # as the page knows
        self._with_markers: frozenset[bytes] = frozenset()
        self._out: list[Item] = []

    def commands(self, verb: bytes, channels: Iterable[bytes], patterns: Iterable[bytes]) -> list[Command]:
        """What to say to Redis: markers are asked for before the channel that they are about."""
        channels = tuple(channels)
        recorded = frozenset(
            name for name in channels if verb == b"SUBSCRIBE" and self._recording.covers(name)
        )
        gone = self._with_markers.intersection(channels) - recorded
        self._with_markers = (self._with_markers | recorded) - gone
        own = [(b"SSUBSCRIBE", self._own)] if recorded else []
        markers = [(b"SSUBSCRIBE", ids_of(name)) for name in channels if name in recorded]
        markers += [(b"SUNSUBSCRIBE", ids_of(name)) for name in gone]
        return own + markers + subscribing(verb, channels, patterns)

    def expect(self, change: Change) -> None:
        """Call this before the subscriber is told of ``change``; from any thread."""
        for name in change.subscribe:
            if self._recording.covers(name):
                self._follows = True
                self._set(name, _Catching(None))
        for name in change.unsubscribe:
            self._followed.discard(name)
            self._set(name, None)

    def strays(self, channels: Iterable[bytes]) -> list[bytes]:
        """Those of ``channels`` that are recorded and not followed, or the other way round.

        Redis has to be asked for them again: its answer is the point from which on that is mended.
        """
        strays = []
        for name in channels:
            state = self._catching.get(name)
            if state and not state.asker:
                continue  # its first answer is still to come, and decides
            is_followed = name in self._followed or state is not None
            if is_followed != self._recording.covers(name):
                strays.append(name)
                self._follows = True
                if state is None:
                    self._set(name, _Catching(None))
        return strays

    def __call__(self, batch: list[Item]) -> None:
        if self._follows and not isinstance(batch[0], list):
            self._notice(batch[0])
        if not self._catching:
            self._deliver(batch)  # the very list, which other feeds share
            return
        try:
            for item in batch:
                self._sort(item)
            self._flush()
        except redis.RedisError:
            self._send_back()

    def _set(self, channel: bytes, state: _Catching | None) -> None:
        with self._lock:
            others = {name: other for name, other in self._catching.items() if name != channel}
            self._catching = others | ({channel: state} if state else {})

    def _notice(self, item: Item) -> None:
        if isinstance(item, Lost):
            for name, state in self._catching.items():
                self._set(name, _Catching(state.start))
        elif isinstance(item, Gap):
            self._send_back()

    def _send_back(self) -> None:
        self._leave()
        raise ConnectionAbortedError("the page has to come again")

    def _flush(self) -> None:
        out, self._out = self._out, []
        if out:
            self._deliver(out)

    # What comes from Redis

    def _sort(self, item: Item) -> None:
        if not isinstance(item, list):
            self._out.append(item)
            if isinstance(item, Refused) and item.kind == "channel":
                self._set(item.name, None)
        elif item[0] == b"smessage" and item[1] == self._own:
            self._answered(item[2])
        elif item[0] == b"smessage" and is_ids(item[1]) and channel_of(item[1]) in self._catching:
            if marker := Marker.read(item[2]):
                self._marked(channel_of(item[1]), marker)
        elif item[0] == b"message" and item[1] in self._catching:
            self._take(self._catching[item[1]], item)
        elif item[0] == b"pmessage" and item[2] in self._catching:
            if self._catching[item[2]].is_shown:
                self._out.append(item)
        else:
            self._out.append(item)
            if item[0] == b"subscribe" and item[1] in self._catching:
                self._ask(item[1])

    def _ask(self, channel: bytes) -> None:
        state = self._catching[channel]
        if state.is_synced and self._recording.covers(channel):
            return  # it was off and is on again: the answer is on its way
        self._asked += 1
        state.asker = f"{self._token}.{self._asked}"
        state.is_numbered = False  # what was announced before we heard the channel is not to come
        covered = self._recording.covers(channel)
        try:
            heard = covered and self._recording.sync(channel, state.asker)
        except redis.ResponseError:
            heard = False
        if heard:
            return
        if covered and self._unheard:
            self._out.append(Complaint(self._unheard.replace("{name}", text(channel))))
        if state.start is not None:  # it was recorded once, and cannot be made whole any more
            self._out.append(self._gap(channel, state.start.ms, "unrecorded"))
        self._out += [*state.early, *state.waiting]
        if channel in self._followed:
            self._followed.discard(channel)
            self._out.append(Unfollowed(channel))
        self._set(channel, None)

    def _take(self, state: _Catching, message: Push) -> None:
        is_numbered, state.is_numbered = state.is_numbered, False
        state.is_shown = state.start is None and not state.is_synced
        if state.is_shown:
            self._out.append(message)
        elif is_numbered:
            state.waiting.append(message)
        elif state.is_synced:
            state.waiting.append(message)
            state.held.append(message)
        else:
            state.early.append(message)
        if len(state.held) > MAX_WAITING:
            self._send_back()

    def _marked(self, channel: bytes, marker: Marker) -> None:
        state = self._catching[channel]
        if marker.kind == "next":
            state.is_numbered = True
        elif marker.kind == "gap" and state.is_synced:
            # A new recorder, whose first deed this is, will not answer what the last one was asked.
            self._finish(channel, marker.position)

    def _answered(self, data: bytes) -> None:
        if data.count(b" ") < 3:
            return  # the words of a stranger
        kind, asker, position, channel = data.split(b" ", 3)
        since = b""
        if kind == b"alone":
            since, _, channel = channel.partition(b" ")
        state = self._catching.get(channel)
        if state is None or state.asker.encode() != asker:
            return  # it was unselected meanwhile
        if kind == b"sync":
            state.is_synced = True
        elif is_position(position) and (not since or is_moment(since)):
            self._finish(channel, Position.read(position), int(since) if since else None)

    # Catching up

    def _finish(self, channel: bytes, end: Position, since: int | None = None) -> None:
        """``since``: from then on (Unix milliseconds) nobody recorded what others published."""
        state = self._catching[channel]
        self._flush()
        if state.start is None:  # the page sees what others see, who follow nothing: the order of Redis
            self._out += [*state.waiting, Followed(channel, end, len(state.held))]
        else:
            self._read(channel, state.start, end)
            if since is not None:
                self._out.append(self._gap(channel, max(since, state.start.ms), "recorder"))
                self._out += state.early
            self._out += [Followed(channel, end), *state.held]
        self._followed.add(channel)
        self._set(channel, None)

    def _read(self, channel: bytes, start: Start, end: Position) -> None:
        after, pending = place(self._recording, channel, start.at), start.pending
        if isinstance(start.at, Position) and start.at.epoch != end.epoch:
            self._out.append(self._gap(channel, start.ms, "replaced"))
            after, pending = FIRST, 0
        elif isinstance(start.at, Point) and start.ms:
            hole = hole_before(self._recording, channel, start.ms)
            self._out += [LogGap(channel, hole)] if hole else []
        for page in read(self._recording, channel, after, end.id):
            for found in page:
                if isinstance(found, Hole):
                    pending = 0  # what was shown without an id lies before it
                    self._out.append(LogGap(channel, found))
                elif pending and found.is_outside:
                    pending -= 1
                    self._out.append(Numbered(channel, found.id, None))
                else:
                    self._out.append(Numbered(channel, found.id, found.data))
            if isinstance(start.at, Point):  # the page has a place to go on from if it is cut off now
                self._out.append(Followed(channel, Position(end.epoch, page[-1].id)))
            self._flush()

    def _gap(self, channel: bytes, start: int, reason: str) -> LogGap:
        return LogGap(channel, Hole(FIRST, start, round(1000 * time()), reason))
