"""The recorded channels of one shard of a cluster, for its recorder."""

from arauto.net.nonblocking_socket import NonblockingSocket
from arauto.protocol.selection import Selection
from arauto.recording.cluster_store import ShardStore
from arauto.recording.recorded_channels import Recording
from arauto.recording_core.candidate import DOUBT_LASTS
from arauto.redis_io.cluster_link import ClusterLink
from arauto.redis_io.cluster_map import Shard
from arauto.redis_io.elapsed import now, unix

RECENT = DOUBT_LASTS / 1000  # seconds; earlier losses are known to the recorder of that time


class ShardRecording:
    """For a shard what :class:`Recording` is for a single Redis.

    A recorder works on one node only: it receives messages there, writes the logs of the channels whose slots
    the node has, and publishes announcements there. So there is one order, as on a single Redis.
    """

    def __init__(self, recording: Recording, link: ClusterLink, shard: Shard, store: ShardStore) -> None:
        self.link = link
        self.store = store
        self.shard = shard
        """Its slots may change; the recorder checks once a second."""
        self._recording = recording
        self._lost_at = now() - RECENT  # when the last loss was found that the recorder knows

    @property
    def slots(self) -> tuple[range, ...]:
        return self.shard.slots

    @property
    def selection(self) -> Selection:
        return self._recording.selection

    @property
    def is_wanted(self) -> bool:
        return self._recording.is_wanted

    @property
    def generation(self) -> int:
        return self._recording.generation

    @property
    def error(self) -> str:
        return self._recording.error

    def connect(self) -> NonblockingSocket:
        return self.link.connect_to_master(self.shard.address, notes_losses=True)

    def new_loss(self) -> tuple[int, int] | None:
        losses = [loss for loss in self.link.cluster.losses_at(self.shard.address) if loss[0] > self._lost_at]
        if not losses:
            return None
        self._lost_at = max(found for found, _ in losses)
        since = min(since for _, since in losses)
        return round(1000 * unix(since)), round(1000 * unix(self._lost_at))

    def has_moved(self) -> None:
        self.link.cluster.look()

    def look(self) -> None:
        self.store.log_names.is_wanted.set()

    def refresh(self) -> None:
        """Nothing: :class:`SharedKeys` does it, which may wait for another node."""

    def report(self, channel: bytes, why: str) -> None:
        self._recording.report(channel, why)

    def trim(self) -> None:
        """Nothing: :class:`SharedKeys` does it."""

    def upgrade(self) -> None:
        """Nothing: no earlier version recorded in a cluster."""
