"""A subscriber's connection to one of several Redis servers, which ends when it may have lost messages."""

from typing import Any

from arauto.net.nonblocking_socket import NonblockingSocket
from arauto.redis_io.elapsed import now
from arauto.redis_io.redis_url import Address


class PlacedSocket(NonblockingSocket):
    """A connection to the server at ``address``, made at ``made``."""

    __slots__ = ("__weakref__", "address", "doubted_since", "is_bound", "made", "notes_losses")

    def __init__(self, sock: Any, address: Address) -> None:
        super().__init__(sock)
        self.address, self.made = address, now()
        self.doubted_since: float | None = None
        self.is_bound = False
        """Whether only this server is of use to it, so that it does not move to a better one."""
        self.notes_losses = False
        """Whether its owner reads the losses of the server itself, so that it need not end."""

    def doubt(self, since: float) -> None:
        """Messages published since then may be missing: end the connection."""
        since = max(since, self.made)
        self.doubted_since = since if self.doubted_since is None else min(since, self.doubted_since)
        self.shutdown()
