"""API tokens in Redis, the same for all servers: one key with what the file would have."""

from collections.abc import Callable

from arauto.auth.api_tokens import Rows, Tokens, TokensError, encode
from arauto.redis_io.expiring_store import ExpiringStore, StoreUnavailable

KEY = "programs"
_ATTEMPTS = 20  # where each fails because another change was made


class TokensInRedis(Tokens):
    """A change is seen at the next request, on every server."""

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
        """Written only over what it was made from: however long that took, no other change is undone."""
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
