"""Throttles login attempts: after a few, each has to wait longer than the last."""

from hashlib import sha256

from arauto.redis_io.expiring_store import ExpiringStore

FREE = 5  # attempts without a wait
FIRST_WAIT, LONGEST_WAIT = 1.0, 300.0  # seconds; doubled each time
REMEMBERED = 900.0  # seconds after the last attempt


class TooSoon(Exception):
    """The next attempt has to wait, for :attr:`seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class LoginThrottle:
    """Counts by address and by user, whether the user exists or not."""

    def __init__(self, store: ExpiringStore) -> None:
        self._store = store

    def begin(self, *names: str) -> None:
        """Count an attempt before it is checked, so that many at once gain nothing.

        :raise TooSoon: one of ``names`` has to wait; then it is not counted.
        """
        self.check(*names)
        for name in map(_hidden, names):
            over = self._store.increment(f"attempts:{name}", REMEMBERED) - FREE
            if over > 0:
                wait = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(over - 1, 16))
                self._store.put(f"wait:{name}", b"1", wait)

    def check(self, *names: str) -> None:
        """:raise TooSoon: one of ``names`` has to wait."""
        if wait := max(self._store.ttl(f"wait:{name}") for name in map(_hidden, names)):
            raise TooSoon(wait)

    def succeed(self, address: str, user: str) -> None:
        """Reset the user after a successful login; earlier attempts of the address still count.

        Otherwise an attacker with one valid password could guess others without a wait.
        """
        self._store.decrement(f"attempts:{_hidden(address)}", REMEMBERED)
        self._store.drop([f"attempts:{_hidden(user)}", f"wait:{_hidden(user)}", f"wait:{_hidden(address)}"])


def _hidden(name: str) -> str:
    return sha256(name.encode()).hexdigest()
