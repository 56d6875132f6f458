"""Sessions: stored on the server; the browser has only an id.

A session is stored encrypted under the hash of its id, with a key derived from that id and our secret: a
reader of the store finds neither a password nor an id to log in with.
"""

import logging
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from hashlib import sha256
from hmac import compare_digest, new
from time import time

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from arauto.redis_io.expiring_store import ExpiringStore

PREFIX = "session:"  # of each session's key
_NONCE = 12  # bytes, for AES-GCM

log = logging.getLogger("arauto")


@dataclass(frozen=True)
class Session:
    """A login: its user, and until when it is valid."""

    id: str  # the value of the cookie
    way: str  # ``token`` or ``redis``
    name: str
    until: float  # Unix seconds
    secret: str  # a MAC of the shared token, or the password of a Redis user

    @property
    def key(self) -> str:
        """The key under which it is stored."""
        return _key(self.id)


class Sessions:
    """The sessions of all processes."""

    def __init__(self, store: ExpiringStore, secret: str, seconds: float) -> None:
        self._store = store
        self._secret = secret.encode()
        self._seconds = seconds
        self._is_logged = False  # whether it was logged that there are sessions of another secret

    def begin(self, way: str, name: str, secret: str) -> Session:
        """Begin a session, always with a new id.

        :raise StoreUnavailable: it cannot be stored.
        """
        session = Session(secrets.token_urlsafe(32), way, name, time() + self._seconds, secret)
        self._store.put(session.key, self._seal(session), self._seconds)
        self._store.add(_all_of(session), session.key, self._seconds)
        return session

    def find(self, id: str) -> Session | None:
        """The session with this id.

        :raise StoreUnavailable: it cannot be read now.
        """
        sealed = self._store.get(_key(id)) if id else None
        session = self._open(id, sealed) if sealed else None
        return session if session and session.until > time() else None

    def end(self, session: Session) -> None:
        """Log out."""
        self.drop(session.key)

    def drop(self, key: str) -> None:
        """Log out, by the session's key."""
        self._store.drop([key])

    def end_all(self, session: Session) -> None:
        """Log out everywhere: end every session of the same name and kind of login."""
        self._store.drop([*self._store.members(_all_of(session)), _all_of(session), session.key])

    def find_ended(self, keys: Iterable[str]) -> set[str]:
        """Those of these keys whose sessions are over."""
        wanted = list(keys)
        return {key for key, is_there in zip(wanted, self._store.has(wanted), strict=True) if not is_there}

    def sign(self, purpose: str, text: str) -> str:
        """A MAC of ``text``: for CSRF tokens, and to recognize a shared token."""
        return new(self._secret, f"{purpose} {text}".encode(), sha256).hexdigest()

    def is_signature(self, given: str, purpose: str, text: str) -> bool:
        """Whether ``given`` is that MAC, compared in constant time."""
        return compare_digest(given.encode(), self.sign(purpose, text).encode())

    def _seal(self, session: Session) -> bytes:
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._cipher(session.id).encrypt(nonce, orjson.dumps(asdict(session)), None)

    def _open(self, id: str, sealed: bytes) -> Session | None:
        try:
            opened = self._cipher(id).decrypt(sealed[:_NONCE], sealed[_NONCE:], None)
        except (InvalidTag, ValueError):
            if not self._is_logged:
                log.warning("session of another secret")
            self._is_logged = True
            return None  # sealed with another secret, or not by us
        return Session(**orjson.loads(opened))

    def _cipher(self, id: str) -> AESGCM:
        made = HKDF(SHA256(), 32, salt=id.encode(), info=b"arauto session")
        return AESGCM(made.derive(self._secret))


def _key(id: str) -> str:
    return f"{PREFIX}{sha256(id.encode()).hexdigest()}"


def _all_of(session: Session) -> str:
    return f"sessions:{sha256(f'{session.way} {session.name}'.encode()).hexdigest()}"
