"""API tokens in Redis, the same for all servers: one key with what the file would have."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep

from arauto.auth.api_tokens import Token, Tokens, TokensError, encode
from arauto.redis_io.expiring_store import ExpiringStore, StoreUnavailable

KEY, LOCK = "programs", "programs:lock"
_LOCKED = 10.0  # seconds that a change may take; then it is taken for dead
_ROUND = 0.05  # seconds


class TokensInRedis(Tokens):
    """A change is seen at the next request, on every server."""

    where = f"The key arauto:{KEY} of ARAUTO_TOKENS=redis"

    def __init__(self, store: ExpiringStore) -> None:
        self._store = store
        self._read = (None, {})

    def _version(self) -> object:
        try:
            return self._store.get(KEY)
        except StoreUnavailable as error:
            raise TokensError(f"{self.where} cannot be read ({error}).") from None

    def _load(self) -> bytes:
        return self._store.get(KEY) or b"[]"

    @contextmanager
    def _locked(self) -> Iterator[dict[str, Token]]:
        try:
            self._lock()
            try:
                there = dict(self._all())
                yield there
                self._store.put(KEY, encode(there), None)
            finally:
                self._store.drop([LOCK])
        except StoreUnavailable as error:
            raise TokensError(f"{self.where} cannot be written ({error}).") from None

    def _lock(self) -> None:
        end = monotonic() + 2 * _LOCKED
        while not self._store.put_new(LOCK, b"", _LOCKED):
            if monotonic() > end:
                raise TokensError(f"{self.where} is being changed by others: try again.")
            sleep(_ROUND)
