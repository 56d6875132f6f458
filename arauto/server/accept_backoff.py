"""Pauses accepting connections when the process has no file descriptors left, and ends it before a stop."""

import logging
from collections.abc import Callable
from time import monotonic, sleep
from typing import Any, ClassVar

from arauto.system.resource_errors import sentence

PAUSE = 0.1  # seconds until the next attempt
_QUIET = 60.0  # seconds until the error is logged again

log = logging.getLogger("arauto")


class AcceptErrors:
    """Logs, not too often, that no connection can be accepted."""

    def __init__(self) -> None:
        self._from = monotonic()

    def log_or_raise(self, error: Exception) -> None:
        """:raise Exception: ``error``, if it is not a shortage of resources."""
        if not (why := sentence(error)):
            raise error
        if monotonic() >= self._from:
            log.warning("accept paused why=%r", why)
            self._from = monotonic() + _QUIET


def pause_on_errors(accept: Callable[[Any], None]) -> Callable[[Any], None]:
    """Wrap gthread's ``accept``, whose error would end the worker."""
    errors = AcceptErrors()

    def accept_or_wait(listener: Any) -> None:
        try:
            accept(listener)
        except (OSError, MemoryError) as error:
            errors.log_or_raise(error)
            sleep(PAUSE)

    return accept_or_wait


def make_pausing_server(base: Any) -> Any:
    """A subclass of gevent's server ``base``, which would log a traceback.

    Its class method ``stop_all`` lets all its servers accept no more connections.
    """
    errors = AcceptErrors()

    class PausingServer(base):  # type: ignore[misc]  # gevent carries no types
        servers: ClassVar[list[Any]] = []
        is_over = False

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.servers.append(self)

        @classmethod
        def stop_all(cls) -> None:
            cls.is_over = True
            for server in cls.servers:
                server.stop_accepting()

        def start_accepting(self) -> None:
            if not self.is_over:  # each connection that ends would let it accept again
                super().start_accepting()

        def do_read(self) -> Any:
            try:
                return super().do_read()
            except (OSError, MemoryError) as error:
                errors.log_or_raise(error)
                self.stop_accepting()
                self._timer = self.loop.timer(PAUSE)
                self._timer.start(self._start_accepting_if_started)
                return None

    return PausingServer
