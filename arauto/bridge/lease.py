"""The bridge's lease in Redis: which process passes messages on, and what its successor needs to know."""

from importlib import resources
from typing import NamedTuple

from arauto.redis_io.connection import RedisLink

KEY = b"arauto:bridge"
"""A hash: the holder's token, when it expires, and up to when all messages have been passed on."""
LEASE_MS = 2000  # milliseconds that a lease lasts after its last renewal
GRACE_MS = 1000  # milliseconds for which a process that has missed messages leaves the lease to others

_LEASE, _PUBLISH = (
    resources.files("arauto.bridge").joinpath(f"{name}.lua").read_text() for name in ("lease", "publish")
)


class NotOurs(Exception):
    """Another process has the lease."""


class LeaseReply(NamedTuple):
    """The state of the lease, as Redis replies it.

    :param token: ours; 0: it is not ours.
    :param now: Redis's time, in Unix milliseconds.
    :param until: messages published before have been passed on; 0: unknown.
    :param state: as the last holder wrote it before.
    :param is_held: 1: some process holds it.
    :param wanted: when a process that waits for it last asked.
    :param back: by how many milliseconds the stored times were moved, since Redis's clock went back: rather
        too far than too little.
    """

    token: int
    now: int
    until: int
    state: bytes
    is_held: int
    wanted: int
    back: int


class Lease:
    """Each method is one atomic step, and raises ``redis.RedisError`` if Redis is away or refuses."""

    def __init__(self, link: RedisLink) -> None:
        self._link = link

    def step(
        self,
        token: int,
        is_wanted: bool,
        has_missed: bool,
        until: int,
        state: bytes,
        expected: int,
        *,
        is_waiting: bool,
    ) -> LeaseReply:
        """Renew, release, claim or only read the lease.

        :param token: ours, or 0.
        :param has_missed: this process lacks messages that another one may have.
        :param until: messages published before have been passed on, as far as this process knows; 0: unknown.
        :param expected: what Redis's time is now, at least, unless its clock went back; 0: unknown.
        :param is_waiting: if it is wanted, but another process holds it: whether that one shall know.
        """
        grace = GRACE_MS if has_missed else 0
        given = (token, LEASE_MS, int(is_wanted), grace, until, state, expected, int(is_waiting))
        return LeaseReply(*self._link.keys.eval(_LEASE, 1, KEY, *given))

    def publish(self, token: int, messages: list[tuple[bytes, bytes]]) -> tuple[int, str]:
        """Publish to channels if the lease is ours.

        :return: how many were published, and Redis's error for the next one.
        :raise NotOurs: none were.
        """
        flat = [part for message in messages for part in message]
        many, why = self._link.keys.eval(_PUBLISH, 1, KEY, token, *flat)
        if many < 0:
            raise NotOurs
        return many, why.decode(errors="replace")
