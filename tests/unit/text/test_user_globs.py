import pytest

from arauto.text.user_globs import is_named, may_be_meant

GLOBS = ("josé".encode(), b"temp-*", b"[^A]na")


@pytest.mark.parametrize("user", ["josé", "jose\u0301", "temp-7", "bna"])
def test_named(user: str) -> None:
    assert is_named(user, GLOBS)
    assert may_be_meant(user, GLOBS)


@pytest.mark.parametrize("user", ["JOSÉ", "JOSE\u0301", "Temp-7"])
def test_in_other_letters_a_right_is_taken_and_none_given(user: str) -> None:
    assert not is_named(user, GLOBS)
    assert may_be_meant(user, GLOBS)


def test_what_is_named_by_the_letter_stays_named() -> None:
    assert may_be_meant("ana", GLOBS)
    assert not may_be_meant("Ana bia", GLOBS)
