"""Visitors whose access has ended, while the tokens or the store cannot be read."""

from pathlib import Path
from time import time

import pytest

from arauto.auth import authentication as module
from arauto.auth.api_tokens import Tokens
from arauto.auth.audit import Audit
from arauto.auth.authentication import Authentication
from arauto.redis_io.connection import RedisLink
from arauto.redis_io.expiring_store import MemoryStore, StoreUnavailable
from arauto.settings import read
from arauto.workers.rate_limits import RateLimit

LINK = RedisLink("redis://nowhere.invalid")


@pytest.fixture
def tokens(tmp_path: Path) -> Tokens:
    return Tokens(str(tmp_path / "tokens"))


@pytest.fixture
def authentication(monkeypatch: pytest.MonkeyPatch, tokens: Tokens) -> Authentication:
    monkeypatch.setattr(module, "_store", lambda link: MemoryStore())
    settings = read({})
    return Authentication(settings, LINK, tokens, Audit(LINK, settings), RateLimit(1))


def test_a_broken_file_of_tokens_keeps_no_session_open(
    authentication: Authentication, tokens: Tokens
) -> None:
    sessions = [authentication.sessions.begin("token", "token", "secret") for _ in range(2)]
    program, here, over = "program:of a token", *(session.key for session in sessions)
    authentication.sessions.end(sessions[1])
    tokens._path.write_text("no JSON")
    assert authentication.find_ended([program, here, over]) == {over}


def test_a_shelf_that_is_away_keeps_no_revoked_token_open(
    authentication: Authentication, tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(names: list[str]) -> list[bool]:
        raise StoreUnavailable

    session = authentication.sessions.begin("token", "token", "secret")
    monkeypatch.setattr(authentication.sessions._store, "has", away)
    tokens.create("another", ["*"], [], time() + 60)
    assert authentication.find_ended([session.key, "program:revoked"]) == {"program:revoked"}
