"""The recorder's thread: its commands to Redis, and its reactions to replies."""

from time import process_time

import pytest
import redis
from redis.exceptions import NoPermissionError

from arauto.protocol.events import Item
from arauto.protocol.selection import Change, Selection
from arauto.recording import recorder_thread as thread_module
from arauto.recording.log_store import Store
from arauto.recording.recorder_thread import RecorderThread
from arauto.recording_core.announcements import Mark, Marked, Stopped
from arauto.recording_core.candidate import NEVER
from arauto.recording_core.candidate_actions import Action, Claim
from arauto.recording_core.recorder_steps import Take
from arauto.redis_io.connection import RedisLink
from arauto.redis_io.subscriber import Command
from arauto.workers.worker_states import WorkerStates
from tests.support.recording import FixedRecording, record


class SilentStore(Store):
    """A store without logs, whose announcements reach no subscriber. Each take of a log costs time."""

    now = 0  # milliseconds
    signs = 0  # beats sent

    is_away = False

    def claim(self, above: int = 0, grace: int = 0) -> int:
        if self.is_away:
            self.now += 900
            raise redis.TimeoutError
        return 0 if grace == NEVER else 7

    def renew(self, token: int, until: int) -> bool:
        self.signs += 1
        return True

    def register(self, channel: bytes) -> bool:
        self.now += 100
        return False

    def take(self, channel: bytes, request: Take, until: int, has_glob: bool, losses: object = ()) -> None:
        raise NoPermissionError

    def names(self) -> set[bytes]:
        return set()

    def announce(self, channel: bytes, announcement: Mark | Marked | Stopped) -> None:
        pass


class Link:
    """A subscriber whose connection is played by the test."""

    def __init__(self, thread: RecorderThread) -> None:
        self._thread = thread
        self.commands_sent: list[Command] = []

    def change(self, change: Change) -> None:
        self.commands_sent += self._thread._subscription.commands(b"SUBSCRIBE", change.added)
        self.commands_sent += self._thread._subscription.commands(b"UNSUBSCRIBE", change.removed)

    def send(self, commands: list[Command]) -> None:
        self.commands_sent += commands


class Recording(FixedRecording):
    """A recording whose thread does not run: the test calls it, and answers for Redis."""

    def __init__(self) -> None:
        super().__init__(RedisLink("redis://127.0.0.1:1"), Selection((), ()))
        self.store: SilentStore = SilentStore(redis.Redis(), 100, 1000)
        self.worker_states = WorkerStates()
        self.thread = record(self, self.worker_states)
        self.redis = Link(self.thread)
        self.thread._subscriber = self.redis  # type: ignore[assignment]

    def cover(self, *channels: bytes, patterns: tuple[bytes, ...] = ()) -> list[Command]:
        """Change the recorded channels, and return the commands sent to Redis."""
        self.redis.commands_sent = []
        self.choose(*channels, patterns=patterns)
        self.thread._refresh_subscriptions()
        return self.redis.commands_sent

    def confirm(self, *commands: Command) -> None:
        for verb, name in commands:
            self.come([verb.lower(), name, 1])

    def push(self, *item: bytes) -> None:
        self.come(list(item))

    def come(self, *items: Item) -> None:
        self.thread._inbox.put(list(items))
        self.thread._work_once()

    def waiting(self, channel: bytes) -> int:
        """The number of messages that are not known to be in the log."""
        return self.thread.candidate._logs[channel].recorder.waiting

    def is_followed(self, channel: bytes) -> bool:
        return channel in self.thread.candidate.channels


@pytest.fixture
def recording(monkeypatch: pytest.MonkeyPatch) -> Recording:
    monkeypatch.setattr(FixedRecording, "upgrade", lambda self: None)
    return Recording()


WORDS = b"arauto:words:0:{a}"


def test_announcements_of_a_log_are_received_as_long_as_a_pattern_has_the_channel(
    recording: Recording,
) -> None:
    recording.confirm(*recording.cover(b"a", patterns=(b"*",)))
    assert (b"SUNSUBSCRIBE", WORDS) not in recording.cover(patterns=(b"*",))
    recording.cover(b"a")
    assert (b"SUNSUBSCRIBE", WORDS) in recording.cover()


def test_a_channel_that_comes_and_goes_before_redis_answers_is_followed_again(recording: Recording) -> None:
    first, gone = recording.cover(b"a"), recording.cover()
    assert (b"SUNSUBSCRIBE", WORDS) in gone
    recording.confirm(*first, *gone)
    again = recording.cover(b"a")
    assert (b"SSUBSCRIBE", WORDS) in again
    recording.confirm(*again)
    assert recording.is_followed(b"a")


def test_a_name_beside_a_pattern_that_has_it_changes_nothing(recording: Recording) -> None:
    recording.confirm(*recording.cover(patterns=(b"*",)))
    recording.push(b"pmessage", b"*", b"a", b"1")
    recording.confirm((b"SSUBSCRIBE", WORDS))
    named = recording.cover(b"a", patterns=(b"*",))
    recording.push(b"pmessage", b"*", b"a", b"2")
    recording.confirm(*named)
    recording.push(b"message", b"a", b"3")
    recording.push(b"pmessage", b"*", b"a", b"3")
    recording.cover(patterns=(b"*",))
    recording.push(b"pmessage", b"*", b"a", b"4")
    assert recording.waiting(b"a") == 3


def test_thousands_of_names_are_followed_at_once(recording: Recording) -> None:
    names = [b"%d" % n for n in range(2000)]
    began = process_time()
    recording.confirm(*recording.cover(*names))
    assert all(map(recording.is_followed, names))
    assert process_time() - began < 2  # it takes 0.1; if each looked at all others, 6


def test_a_recorder_that_takes_many_logs_gives_signs_of_life_meanwhile(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thread_module, "_now", lambda: recording.store.now)
    recording.confirm(*recording.cover(*(b"%d" % n for n in range(20))))
    recording.thread._do([Claim(0)])
    assert 4 <= recording.store.signs <= 6


def test_a_process_that_ends_waits_once_for_a_redis_that_is_away(recording: Recording) -> None:
    recording.store.is_away = True
    recording.thread._stopping.set()
    recording.thread._do([Claim(0)] * 20)
    assert recording.store.now == 900


def test_what_came_meanwhile_is_written_at_once(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A busy Redis answers late, and writing after each read would never catch up."""
    recording.confirm(*recording.cover(b"a"))
    waiting: list[int] = []

    def flush(now: int) -> list[Action]:
        waiting.append(recording.waiting(b"a"))
        return []

    monkeypatch.setattr(recording.thread.candidate, "flush", flush)
    for many in (400, 400, 400, 1):
        recording.thread._inbox.put([[b"message", b"a", b"1"]] * many)
    recording.thread._work_once()
    assert waiting[:2] == [1200, 1201]  # and at the end of each pause
