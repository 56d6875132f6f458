"""A subscriber's connection to one of several Redis servers, which can be put in doubt."""

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
        """It is of use at this server alone, so it does not leave for one that may get more."""
        self.notes_losses = False
        """Its owner reads by himself what the server has lost, so it does not end for that."""

    def doubt(self, since: float) -> None:
        """What was published since then may not have come by it: end the connection."""
        since = max(since, self.made)
        self.doubted_since = since if self.doubted_since is None else min(since, self.doubted_since)
        self.shutdown()
