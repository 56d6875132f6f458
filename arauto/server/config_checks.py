"""Checks gunicorn's own settings for values that would break open feeds."""

from typing import Any

from arauto.settings import WORKERS, Settings
from arauto.system.temp_directory import is_writable

SHORTEST_TIMEOUT = 10  # seconds; a worker under load may notify the master late
SHORTEST_GRACE = 4  # seconds; closing all sockets may take more than two


class ConfigError(Exception):
    """A setting would break feeds; the text is a sentence that names the remedy."""


def check(cfg: Any, settings: Settings, sockets: int) -> None:
    """Check gunicorn's configuration before it starts.

    :param sockets: how many a worker takes; at most ``ARAUTO_MAX_SOCKETS``.

    :raise ConfigError: for the first such setting.
    """
    for wrong, sentence in (
        (
            cfg.worker_class_str not in WORKERS,
            f"Worker class {cfg.worker_class_str} cannot hold sockets: leave it out, "
            f"and set ARAUTO_WORKER to {' or '.join(WORKERS)}.",
        ),
        (
            cfg.max_requests > 0,
            f"max_requests={cfg.max_requests} would cut all open pages of a recycled worker: leave it at 0.",
        ),
        (
            cfg.preload_app,
            "preload_app would load the program before there are workers to share its limits: leave it off.",
        ),
        (
            cfg.worker_class_str == "gthread" and cfg.threads <= sockets,
            f"threads={cfg.threads} would leave no thread for pages beside "
            f"ARAUTO_MAX_SOCKETS={settings.max_sockets}: leave threads out, or lower ARAUTO_MAX_SOCKETS.",
        ),
        (
            cfg.worker_connections <= sockets,
            f"worker_connections={cfg.worker_connections} would leave no room for pages beside "
            f"ARAUTO_MAX_SOCKETS={settings.max_sockets}: leave it out, or lower ARAUTO_MAX_SOCKETS.",
        ),
        (
            0 < cfg.timeout < SHORTEST_TIMEOUT,
            f"timeout={cfg.timeout} would kill a busy worker with all its sockets: "
            f"give {SHORTEST_TIMEOUT} or more.",
        ),
        (
            cfg.graceful_timeout < SHORTEST_GRACE,
            f"graceful_timeout={cfg.graceful_timeout} would cut the sockets without a close frame: "
            f"give {SHORTEST_GRACE} or more.",
        ),
        (
            not is_writable(cfg.worker_tmp_dir),
            f"worker_tmp_dir={cfg.worker_tmp_dir} cannot be written to: leave it out, "
            "or give a directory that can.",
        ),
    ):
        if wrong:
            raise ConfigError(sentence)
