"""What gunicorn's master hands to the workers that it forks: set there, read here."""

from arauto.capacity import Capacity
from arauto.departures import Departures
from arauto.embedded import EmbeddedValkey, Found
from arauto.forks import Forks
from arauto.rates import Rates

found: Found | None = None
capacity: Capacity | None = None
departures: Departures | None = None
rates: Rates | None = None
forks: Forks | None = None
assets: dict[str, str] | None = None  # see minifier.py
valkey: EmbeddedValkey | None = None  # here, because a reload makes gunicorn.conf.py anew
token: str = ""  # the access token that was made because none was set
secret: str = ""  # what all workers derive their keys from, where none was set
