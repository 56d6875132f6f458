"""Loads libraries in gunicorn's master: its workers start sooner, and share their memory.

Our own modules are loaded in the workers, so that a reload (SIGHUP) renews them. And gevent patches the
standard library in the worker, before which modules with threads must not be loaded.
"""

import gc
import warnings
from importlib import import_module

# Libraries that app.py imports, of which none starts a thread, connects, or holds a lock.
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
    """Load the libraries for workers of this kind; call it before the fork.

    :raise ImportError: a library cannot be loaded.
    """
    # gevent's first: at the exit of a worker they are unloaded last, as others still use them.
    for name in (*(_OF_GEVENT if worker == "gevent" else ()), *LIBRARIES):
        import_module(name)
    if worker == "gevent":
        # Only debuggers need to know what started a greenlet, and each page has two of them.
        import_module("gevent").config.track_greenlet_tree = False
    # The garbage collector writes to objects, whose memory pages would not be shared any more.
    gc.collect()
    gc.freeze()
    # Only redis.asyncio keeps references to what gevent replaces in ssl, and it is not used.
    warnings.filterwarnings("ignore", "Monkey-patching ssl after ssl")
