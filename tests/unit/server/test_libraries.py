"""The modules that gunicorn's master loads before gevent's worker patches the standard library."""

import json
import subprocess
import sys

from tests.support.servers import ROOT

# Loaded modules, those that still refer to objects that gevent replaces, and those that app.py loads later.
_LOAD = """
import json, subprocess, sys
import gunicorn.workers.ggevent

had = set(sys.modules)
from arauto.server import hooks
hooks.load_libraries("gevent")
import gevent
from arauto.redis_io import connection, expiring_store
loaded = set(sys.modules) - had

from gevent import monkey
monkey.patch_all()
replaced = {
    id(item): name
    for module, items in monkey.saved.items() if module in sys.modules
    for name, item in items.items()
    if callable(item) and getattr(sys.modules[module], name, None) is not item
}
kept = []
for module in sorted(loaded):
    if module.startswith("gevent"):
        continue
    for key, item in vars(sys.modules[module]).items():
        if id(item) in replaced:
            kept.append(f"{module}.{key}")
        elif isinstance(item, type) and item.__module__ == module:
            kept += [f"{module}.{key}({base.__name__})" for base in item.__mro__[1:] if id(base) in replaced]

had = set(sys.modules)
import app
later = {name.partition(".")[0] for name in set(sys.modules) - had} - sys.stdlib_module_names
print(json.dumps([kept, sorted(later), gevent.spawn(print).spawning_stack is None]))
"""
KEPT = {
    # asyncio is not used here.
    "asyncio.base_futures.get_ident",
    "asyncio.events._RunningLoop(_local)",
    "redis.asyncio.connection.SSLContext",
    # These locks are never waited for: their holders do not wait for anything.
    "jinja2.utils.Lock",
    "werkzeug.routing.map.Lock",
    # For Flask's own server and for commands.
    "click.globals.local",
    # Not used: the program passes its own, does not retry, and has its own threads.
    "redis.client.PubSubWorkerThread(Thread)",
    "redis.connection.LifoQueue",
    "redis.keyspace_notifications.KeyspaceWorkerThread(Thread)",
    "redis.retry.sleep",
    # For waits of the master, and of a worker that has not started.
    "arauto.redis_io.discovery.sleep",
    "arauto.redis_io.embedded.sleep",
    "arauto.server.forking.sleep",
}


def test_nothing_in_use_waits_past_gevent_and_app_loads_no_library_anew() -> None:
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", _LOAD], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stderr) == (0, "")
    kept, later, is_small = json.loads(run.stdout)
    assert set(kept) == KEPT
    assert later == ["app", "arauto"]
    assert is_small
