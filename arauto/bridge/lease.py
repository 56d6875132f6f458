"""The lease of the bridge in Redis: which process is at work, and what the next one has to know."""

from importlib import resources
from typing import NamedTuple

from arauto.redis_io.connection import RedisLink

KEY = b"arauto:bridge"
"""A hash: the token of who is at work, until when, and up to when everything has been passed on."""
LEASE_MS = 2000  # milliseconds after its last sign of life until a process counts as dead
GRACE_MS = 1000  # milliseconds in which those that have missed nothing come before those that have

_LEASE, _PUBLISH = (
    resources.files("arauto.bridge").joinpath(f"{name}.lua").read_text() for name in ("lease", "publish")
)


class NotOurs(Exception):
    """Another process has the lease."""


class Told(NamedTuple):
    """What Redis says of the lease.

    :param token: ours; 0: it is not ours.
    :param now: Redis's time, in Unix milliseconds.
    :param until: all that was published before has been passed on; 0: nobody knows.
    :param state: as the last holder wrote it.
    :param is_held: 1: some process has it.
    :param wanted: when another process last said that it would take it.
    """

    token: int
    now: int
    until: int
    state: bytes
    is_held: int
    wanted: int


class Lease:
    """Each method is one atomic step, and raises ``redis.RedisError`` if Redis is away or refuses."""

    def __init__(self, link: RedisLink) -> None:
        self._link = link

    def step(self, token: int, is_wanted: bool, has_missed: bool, until: int, state: bytes) -> Told:
        """Keep the lease, let go of it, claim it, or only look.

        :param token: ours, or 0.
        :param has_missed: this process lacks something that another one may have.
        """
        grace = GRACE_MS if has_missed else 0
        given = (token, LEASE_MS, int(is_wanted), grace, until, state)
        return Told(*self._link.keys.eval(_LEASE, 1, KEY, *given))

    def publish(self, token: int, messages: list[tuple[bytes, bytes]]) -> tuple[int, str]:
        """Publish to channels, for as long as the lease is ours.

        :return: how many were published, and Redis's words why the next one was not.
        :raise NotOurs: none were.
        """
        flat = [part for message in messages for part in message]
        many, why = self._link.keys.eval(_PUBLISH, 1, KEY, token, *flat)
        if many < 0:
            raise NotOurs
        return many, why.decode(errors="replace")
