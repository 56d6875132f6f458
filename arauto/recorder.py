"""The thread that records what others publish: one for the whole deployment, by a lease in Redis."""

import logging
import threading
from collections import defaultdict
from collections.abc import Iterable
from time import monotonic

import redis

from arauto.logs import TO_RECORDER
from arauto.messages import Item, Lost, Refused, text
from arauto.names import Selection
from arauto.pulse import Pulse
from arauto.recording import Recording
from arauto.subscriber import Command, Subscriber

LEASE = 3.0  # seconds that a recorder counts as alive without a sign of life
RENEW_EVERY = 1.0  # seconds; those without the lease look as often whether it is free
DEAF_AFTER = 5.0  # seconds without hearing our own beat; then another may try
TRIM_EVERY = 60.0  # seconds

log = logging.getLogger("arauto")


class Recorder(threading.Thread):
    """Waits for the lease, and records as long as it is held. Every process may have one."""

    def __init__(self, recording: Recording, pulse: Pulse) -> None:
        super().__init__(name="recorder", daemon=True)
        self._recording = recording
        self._pulse = pulse
        self._stopping = threading.Event()
        self._told = ""

    def stop(self) -> None:
        """Give the lease back; from any thread."""
        self._stopping.set()
        if self.is_alive():
            self.join(2 * RENEW_EVERY)

    def run(self) -> None:
        while not self._stopping.is_set():
            try:
                token = self._recording.claim(_milliseconds(LEASE))
                if token:
                    self._serve(token)
                self._told = ""
            except redis.RedisError as error:
                self._complain(str(error))
            except Exception:
                log.exception("the recorder failed")
            self._stopping.wait(RENEW_EVERY)

    def _complain(self, words: str) -> None:
        if words != self._told:
            log.warning("nothing is recorded that others publish: %s", words)
        self._told = words

    def _serve(self, token: int) -> None:
        hearing = Hearing(self._recording, token)
        selection = Selection((), self._recording.globs)
        with Subscriber(
            self._recording.link.connect, hearing, hearing.end, self._pulse, selection, _listening
        ):
            trimmed = renewed = monotonic()
            while not hearing.over and not self._stopping.is_set() and monotonic() - renewed < LEASE:
                try:
                    if not self._recording.renew(_milliseconds(LEASE), token, hearing.complete_until):
                        return
                    renewed = monotonic()
                    if renewed - trimmed > TRIM_EVERY:
                        self._recording.trim()
                        trimmed = renewed
                except redis.RedisError as error:
                    self._complain(str(error))
                if hearing.is_deaf(DEAF_AFTER):
                    break
                self._stopping.wait(RENEW_EVERY)
        self._recording.renew(0, token, hearing.complete_until)


def _listening(verb: bytes, channels: Iterable[bytes], patterns: Iterable[bytes]) -> list[Command]:
    # What is in the log already must be heard from the first message on, so that comes first.
    return [(b"S" + verb, TO_RECORDER), *[(b"P" + verb, pattern) for pattern in patterns]]


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000)


class Hearing:
    """What a recorder hears while it has the lease; runs in the subscriber's thread.

    Everything comes by one connection, in the order in which Redis did it: a message that this
    program published directly after the word that it is in the log, a feed's question after
    what was published before it.
    """

    def __init__(self, recording: Recording, token: int) -> None:
        self.over = False
        self.complete_until = 0  # Unix milliseconds by Redis's clock; 0: unknown
        self._recording = recording
        self._token = token
        self._name = str(token).encode()
        self._confirmed = 0
        self._listens = False  # then every message is either in a log or in ``_heard``
        self._heard: defaultdict[bytes, list[bytes]] = defaultdict(list)
        # A word to all tabs of a channel costs as much as a message, so it is said at each beat at most.
        self._said: set[bytes] = set()  # channels whose tabs were told since the last beat ...
        self._unsaid: set[bytes] = set()  # ... and those that wait for the next one
        self._logged: set[bytes] = set()  # channels whose next message is in the log
        self._stopped: dict[bytes, int] = {}  # channels that cannot be recorded, since when
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
            elif item[0] == b"smessage":
                self._told(item[2])
            elif item[0] == b"psubscribe":
                self._confirm()
        self._flush_all()

    def _notice(self, item: Item) -> None:
        if isinstance(item, Lost):
            self._confirmed, self._listens = 0, False
            self._heard.clear()
            self._questions.clear()
        elif isinstance(item, Refused):
            log.warning("%r is not recorded: %s", text(item.name), item.error)
            self._confirm()

    def _confirm(self) -> None:
        self._confirmed += 1
        if self._confirmed == len(self._recording.globs):
            self._logged.clear()  # what was announced before we heard the channels is not to come
            self._take(self.complete_until)

    def _hear(self, pattern: bytes, channel: bytes, data: bytes) -> None:
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
        token, _, rest = rest.partition(b" ")
        if kind == b"sync":
            self._questions.append((rest, token.decode()))
            self._answer()
        elif token != self._name:
            return  # of a recorder before us
        elif kind == b"beat":
            self._beaten(int(rest))
        elif kind == b"taken":
            self._taken(rest)

    def _beaten(self, at: int) -> None:
        self._beat = monotonic()
        self._flush_all()
        if self._unsaid:
            self._recording.say(self._token, self._unsaid)
        self._said, self._unsaid = self._unsaid, set()
        for channel, since in list(self._stopped.items()):
            self._take(since, channel)
        if self._listens and not self._stopped:
            self.complete_until = at

    def _take(self, since: int, *channels: bytes) -> None:
        for channel, why in self._recording.take(self._token, since, *channels).items():
            self._stop(channel, why, since)

    def _taken(self, channel: bytes) -> None:
        """From this point on everything is heard. What was heard before lies in the gap."""
        if channel:
            self._stopped.pop(channel, None)
            self._recording.tell(channel, "")
        else:
            self._listens = True
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
        self._stopped.setdefault(channel, since)
        self._recording.tell(channel, why)
