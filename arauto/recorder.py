"""The thread that records what others publish: one for the whole deployment, by a lease in Redis."""

import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from time import monotonic, sleep

import redis

from arauto.departures import Departures
from arauto.logs import CLOSED, TO_RECORDER, is_asker, is_moment
from arauto.messages import Item, Lost, Refused, quoted
from arauto.names import Change, Selection
from arauto.pulse import Pulse
from arauto.recording import RELEASE, RETIRE, Recording
from arauto.redis_link import complaint
from arauto.shortage import sentence
from arauto.subscriber import Command, Subscriber

LEASE = 3.0  # seconds that a recorder counts as alive without a sign of life
RENEW_EVERY = 1.0  # seconds; those without the lease look as often whether it is free
DEAF_AFTER = 5.0  # seconds without hearing our own beat; then another may try
TRIM_EVERY = 60.0  # seconds
HANDOVER = 1.0  # seconds within which the processes of a server hear that it stops, if it does
_ROUND = 0.01  # seconds between two looks at whether they have

log = logging.getLogger("arauto")


class Recorder(threading.Thread):
    """Waits for the lease, and records as long as it is held. Every process may have one.

    Once a second it also learns which channels are switched on.

    :param reconcile: called when that has changed, so that the feeds of this process follow.
    """

    def __init__(
        self, recording: Recording, pulse: Pulse, reconcile: Callable[[], None], departures: Departures
    ) -> None:
        super().__init__(name="recorder", daemon=True)
        self._recording = recording
        self._pulse = pulse
        self._reconcile = reconcile
        self._departures = departures
        self._serves = False
        self._reconciled = 0  # with which generation of what is switched on
        self._changed = False
        self._trimmed = monotonic()
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._told = ""

    def wake(self) -> None:
        """Have it look now; from any thread."""
        self._wake.set()

    def stop(self) -> None:
        """Give the lease back; from any thread.

        Where a whole server stops, none of its other processes is to take it for its last moments:
        it is kept until all have heard, or it is this one alone that stops.
        """
        end = monotonic() + HANDOVER
        while self._serves and not self._departures.all_go and monotonic() < end:
            sleep(_ROUND)
        self._stopping.set()
        self._wake.set()
        if self.is_alive():
            self.join(2 * RENEW_EVERY)

    def run(self) -> None:
        while not self._stopping.is_set():
            try:
                was_wanted = self._recording.is_wanted
                may_claim = was_wanted and not self._departures.am_going
                token = self._recording.claim(_milliseconds(LEASE)) if may_claim else 0
                self._look()  # not before: it has to tell what the recorder before us has begun to hear
                self._serves = bool(token)
                if token:
                    self._serve(token)
                elif not self._recording.is_wanted:
                    self._trim()  # what is left of channels that were switched off
                elif not was_wanted:
                    continue
                self._told = ""
            except redis.RedisError as error:
                self._complain(error)
            except Exception as error:
                if said := sentence(error):
                    self._tell(said)
                else:
                    log.exception("the recorder failed")
            self._pause()

    def _pause(self) -> None:
        self._wake.wait(RENEW_EVERY)
        self._wake.clear()

    def _look(self) -> None:
        self._recording.refresh()
        generation = self._recording.generation
        changed = generation != self._reconciled
        if changed or self._changed:  # once more a second later: a feed may have been between two states
            self._reconcile()
        self._reconciled, self._changed = generation, changed

    def _trim(self) -> None:
        if monotonic() - self._trimmed > TRIM_EVERY:
            self._recording.trim()
            self._trimmed = monotonic()

    def _tell(self, words: str) -> None:
        if words != self._told:
            log.warning("nothing is recorded that others publish: %s", words)
        self._told = words

    def _complain(self, error: redis.RedisError) -> None:
        words = complaint(error)
        self._tell(words)
        if isinstance(error, redis.ResponseError):
            with suppress(redis.RedisError):
                self._recording.announce_all(words)

    def _serve(self, token: int) -> None:
        recording = self._recording
        names = set(recording.names)
        hearing = Hearing(recording, token, recording.settle(), self.wake)
        selection = Selection(tuple(names), recording.globs)
        with Subscriber(
            recording.link.connect, hearing, hearing.end, self._pulse, selection, _listening
        ) as subscriber:
            renewed = monotonic()
            while not hearing.over and not self._stopping.is_set() and monotonic() - renewed < LEASE:
                try:
                    self._look()
                    if not recording.is_wanted:
                        break
                    before, names = names, set(recording.names)
                    if names != before:
                        subscriber.change(
                            Change(subscribe=tuple(names - before), unsubscribe=tuple(before - names))
                        )
                    if not recording.renew(_milliseconds(LEASE), token, hearing.complete_until):
                        return
                    renewed = monotonic()
                    if self._told:  # the lease was kept all the same, and with it all that was heard
                        recording.announce_all("")
                        self._told = ""
                    self._trim()
                except redis.RedisError as error:
                    self._complain(error)
                if hearing.is_deaf(DEAF_AFTER):
                    break
                self._pause()
        recording.renew(RELEASE if recording.is_wanted else RETIRE, token, hearing.complete_until)


def _listening(verb: bytes, channels: Iterable[bytes], patterns: Iterable[bytes]) -> list[Command]:
    # What is in the log already must be heard from the first message on, so that comes first.
    first = [(b"SSUBSCRIBE", TO_RECORDER)] if verb == b"SUBSCRIBE" else []
    names = [(verb, name) for name in channels]
    return [*first, *names, *[(b"P" + verb, pattern) for pattern in patterns]]


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000)


class Hearing:
    """What a recorder hears while it has the lease; runs in the subscriber's thread.

    Everything comes by one connection, in the order in which Redis did it: a message that this
    program published directly after the word that it is in the log, a feed's question after
    what was published before it.

    :param again: channels whose logs are closed and have to be opened again.
    :param wake: called when there is something for the recorder to look at.
    """

    def __init__(
        self, recording: Recording, token: int, again: Iterable[bytes], wake: Callable[[], None]
    ) -> None:
        self.over = False
        self.complete_until = 0  # Unix milliseconds by Redis's clock; 0: unknown
        self._recording = recording
        self._token = token
        self._name = str(token).encode()
        self._wake = wake
        self._confirmed: set[bytes] = set()
        self._awaited = {*recording.globs, *recording.names}  # to be confirmed before all is heard
        self._listens = False  # then every message is either in a log or in ``_heard``
        self._heard: defaultdict[bytes, list[bytes]] = defaultdict(list)
        # A word to all tabs of a channel costs as much as a message, so it is said at each beat at most.
        self._said: set[bytes] = set()  # channels whose tabs were told since the last beat ...
        self._unsaid: set[bytes] = set()  # ... and those that wait for the next one
        self._logged: set[bytes] = set()  # channels whose next message is in the log
        self._stopped = dict.fromkeys(again, 0)  # channels that are not or cannot be recorded, since when
        self._taking: set[bytes] = set()  # of these, those of which ``taken`` is still to be heard
        self._questions: list[tuple[bytes, str]] = []
        self._beat = monotonic()

    def is_deaf(self, seconds: float) -> bool:
        """Whether nothing of ours has come back for so long."""
        return monotonic() - self._beat > seconds

    def end(self) -> None:
        self.over = True

    def __call__(self, batch: list[Item]) -> None:
        for item in batch:
            if not isinstance(item, list):
                self._notice(item)
            elif item[0] == b"pmessage":
                self._hear(item[1], item[2], item[3])
            elif item[0] == b"message":
                self._hear(None, item[1], item[2])
            elif item[0] == b"smessage":
                self._told(item[2])
            elif item[0] in (b"subscribe", b"psubscribe"):
                self._confirmed.add(item[1])
                self._settle(item[1])
            elif item[0] == b"unsubscribe":
                self._confirmed.discard(item[1])
                self._settle(item[1])
        self._flush_all()

    def _notice(self, item: Item) -> None:
        if isinstance(item, Lost):
            self._confirmed.clear()
            self._awaited = {*self._recording.globs, *self._recording.names}
            self._listens = False
            self._taking.clear()
            self._heard.clear()
            self._questions.clear()
        elif isinstance(item, Refused):
            log.warning("%s is not recorded: %s", quoted(item.name), item.error)
            self._settle(item.name)

    def _settle(self, name: bytes) -> None:
        """Whether this name is heard is known now; once that is so of all, record."""
        if self._listens:
            self._begin()
        elif name in self._awaited:
            self._awaited.discard(name)
            if not self._awaited:
                self._logged.clear()  # what was announced before we heard the channels is not to come
                self._take(self.complete_until)

    def _begin(self) -> None:
        """Record from now on what was just switched on and is heard."""
        for channel, since in self._recording.switched.items():
            if not since and channel in self._confirmed and channel not in self._stopped:
                self._stopped[channel] = 0
                self._take(0, channel)

    def _hear(self, pattern: bytes | None, channel: bytes, data: bytes) -> None:
        if pattern != self._recording.glob_of(channel):
            return  # it comes once for each pattern
        if channel in self._logged:
            self._logged.discard(channel)
        elif self._listens and channel not in self._stopped:
            self._heard[channel].append(data)

    def _told(self, data: bytes) -> None:
        kind, _, rest = data.partition(b" ")
        if kind == b"next":
            self._logged.add(rest)
            return
        if kind == b"gone":
            self._heard.pop(rest, None)
            return
        if kind == b"look":
            self._wake()
            return
        token, _, rest = rest.partition(b" ")
        if kind == b"sync":
            if is_asker(token):
                self._questions.append((rest, token.decode()))
                self._answer()
        elif token != self._name:
            return  # of a recorder before us
        elif kind == b"beat" and is_moment(rest):
            self._beaten(int(rest))
        elif kind == b"taken":
            self._taken(rest)

    def _beaten(self, at: int) -> None:
        self._beat = monotonic()
        self._flush_all()
        if self._unsaid:
            self._recording.say(self._token, self._unsaid)
        self._said, self._unsaid = self._unsaid, set()
        for name in self._awaited.difference(self._recording.globs, self._recording.names):
            self._settle(name)  # it was switched off meanwhile
        if self._listens:
            self._begin()
        for channel, since in list(self._stopped.items()):
            if channel not in self._taking:
                self._take(since, channel)
        if self._listens and not self._stopped:
            self.complete_until = at

    def _take(self, since: int, *channels: bytes) -> None:
        self._taking.update(channels)
        for channel, why in self._recording.take(self._token, since, *channels).items():
            self._taking.discard(channel)
            self._stop(channel, why, since)

    def _taken(self, channel: bytes) -> None:
        """From this point on everything is heard. What was heard before lies in the gap."""
        if channel:
            self._taking.discard(channel)
            self._stopped.pop(channel, None)
            self._recording.tell(channel, "")
            self._recording.refresh()
            self._wake()
        else:
            self._listens = True
            self._recording.tell_again()
            self._begin()
        self._answer()

    def _answer(self) -> None:
        questions, self._questions = self._questions, []
        for channel, feed in questions:
            if not self._listens:
                self._questions.append((channel, feed))
                continue
            self._flush(channel)
            self._recording.answer(channel, self._token, feed, self._stopped.get(channel))

    def _flush_all(self) -> None:
        for channel in list(self._heard):
            self._flush(channel)

    def _flush(self, channel: bytes) -> None:
        messages = self._heard.pop(channel, None)
        if not messages:
            return
        tell = channel not in self._said
        (self._said if tell else self._unsaid).add(channel)
        written, why = self._recording.append(channel, self._token, tell, messages)
        if written < 0:
            self.end()
            raise OSError("another recorder has the lease")
        if why:
            self._stop(channel, why, self.complete_until)

    def _stop(self, channel: bytes, why: str, since: int) -> None:
        if why == CLOSED:
            self._stopped.pop(channel, None)
            return
        since = self._stopped.setdefault(channel, since)
        self._recording.tell(channel, why)
        self._recording.announce([channel], since, why)
