"""Stop accepting connections for a moment when the process has no file descriptors left."""

import logging
from collections.abc import Callable
from time import monotonic, sleep
from typing import Any

from arauto.system.resource_errors import sentence

PAUSE = 0.1  # seconds until it is looked again
_QUIET = 60.0  # seconds until it is logged again

log = logging.getLogger("arauto")


class AcceptErrors:
    """Tells, not too often, that nobody can be accepted."""

    def __init__(self) -> None:
        self._from = monotonic()

    def log_or_raise(self, error: Exception) -> None:
        """:raise Exception: it is ``error``, and not that the machine gives no more."""
        if not (said := sentence(error)):
            raise error
        if monotonic() >= self._from:
            log.warning("accept paused why=%r", said)
            self._from = monotonic() + _QUIET


def pause_on_errors(accept: Callable[[Any], None]) -> Callable[[Any], None]:
    """gthread's ``accept``, which would end the worker."""
    errors = AcceptErrors()

    def accept_or_wait(listener: Any) -> None:
        try:
            accept(listener)
        except (OSError, MemoryError) as error:
            errors.log_or_raise(error)
            sleep(PAUSE)

    return accept_or_wait


def make_pausing_server(base: Any) -> Any:
    """gevent's server, a subclass of ``base``, which would write a traceback."""
    errors = AcceptErrors()

    class PausingServer(base):  # type: ignore[misc]  # gevent carries no types
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
