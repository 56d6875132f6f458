"""Matches user names by globs, in whichever Unicode form (pure)."""

from collections.abc import Iterable
from unicodedata import normalize

from arauto.text.glob import matches


def user_matches(user: str, globs: Iterable[bytes]) -> bool:
    """Whether one of ``globs`` matches; for settings that grant a permission."""
    return any(matches(_plain(glob.decode()), _plain(user)) for glob in globs)


def user_may_match(user: str, globs: Iterable[bytes]) -> bool:
    """The same, regardless of case; for settings that take a permission away.

    Many directories let ``guest`` log in as ``Guest``, and the proxy passes the name on as typed.
    """
    given = tuple(globs)
    folded = [_plain(glob.decode().casefold()) for glob in given]
    return user_matches(user, given) or any(matches(glob, _plain(user.casefold())) for glob in folded)


def _plain(text: str) -> bytes:
    return normalize("NFC", text).encode()
