import pytest

from arauto.text.user_globs import user_matches, user_may_match

GLOBS = ("josé".encode(), b"temp-*", b"[^A]na")


@pytest.mark.parametrize("user", ["josé", "jose\u0301", "temp-7", "bna"])
def test_named(user: str) -> None:
    assert user_matches(user, GLOBS)
    assert user_may_match(user, GLOBS)


@pytest.mark.parametrize("user", ["JOSÉ", "JOSE\u0301", "Temp-7"])
def test_in_other_letters_a_right_is_taken_and_none_given(user: str) -> None:
    assert not user_matches(user, GLOBS)
    assert user_may_match(user, GLOBS)


def test_what_is_named_by_the_letter_stays_named() -> None:
    assert user_may_match("ana", GLOBS)
    assert not user_may_match("Ana bia", GLOBS)
