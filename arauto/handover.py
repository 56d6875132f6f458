"""What gunicorn's master hands to the workers that it forks: set there, read here."""

from arauto.capacity import Capacity
from arauto.embedded import Found

found: Found | None = None
capacity: Capacity | None = None
