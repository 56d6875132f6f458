"""The recorder thread: records, or is on stand-by."""

import logging
import secrets
import threading
from collections.abc import Callable
from time import monotonic, sleep

import redis

from arauto.protocol.selection import Change
from arauto.recording.inbox import Inbox
from arauto.recording.recorded_channels import Recording
from arauto.recording.recorder_actions import RecorderActions
from arauto.recording.recorder_subscription import RecorderSubscription
from arauto.recording.shard_recording import ShardRecording
from arauto.recording_core.candidate import Candidate
from arauto.recording_core.candidate_actions import Action
from arauto.recording_core.channel_recorder import MOST_APPENDED, REST
from arauto.redis_io.connection import error_text
from arauto.redis_io.subscriber import Command, Subscriber
from arauto.system.resource_errors import sentence
from arauto.system.timer_wheel import TimerWheel
from arauto.workers.handover import wait_for_successor
from arauto.workers.worker_states import WorkerStates

TICK = 0.25  # seconds
REFRESH_EVERY = 1.0  # seconds between two reads of the channels to record
REFRESH_PAUSE = 0.1  # seconds between two of these reads at least
RETRY_EVERY = 5.0  # seconds between two attempts to subscribe to names that Redis refused
TRIM_EVERY = 60.0  # seconds
KNOWN_WITHIN = 1.0  # seconds within which all processes of a stopping server know that they stop
JOIN_PATIENCE = 1.0  # seconds to wait for the thread to end
_ROUND = 0.01  # seconds

log = logging.getLogger("arauto")


class RecorderThread(threading.Thread):
    """One per process; only one process records. If nothing is to be recorded, it only checks for changes.

    This thread alone handles the pushes of its connection, and sends all commands about logs.

    :param reconcile: called when the recorded channels have changed, for the feeds of this process.
    :param note_stand_by: takes, a few times a second, whether it would record everything from now on, if
        another process did not.
    """

    def __init__(
        self,
        recording: "Recording | ShardRecording",
        timers: TimerWheel,
        reconcile: Callable[[], None],
        worker_states: WorkerStates,
        note_stand_by: Callable[[bool], None],
    ) -> None:
        super().__init__(name="recorder", daemon=True)
        self.error = ""
        """Redis's error if nothing is recorded; else empty."""
        self._recording = recording
        self._timers = timers
        self._reconcile = reconcile
        self._worker_states = worker_states
        self._note_stand_by = note_stand_by
        self._reconciled = 0  # the generation that feeds were last reconciled with
        self._has_changed = False
        self._trimmed_at = self._retried_at = monotonic()
        self._tick_at = self._refresh_at = self._refreshed_at = 0.0
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._begin()

    def why_not(self, channel: bytes) -> str:
        """Why the channel is not recorded, as far as this process knows; from any thread."""
        return self.error or self._subscription.refusal_of(channel) or self._recording.error

    def wake(self) -> None:
        """Check for changes now; from any thread."""
        self._wake.set()
        self._inbox.wake()

    def hand_over(self, until: float) -> None:
        """Wait until a successor stands by, if this process is the recorder; from any thread.

        Its connection may break meanwhile: then it takes the lease again, or another process does.
        """
        states = self._worker_states
        if self.candidate.token:
            wait_for_successor(states, lambda: states.has_stand_by or self.candidate.other_is_recorder, until)

    def stop(self) -> None:
        """Release the lease, and end; from any thread.

        If the whole server stops, none of its other processes shall take the lease in its last moments: it is
        kept until all of them know that they stop, or for :data:`KNOWN_WITHIN`.
        """
        end = monotonic() + KNOWN_WITHIN
        while self.candidate.token and not self._worker_states.all_stopping and monotonic() < end:
            sleep(_ROUND)
        self._stopping.set()
        self.wake()
        if self.is_alive():
            self.join(JOIN_PATIENCE)

    def end(self) -> None:
        """End at once, without release: its node is no master any more; from any thread."""
        self._stopping.set()
        self.wake()

    def run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._refresh()
                if self._recording.is_wanted:
                    self._work()
                else:
                    self._trim()  # logs of channels that were switched off
                    self._report("")
            except Exception as error:
                self._fail(error)
            self._wake.wait(REFRESH_EVERY)
            self._wake.clear()

    def _fail(self, error: Exception) -> None:
        words = error_text(error) if isinstance(error, redis.RedisError) else sentence(error)
        if not words:
            log.exception("recorder failed")
        self._report(words or "the recorder failed")

    def _report(self, words: str) -> None:
        if words and words != self.error:
            log.warning("recorder blocked why=%r", words)
        self.error = words

    # Recording

    def _begin(self) -> None:
        store = self._recording.store
        self.candidate = Candidate(secrets.token_hex(8), _now())
        self._inbox = Inbox()
        self._subscription = RecorderSubscription(
            self.candidate, store.announcements_of, store.beats, self._recording.report
        )
        self._actions = RecorderActions(
            self.candidate,
            store,
            has_glob=lambda channel: self._subscription.source_of(channel) != channel,
            follow=lambda channel: self._subscriber.send([self._subscription.follow(channel)]),
            may_claim=lambda: self._worker_states.goes_on,
            upgrade=lambda: self._recording.upgrade(),
            report=self._recording.report,
            give_up=self._stopping.is_set,
        )

    def _work(self) -> None:
        self._begin()
        self._update_selection()
        with Subscriber(
            self._recording.connect,
            self._inbox.put,
            self._inbox.end,
            self._timers,
            self._subscription.selection,
            self._subscription.commands,
            moves=lambda: self._recording.link.moves,
        ) as self._subscriber:
            try:
                while not self._is_over:
                    self._work_once()
                self._handle_batches(0)
                self._do(self.candidate.flush(_now() + REST))  # wait for no more messages
            finally:
                self._note_stand_by(False)
                self._inbox.end()
                self._do(self.candidate.disconnected(_now()))

    @property
    def _stands_by(self) -> bool:
        candidate = self.candidate
        has_recorder = candidate.other_is_recorder or bool(candidate.token)
        return has_recorder and candidate.is_ready and self._subscription.is_complete

    @property
    def _is_over(self) -> bool:
        return self._stopping.is_set() or self._inbox.is_over or not self._recording.is_wanted

    def _work_once(self) -> None:
        self._handle_batches(self._patience)
        self._do(self.candidate.flush(_now()))
        if monotonic() >= self._tick_at:
            self._tick_at = monotonic() + TICK
            if loss := self._recording.new_loss():
                self._do(self.candidate.doubted(*loss, _now()))
            self._do(self.candidate.tick(_now()))
            self._note_stand_by(self._stands_by)
        if self._subscription.is_woken:
            self._subscription.is_woken = False
            self._recording.look()
            self._refresh_at = min(self._refresh_at, self._refreshed_at + REFRESH_PAUSE)
        if self._subscription.has_lost_beats:
            self._recording.has_moved()
        if monotonic() >= self._refresh_at or self._wake.is_set():
            self._refreshed_at = monotonic()
            self._refresh_at = self._refreshed_at + REFRESH_EVERY
            self._wake.clear()
            self._refresh_subscriptions()

    def _handle_batches(self, patience: float) -> None:
        many = 0
        for batch in self._inbox.take(patience):
            for item in batch:
                self._do(self._subscription.handle(item, _now()))
            many += len(batch)
            if many >= MOST_APPENDED:  # append as many at once as is allowed: a busy Redis replies late
                self._do(self.candidate.flush(_now()))
                many = 0

    @property
    def _patience(self) -> float:
        rests_until = self.candidate.rests_until
        until = self._tick_at if rests_until is None else min(self._tick_at, rests_until / 1000)
        return max(0.0, until - monotonic())

    def _do(self, actions: list[Action]) -> None:
        if actions:
            self._actions.do(actions, _now)

    def _refresh_subscriptions(self) -> None:
        words = ""
        try:
            self._refresh()
            self._subscribe(self._update_selection())
            if self.candidate.token:
                self._trim()
        except redis.RedisError as error:
            words = error_text(error)
        self._report(words or self._subscription.error or self._why_not_recorder)

    @property
    def _why_not_recorder(self) -> str:
        """Why it cannot become the recorder. On stand-by, or without a connection, it does not try."""
        return "" if self.candidate.other_is_recorder else self._actions.error

    def _refresh(self) -> None:
        self._recording.refresh()
        generation = self._recording.generation
        has_changed = generation != self._reconciled
        # Once more a second later: a feed may have been between two states.
        if has_changed or self._has_changed:
            self._reconcile()
        self._reconciled, self._has_changed = generation, has_changed

    def _update_selection(self) -> Change:
        recording = self._recording
        return self._subscription.cover(recording.selection, recording.store.names(), recording.slots)

    def _subscribe(self, change: Change) -> None:
        """Subscribe to the channels that are to be recorded now."""
        self._send(change, self._subscription.missing_commands())
        if monotonic() - self._retried_at > RETRY_EVERY:
            self._retried_at = monotonic()
            self._send(*self._subscription.retry_commands())

    def _send(self, change: Change, logs: list[Command]) -> None:
        if logs:
            self._subscriber.send(logs)
        if change != Change():
            self._subscriber.change(change)

    def _trim(self) -> None:
        if monotonic() - self._trimmed_at > TRIM_EVERY:
            self._trimmed_at = monotonic()
            self._recording.trim()


def _now() -> int:
    """Milliseconds by the clock of this process."""
    return int(monotonic() * 1000)
