"""What the file says of a token."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from arauto.auth import api_tokens as module
from arauto.auth.api_tokens import Tokens, TokensError


def test_a_token_was_not_made_later_than_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else one that was made just before midnight would bear the date of tomorrow."""
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


def test_who_has_no_file_left_is_not_told_to_remove_the_tokens(tmp_path: Path) -> None:
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
