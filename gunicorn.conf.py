"""gunicorn's configuration, from the settings. Its hooks are in arauto/server/hooks.py."""

import os
import sys
from contextlib import suppress
from pathlib import Path

if sys.flags.safe_path:  # gunicorn puts the current directory first all the same
    sys.path = [*(path for path in sys.path if path != os.getcwd()), os.getcwd()]

if not sys.pycache_prefix:  # without it, bytecode would be in the tree
    sys.dont_write_bytecode = True  # leave none there ...
    with suppress(OSError):  # ... not even that of this file
        Path(__cached__).unlink()
        Path(__cached__).parent.rmdir()

from arauto.net import ip_addresses
from arauto.server import hooks
from arauto.server.hooks import (  # noqa: F401 - gunicorn finds them by name
    child_exit,
    on_exit,
    on_reload,
    on_starting,
    post_fork,
    post_request,
    post_worker_init,
    pre_exec,
    pre_fork,
    pre_request,
    when_ready,
)

settings, room, worker_tmp_dir = hooks.configure()
bind = hooks.address(settings)
worker_class = settings.worker
workers = settings.workers
worker_connections = room.sockets + room.others
if worker_class == "gthread":
    threads = worker_connections
backlog = 4096  # thousands of tabs return at once after a restart
limit_request_line = 8190  # bytes, the most gunicorn takes: a selection of many names is long
keepalive = 2  # seconds; a stop waits for idle connections that long
graceful_timeout = 8  # seconds; less than the 10 that docker stop grants
max_requests = 0  # a recycled worker would cut every socket it holds
preload_app = False  # gevent patches the standard library after the fork
believed = (*settings.proxies, *filter(None, map(ip_addresses.as_mapped_ipv6, settings.proxies)))
forwarded_allow_ips = ",".join(map(str, believed))
control_socket_disable = True  # it would leave a file in the home directory
