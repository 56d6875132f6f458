"""What gunicorn's master hands to the workers that it forks: set there, read here."""

from arauto.redis_io.embedded import EmbeddedValkey, Found
from arauto.server.forking import Forks
from arauto.workers.connection_limits import ConnectionLimits
from arauto.workers.rate_limits import RateLimits
from arauto.workers.worker_states import WorkerStates

found: Found | None = None
capacity: ConnectionLimits | None = None
worker_states: WorkerStates | None = None
rates: RateLimits | None = None
forks: Forks | None = None
assets: dict[str, str] | None = None  # see minifier.py
valkey: EmbeddedValkey | None = None  # here, because a reload makes gunicorn.conf.py anew
token: str = ""  # the access token that was made because none was set
secret: str = ""  # what all workers derive their keys from, where none was set
