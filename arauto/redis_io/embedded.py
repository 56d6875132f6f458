"""The embedded Valkey: a server process that ends with the last process that holds its pipe."""

import os
import subprocess
from collections.abc import MutableMapping
from time import monotonic, sleep
from typing import Self

from arauto.redis_io.discovery import ADDRESS, NoRedis, answers
from arauto.system import temp_directory

HELD = "ARAUTO_VALKEY_HELD"  # environment variable that passes the pipe to the next gunicorn master
SPARE_CLIENTS = 1000  # beside one per browser socket: publishers, redis-cli, scripts
START_PATIENCE = 10.0  # seconds
STOP_PATIENCE = 5.0  # seconds

# The server must end with us, even when we are killed. The write end of a pipe closes
# with the last process that holds it, and then the shell's read returns.
_WATCH = '"$@" </dev/null & child=$!; read -r _; kill $child 2>/dev/null; wait $child'


class EmbeddedValkey:
    """A Valkey on 127.0.0.1:6379 without persistence."""

    def __init__(self, hold: int, process: subprocess.Popen[bytes] | None = None) -> None:
        """Hold a running Valkey.

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
        process = subprocess.Popen(  # noqa: S603 - no part is from a visitor
            ["/bin/sh", "-c", _WATCH, "sh", binary, *arguments],
            stdin=watched,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(watched)
        valkey = cls(hold, process)
        end = monotonic() + START_PATIENCE
        while not answers(*ADDRESS):
            if monotonic() > end or process.poll() is not None:
                valkey.stop()
                raise NoRedis("The embedded Valkey did not start: start a Redis, or set REDIS_URL.")
            sleep(0.02)
        return valkey

    @classmethod
    def take_over(cls, environ: MutableMapping[str, str]) -> Self | None:
        """Hold the Valkey that was passed in ``environ``, if any."""
        if not (given := environ.pop(HELD, "")):
            return None
        os.set_inheritable(int(given), False)
        return cls(int(given))

    def hand_on(self, environ: MutableMapping[str, str]) -> None:
        """Pass it on to the program that this process executes with ``environ``."""
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
        return answers(*ADDRESS) if self._process is None else self._process.poll() is None
