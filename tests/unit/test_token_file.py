"""What the file says of a token."""

from pathlib import Path

import pytest

from arauto import tokens as module
from arauto.tokens import Tokens


def test_a_token_was_not_made_later_than_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else one that was made just before midnight would bear the date of tomorrow."""
    now = 1_763_855_999.6
    monkeypatch.setattr(module, "time", lambda: now)
    tokens = Tokens(str(tmp_path / "tokens"))
    tokens.create("ci", ["*"], [], now + 60)
    (made,) = tokens.list()
    assert now - 1 < made.made <= now
    assert f"{made.begins:%H:%M:%S}" == "23:59:59"
