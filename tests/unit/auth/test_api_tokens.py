"""API tokens in their file and in the shared store."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from arauto.auth import api_tokens as module
from arauto.auth import api_tokens_in_redis as in_redis
from arauto.auth.api_tokens import NameTaken, NoToken, Tokens, TokensError
from arauto.auth.api_tokens_in_redis import TokensInRedis
from arauto.redis_io.expiring_store import ExpiringStore, MemoryStore, StoreUnavailable


def test_a_token_was_not_made_later_than_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise a token created just before midnight would have the date of tomorrow."""
    now = 1_763_855_999.6
    monkeypatch.setattr(module, "time", lambda: now)
    tokens = Tokens(str(tmp_path / "tokens"))
    tokens.create("ci", ["*"], [], now + 60)
    (made,) = tokens.list()
    assert now - 1 < made.made <= now
    assert f"{made.begins:%H:%M:%S}" == "23:59:59"


@contextmanager
def no_file_left() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_without_a_free_file_nobody_is_advised_to_remove_the_tokens(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    path.write_text("[]")
    tokens = Tokens(str(path))
    for use in (tokens.list, lambda: tokens.revoke("ci")):
        with (
            no_file_left(),
            pytest.raises(TokensError, match=r"\. The machine allows no more open files: raise ulimit -n\.$"),
        ):
            use()
    assert tokens.list() == []
    path.write_text("{")
    with pytest.raises(TokensError, match=r"\. Mend or remove it\.$"):
        tokens.list()


def test_of_two_servers_each_knows_what_the_other_has_made() -> None:
    store = MemoryStore()
    here, there = TokensInRedis(store), TokensInRedis(store)
    assert here.list() == there.list() == []
    made = [one.create(name, ["*"], [], 4e9) for one, name in ((here, "a"), (there, "b"))]
    for one in (here, there):
        assert [token.name for token in one.list()] == ["a", "b"]
        assert [(one.find(token) or pytest.fail(token)).name for token in made] == ["a", "b"]
    with pytest.raises(NameTaken):
        there.create("a", ["*"], [], 4e9)
    there.revoke("a")
    assert here.find(made[0]) is None
    with pytest.raises(NoToken):
        here.revoke("a")
    here.create("a", ["*"], [], 4e9)


def test_a_change_is_made_anew_after_another_and_what_cannot_be_stored_is_said() -> None:
    class Busy(MemoryStore):
        """A store that others change before each of the first writes."""

        def replace(self, key: str, before: bytes | None, value: bytes) -> bool:
            if names:
                TokensInRedis(self).create(names.pop(), ["*"], [], 4e9)
            return super().replace(key, before, value)

    class Lively(MemoryStore):
        def replace(self, key: str, before: bytes | None, value: bytes) -> bool:
            return False

    names = ["b", "c"]
    tokens = TokensInRedis(Busy())
    tokens.create("a", ["*"], [], 4e9)
    assert [one.name for one in tokens.list()] == ["a", "b", "c"]
    with pytest.raises(TokensError, match=r"is being changed by others: try again\.$"):
        TokensInRedis(Lively()).create("a", ["*"], [], 4e9)

    class Away(MemoryStore):
        def get(self, key: str) -> bytes | None:
            raise StoreUnavailable("it is away")

    away: ExpiringStore = Away()
    for use in (TokensInRedis(away).list, lambda: TokensInRedis(away).revoke("a")):
        with pytest.raises(TokensError, match=r"^The key arauto:programs .*\(it is away\)\.$"):
            use()
    store = MemoryStore()
    store.put(in_redis.KEY, b"{", 60)
    with pytest.raises(TokensError, match=r"\. Mend or remove it\.$"):
        TokensInRedis(store).list()
