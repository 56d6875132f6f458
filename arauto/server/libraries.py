"""Load libraries in gunicorn's master: its workers start sooner, and share the memory that they take.

Our own modules are left to the workers. A reload (SIGHUP) renews them so, and under gevent, which patches the
standard library in the worker, they must be loaded after that: some are threads.
"""

import gc
import warnings
from importlib import import_module

# What app.py loads of others, and none of it has a thread, a connection or a lock that it holds.
LIBRARIES = (
    "babel.dates",
    "flask",
    "flask.cli",
    "flask_babel",
    "flask_sock",
    "hiredis",
    "orjson",
    "redis",
    "wsproto",
)
_OF_GEVENT = (
    "gevent.monkey",
    "gevent.resolver.thread",
    "gevent.ssl",
    "gevent.subprocess",
    "gevent.threading",
)


def load_libraries(worker: str) -> None:
    """Load what a worker of this kind is going to use; call it before the fork.

    :raise ImportError: one cannot be loaded.
    """
    # gevent's first: at the exit of a worker they go last, for others still use them.
    for name in (*(_OF_GEVENT if worker == "gevent" else ()), *LIBRARIES):
        import_module(name)
    # Who looks for garbage writes to the objects that it looks at, and these pages would be shared no more.
    gc.collect()
    gc.freeze()
    # Of these only redis.asyncio keeps what gevent replaces in ssl, and nobody uses that.
    warnings.filterwarnings("ignore", "Monkey-patching ssl after ssl")
