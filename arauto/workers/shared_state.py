"""What gunicorn's master makes once for all workers; a process without a master makes its own."""

import atexit
import secrets
from dataclasses import dataclass

from arauto.assets.minifier import minify_in_subprocess
from arauto.redis_io import embedded
from arauto.redis_io.embedded import EmbeddedValkey, Found
from arauto.settings import Settings
from arauto.workers.connection_limits import ConnectionLimits
from arauto.workers.rate_limits import RateLimits
from arauto.workers.worker_states import WorkerStates


@dataclass(frozen=True, kw_only=True)
class SharedState:
    """A parameter of ``create_app()``.

    :param found: the Redis that is used.
    :param token: the access token that was made because none was set; else empty.
    :param secret: what all workers derive their keys from, where none was set.
    :param assets: scripts and styles, see :mod:`arauto.assets.minifier`.
    """

    found: Found
    token: str
    secret: str
    capacity: ConnectionLimits
    worker_states: WorkerStates
    rates: RateLimits
    assets: dict[str, str]

    @classmethod
    def for_one_process(cls, settings: Settings) -> "SharedState":
        """For Flask's own server, a command or a test. An embedded Valkey ends with the process.

        :raise NoRedis: there is none.
        """
        found = embedded.find(settings)
        if found.binary:
            atexit.register(EmbeddedValkey.start(found.binary, settings.max_sockets).stop)
        return cls(
            found=found,
            token="",
            secret=secrets.token_hex(32),
            capacity=ConnectionLimits(settings.max_sockets, settings.max_sockets_per_address),
            worker_states=WorkerStates(),
            rates=RateLimits(settings.publish_rate, settings.connect_rate),
            assets=minify_in_subprocess(),
        )
