"""The text of Redis's errors for people."""

import pytest
import redis

from arauto.redis_io.connection import SLOT_MOVES, error_text


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        ("WRONGTYPE Operation against a key", "WRONGTYPE Operation against a key"),
        ("Command # 1 (XRANGE a) - + COUNT 1) of pipeline caused error: WRONGTYPE x", "WRONGTYPE x"),
        ("unknown command 'EVALSHA', with args beginning with: '1f2e'", "unknown command 'EVALSHA'"),
    ],
)
def test_a_command_is_not_repeated(error: str, shown: str) -> None:
    assert error_text(redis.ResponseError(error)) == shown


def test_a_slot_that_moves_gets_a_sentence() -> None:
    refusal = redis.exceptions.TryAgainError("Multiple keys request during rehashing of slot")
    assert error_text(refusal) == SLOT_MOVES
