"""API tokens in Redis, shared by all servers: one key with the content of the file."""

from collections.abc import Callable

from arauto.auth.api_tokens import Rows, Tokens, TokensError, encode
from arauto.redis_io.expiring_store import ExpiringStore, StoreUnavailable

KEY = "programs"
_ATTEMPTS = 20  # at a change; each fails if another change was made meanwhile


class TokensInRedis(Tokens):
    """The tokens in one key. Changes take effect with the next request, on every server."""

    where = f"The key arauto:{KEY} of ARAUTO_TOKENS=redis"

    def __init__(self, store: ExpiringStore) -> None:
        self._store = store
        self._read = (None, {})

    def _version(self) -> bytes | None:
        try:
            return self._store.get(KEY)
        except StoreUnavailable as error:
            raise TokensError(f"{self.where} cannot be read ({error}).") from None

    def _load(self, version: object) -> bytes:
        assert isinstance(version, bytes)  # noqa: S101 - for mypy: it is the value itself
        return version

    def _change(self, change: Callable[[Rows], None]) -> None:
        """Replace the value only if it is still the one that was changed, so that no change is lost."""
        for _ in range(_ATTEMPTS):
            before = self._version()
            there = dict(self._rows(before))
            change(there)
            try:
                if self._store.replace(KEY, before, encode(there)):
                    return
            except StoreUnavailable as error:
                raise TokensError(f"{self.where} cannot be written ({error}).") from None
        raise TokensError(f"{self.where} is being changed by others: try again.")
