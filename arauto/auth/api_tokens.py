"""API tokens: a file with their names, globs and hashes; or, for several servers, a key in Redis."""

import fcntl
import os
import secrets
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from time import time

import orjson

from arauto.refusal import Refusal
from arauto.system.resource_errors import sentence

PREFIX = "arauto_"  # so that a search for secrets finds them
SHOWN = 4  # last characters that are stored, by which people recognize a token
DAY = 24 * 3600  # seconds
MAX_NAME = 256  # bytes
_LAST = datetime.max.replace(microsecond=0, tzinfo=UTC).timestamp()


class TokensError(Refusal):
    """The file or a request for it cannot be used; the text is a sentence that names the remedy."""

    status = 503


class NameTaken(TokensError):
    """A token has this name already."""


class NoToken(TokensError):
    """No token has this name."""


def is_valid_name(name: str) -> bool:
    """Whether a token may have this name."""
    return name.isprintable() and 0 < len(name.encode()) <= MAX_NAME


@dataclass(frozen=True)
class Token:
    """A token's name, permissions and expiry. Token values are not stored, only their hashes."""

    name: str
    reads: tuple[str, ...]  # globs of channels
    publishes: tuple[str, ...]
    until: float  # Unix seconds
    digest: str
    made: float = 0.0  # Unix seconds; 0 if an older version made it
    end: str = ""

    @property
    def ends(self) -> datetime:
        """When it expires, in the year 9999 at most."""
        return datetime.fromtimestamp(min(self.until, _LAST), UTC)

    @property
    def begins(self) -> datetime:
        """When it was made."""
        return datetime.fromtimestamp(self.made, UTC)

    @property
    def is_over(self) -> bool:
        return self.until <= time()


Rows = dict[str, Token]
"""Tokens by their hashes."""


class Tokens:
    """The tokens in one file. Changes of the file take effect with the next request."""

    where = "The file of ARAUTO_TOKENS"

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._read: tuple[object, Rows] = (None, {})

    def find(self, token: str) -> Token | None:
        """The token with this value; ``None``: unknown or expired.

        It is looked up by hash, so that the time reveals nothing about any token.
        """
        found = self._all().get(_digest(token))
        return None if found is None or found.is_over else found

    def find_ended(self, digests: Iterable[str]) -> set[str]:
        """Those of these tokens that were revoked or have expired."""
        there = self._all()
        return {digest for digest in digests if digest not in there or there[digest].is_over}

    def list(self) -> list[Token]:
        """All tokens, by name."""
        return sorted(self._all().values(), key=lambda token: token.name)

    def create(self, name: str, reads: Iterable[str], publishes: Iterable[str], until: float) -> str:
        """Create a token and return its value, which is not stored.

        :raise NameTaken: a token has this name already.
        :raise TokensError: the file cannot be written.
        """
        token = PREFIX + secrets.token_urlsafe(32)
        made = Token(name, tuple(reads), tuple(publishes), until, _digest(token), int(time()), token[-SHOWN:])

        def add(there: Rows) -> None:
            if any(other.name == name and other != made for other in there.values()):
                raise NameTaken(f"There is a token named {name}: revoke it first, or choose another name.")
            there[made.digest] = made

        self._change(add)
        return token

    def revoke(self, name: str) -> None:
        """Revoke a token; its sockets are closed within seconds.

        :raise NoToken: no token has this name.
        :raise TokensError: the file cannot be written.
        """

        def remove(there: Rows) -> None:
            found = [token for token in there.values() if token.name == name]
            if not found:
                raise NoToken(f"There is no token named {name}: flask --app app token list shows them.")
            del there[found[0].digest]

        self._change(remove)

    def _all(self) -> Rows:
        return self._rows(self._version())

    def _rows(self, version: object) -> Rows:
        if version is None:
            return {}
        if self._read[0] != version:
            self._read = (version, self._parse(version))
        return self._read[1]

    def _parse(self, version: object) -> Rows:
        try:
            rows = [
                Token(**row | {"reads": tuple(row["reads"]), "publishes": tuple(row["publishes"])})
                for row in orjson.loads(self._load(version))
            ]
        except (OSError, ValueError, TypeError, KeyError) as error:
            remedy = sentence(error) or "Mend or remove it."  # not if the machine lacks resources
            raise TokensError(f"{self.where} cannot be read ({error}). {remedy}") from None
        return {row.digest: row for row in rows}

    def _version(self) -> object:
        """A value that differs after each change; ``None``: there are no tokens."""
        try:
            now = os.stat(self._path)
        except FileNotFoundError:
            return None
        return now.st_ino, now.st_mtime_ns, now.st_size

    def _load(self, version: object) -> bytes:
        return self._path.read_bytes()

    def _change(self, change: Callable[[Rows], None]) -> None:
        """Apply one change at a time. The file is replaced, so that no reader sees half of it."""
        try:
            with self._path.with_suffix(".lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                there = dict(self._all())
                change(there)
                new = self._path.with_suffix(".new")
                with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                    file.write(encode(there))
                new.replace(self._path)
        except OSError as error:
            raise TokensError(
                f"{self.where} cannot be written ({error}). {sentence(error)}".rstrip()
            ) from None


def encode(tokens: Rows) -> bytes:
    """The stored form of tokens."""
    return orjson.dumps([asdict(token) for token in tokens.values()])


def _digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()
