"""The recorders of a cluster: one independent thread for each shard."""

import logging
import threading
from collections.abc import Callable
from functools import partial

import redis

from arauto.recording.cluster_store import ClusterStore, slot_of
from arauto.recording.recorded_channels import Recording
from arauto.recording.recorder_thread import RecorderThread
from arauto.recording.shard_recording import ShardRecording
from arauto.recording.shared_keys import SharedKeys
from arauto.recording_core.candidate import Candidate
from arauto.redis_io.cluster_link import ClusterLink
from arauto.redis_io.cluster_map import Shard
from arauto.redis_io.redis_url import Address
from arauto.system.timer_wheel import TimerWheel
from arauto.workers.handover import wait_for_successor
from arauto.workers.worker_states import WorkerStates

LOOK_EVERY = 0.1  # seconds
READ_WITHIN = 3.0  # seconds to wait for the names of all logs

Key = tuple[Address, int]
"""The address of a shard's master, and the shard's lowest slot, which names its lease."""

log = logging.getLogger("arauto")


class ShardRecorders(threading.Thread):
    """For a cluster what :class:`RecorderThread` is for a single Redis."""

    def __init__(
        self,
        recording: Recording,
        link: ClusterLink,
        timers: TimerWheel,
        reconcile: Callable[[], None],
        worker_states: WorkerStates,
    ) -> None:
        super().__init__(name="recorders", daemon=True)
        self._recording = recording
        self._link = link
        self._timers = timers
        self._reconcile = reconcile
        self._worker_states = worker_states
        self._recorders: dict[Key, tuple[ShardRecording, RecorderThread]] = {}
        self._standing_by: dict[Key, bool] = {}
        self._shared_keys = SharedKeys(recording, self._wake_recorders, self._has)
        self._stopping = threading.Event()

    def why_not(self, channel: bytes) -> str:
        """Why the channel is not recorded, as far as this process knows; from any thread."""
        for recording, recorder in list(self._recorders.values()):
            if recording.shard.has(slot_of(channel)):
                return recorder.why_not(channel)
        return self._recording.error

    @property
    def error(self) -> str:
        """Redis's error if nothing is recorded on one of the shards; else empty."""
        return next((one.error for _, one in list(self._recorders.values()) if one.error), "")

    def wake(self) -> None:
        """Check for changes now; from any thread."""
        self._shared_keys.look()
        self._wake_recorders()

    def _wake_recorders(self) -> None:
        for _, recorder in list(self._recorders.values()):
            recorder.wake()

    def hand_over(self, until: float) -> None:
        """Wait until a successor stands by for all shards, if this process records; from any thread."""
        states = self._worker_states
        if any(one.token for one in self._candidates()):
            wait_for_successor(states, lambda: states.has_stand_by or self._are_others_recorders(), until)

    def _are_others_recorders(self) -> bool:
        return all(one.other_is_recorder for one in self._candidates())

    def _candidates(self) -> list[Candidate]:
        return [recorder.candidate for _, recorder in list(self._recorders.values())]

    def stop(self) -> None:
        """Release the leases, and end; from any thread."""
        self._stopping.set()
        self._shared_keys.stop()
        stops = [threading.Thread(target=one.stop) for _, one in list(self._recorders.values())]
        for stop in stops:
            stop.start()
        for stop in stops:
            stop.join()

    def run(self) -> None:
        self._shared_keys.start()
        self._shared_keys.are_read.wait(READ_WITHIN)
        while not self._stopping.is_set():
            try:
                self._follow(self._link.cluster.map().shards())
            except redis.RedisError:
                pass  # no node answers: the recorders keep trying
            except Exception:
                log.exception("recorder failed")
            standing_by = [self._standing_by.get(key) for key in self._recorders]
            self._worker_states.note_stand_by(bool(standing_by) and all(standing_by))
            self._stopping.wait(LOOK_EVERY)

    def _follow(self, shards: list[Shard]) -> None:
        found: dict[Key, Shard] = {(shard.address, shard.first): shard for shard in shards}
        masters = {shard.address for shard in shards}
        for key in [*self._recorders]:
            recording, recorder = self._recorders[key]
            if key in found:
                recording.shard = found[key]
            elif self._is_gone(key, masters, found):
                del self._recorders[key]
                recorder.end()
        for key, shard in found.items():
            if key not in self._recorders:
                self._recorders[key] = self._make(key, shard)

    def _is_gone(self, key: Key, masters: set[Address], found: dict[Key, Shard]) -> bool:
        """Whether another node has the shard's slots, or the shard another lowest slot."""
        return key[0] in masters or any(shard.has(key[1]) for shard in found.values())

    def _has(self, channel: bytes) -> bool:
        """Whether this process is the channel's recorder. If nothing is recorded, any process counts."""
        if not self._recording.is_wanted:
            return True
        return any(
            recorder.candidate.token and recording.shard.has(slot_of(channel))
            for recording, recorder in list(self._recorders.values())
        )

    def _make(self, key: Key, shard: Shard) -> tuple[ShardRecording, RecorderThread]:
        store = self._recording.store
        assert isinstance(store, ClusterStore)  # noqa: S101 - for mypy: it is made from the same link
        recording = ShardRecording(self._recording, self._link, shard, store.of(shard))
        note_stand_by = partial(self._standing_by.__setitem__, key)
        recorder = RecorderThread(
            recording, self._timers, self._reconcile, self._worker_states, note_stand_by
        )
        recorder.start()
        return recording, recorder


Recorder = RecorderThread | ShardRecorders


def make_recorder(
    recording: Recording, timers: TimerWheel, reconcile: Callable[[], None], worker_states: WorkerStates
) -> Recorder:
    """The recorder for a single Redis or a cluster."""
    link = recording.link
    if isinstance(link, ClusterLink):
        return ShardRecorders(recording, link, timers, reconcile, worker_states)
    return RecorderThread(recording, timers, reconcile, worker_states, worker_states.note_stand_by)
