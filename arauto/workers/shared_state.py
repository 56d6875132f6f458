"""State that gunicorn's master makes once for all workers; a process without a master makes its own."""

import secrets
from dataclasses import dataclass

from arauto.redis_io.discovery import DiscoveredRedis
from arauto.settings import Settings
from arauto.workers.connection_limits import ConnectionLimits
from arauto.workers.rate_limits import RateLimits
from arauto.workers.worker_states import WorkerStates


@dataclass(frozen=True, kw_only=True)
class SharedState:
    """A parameter of ``create_app()``.

    :param redis: the Redis that is used.
    :param token: the access token that was made because none was set; else empty.
    :param secret: the secret of all workers, if none was set.
    :param assets: scripts and styles, compressed: see :mod:`arauto.assets.minifier`.
    """

    redis: DiscoveredRedis
    token: str
    secret: str
    capacity: ConnectionLimits
    worker_states: WorkerStates
    rates: RateLimits
    assets: dict[str, bytes]

    @classmethod
    def make(
        cls,
        settings: Settings,
        redis: DiscoveredRedis,
        assets: dict[str, bytes],
        token: str = "",
        process_limit: int | None = None,
    ) -> "SharedState":
        """:param process_limit: how many sockets one process has room for, if fewer than all."""
        return cls(
            redis=redis,
            token=token,
            secret=secrets.token_hex(32),
            capacity=ConnectionLimits(settings.max_sockets, settings.max_sockets_per_address, process_limit),
            worker_states=WorkerStates(),
            rates=RateLimits(settings.publish_rate, settings.connect_rate),
            assets=assets,
        )
