"""gunicorn: worker class, caps, the embedded Valkey's start and stop, drain on SIGTERM."""

import gc
import itertools
import logging
import os
import secrets
import signal
import socket
import sys
import threading
from contextlib import suppress
from pathlib import Path

if sys.flags.safe_path:  # gunicorn puts this directory first all the same
    sys.path = [*(path for path in sys.path if path != os.getcwd()), os.getcwd()]

sys.dont_write_bytecode = True  # Ctrl+C leaves nothing in the tree ...
with suppress(OSError):  # ... not even what loading this file has left
    Path(__cached__).unlink()
    Path(__cached__).parent.rmdir()

from arauto.assets import minifier  # noqa: E402
from arauto.net import ip_addresses  # noqa: E402
from arauto.redis_io import embedded  # noqa: E402
from arauto.server import bind_policy, config_checks, shared_state  # noqa: E402
from arauto.server.forking import Forks  # noqa: E402
from arauto.settings import SettingsError, read, strangers  # noqa: E402
from arauto.system import file_limits, temp_directory  # noqa: E402
from arauto.system.resource_errors import sentence, start  # noqa: E402
from arauto.workers.connection_limits import ConnectionLimits  # noqa: E402
from arauto.workers.rate_limits import RateLimits  # noqa: E402
from arauto.workers.worker_states import WorkerStates  # noqa: E402

SPARE = 100  # connections and threads for pages and publishing, beside the sockets

try:
    settings = read(os.environ)
    worker_tmp_dir = temp_directory.find_directory()
    room = file_limits.make_room(settings.max_sockets, SPARE)
except (SettingsError, temp_directory.NoTempDirectory, file_limits.TooFewFiles) as error:
    sys.exit(str(error))

bind = f"[{settings.host}]:{settings.port}" if ":" in settings.host else f"{settings.host}:{settings.port}"
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
believed = (*settings.proxies, *filter(None, map(ip_addresses.mapped, settings.proxies)))
forwarded_allow_ips = ",".join(map(str, believed))
control_socket_disable = True  # it would leave a file in the home directory


def on_starting(server):
    """In the master, before it listens: find or start Redis, or say why not and end."""
    try:
        config_checks.check(server.cfg, settings, room.sockets)
        if server.cfg.bind == [bind] and not os.environ.keys() & {"LISTEN_FDS", "GUNICORN_FD"}:
            _check_address()
        hosts = bind_policy.hosts(server.cfg.address, os.environ)
        shared_state.token = bind_policy.make_token(settings, hosts, bind_policy.in_container(os.environ))
        shared_state.secret = secrets.token_hex(32)
        shared_state.capacity = ConnectionLimits(
            settings.max_sockets, settings.max_sockets_per_address, room.sockets
        )
        shared_state.worker_states = WorkerStates()
        shared_state.rates = RateLimits(settings.publish_rate, settings.connect_rate)
        shared_state.valkey = embedded.EmbeddedValkey.take_over(os.environ)
        shared_state.found = embedded.find_in_subprocess(shared_state.token)
        shared_state.found.is_embedded |= shared_state.valkey is not None
        if shared_state.found.binary:
            shared_state.valkey = embedded.EmbeddedValkey.start(
                shared_state.found.binary, settings.max_sockets
            )
        shared_state.assets = minifier.minify_in_subprocess()
    except (OSError, MemoryError, bind_policy.Exposed, embedded.NoRedis, config_checks.ConfigError) as error:
        sys.exit(sentence(error) or str(error))
    shared_state.forks = Forks(server, shared_state.worker_states)
    _tell_all_first(server)


def _tell_all_first(server):
    # Each worker hears it in its own time, and one that has not yet must not begin to record.
    stop = server.stop

    def tell_and_stop(graceful=True):
        shared_state.worker_states.replace_all()
        stop(graceful)

    server.stop = tell_and_stop


def on_reload(server):
    """In the master, on SIGHUP, before the new workers: the files may be new ones."""
    shared_state.assets = minifier.minify_in_subprocess()
    shared_state.forks.replace_all()


def pre_exec(server):
    """In the new master's process, on SIGUSR2: start it as a module, and let it hold the embedded Valkey.

    gunicorn would run the file that was run, and with ``python -m gunicorn`` that is one of a package.
    """
    server.START_CTX["args"] = [sys.executable, "-m", "gunicorn", *sys.argv[1:]]
    if shared_state.valkey is not None:
        shared_state.valkey.hand_on(server.cfg.env_orig)


def _check_address():
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((settings.host, settings.port))
    except OSError as error:
        raise OSError(
            f"Cannot listen on {bind} ({error.strerror or error}): set PORT or HOST to another one."
        ) from None


def when_ready(server):
    """In the master, once it listens: tell where."""
    # A person on this machine can open the other one.
    shown = (str(at).replace("0.0.0.0", "127.0.0.1") for at in server.LISTENERS)  # noqa: S104 - it is replaced
    kind = "embedded " if shared_state.found.is_embedded else ""
    _tell(f"Arauto is at {' '.join(shown)} on {kind}{shared_state.found.name}")
    if shared_state.token:
        _tell(f"Log in at http://127.0.0.1:{settings.port}/login#{shared_state.token}")
    if room.sockets * server.cfg.workers < settings.max_sockets:
        _tell(
            f"Warning: A process may open only {room.files} files here, so a worker takes {room.sockets} "
            f"sockets, not ARAUTO_MAX_SOCKETS={settings.max_sockets}: allow more (ulimit -n), or set fewer."
        )
    for warning in (*bind_policy.warnings(settings, shared_state.found), *strangers(os.environ)):
        _tell(f"Warning: {warning}")


def _tell(line):
    try:
        print(line, flush=True)
    except OSError:  # a disk that is full, a pipe that nobody reads any more: no reason to end
        sys.stdout = None


def on_exit(server):
    """In the master, after the last worker has gone."""
    if shared_state.valkey is None:
        return
    if server.reexec_pid or server.master_pid == os.getppid():
        shared_state.valkey.leave()  # there is another master, which holds it too
    else:
        shared_state.valkey.stop()


def pre_fork(server, worker):
    """In the master: the lowest slot that no living worker has."""
    taken = {other.slot for other in server.WORKERS.values()}
    worker.slot = next(slot for slot in itertools.count() if slot not in taken)


def post_fork(server, worker):
    """In a new worker."""
    shared_state.capacity.use_slot(worker.slot)
    shared_state.worker_states.use_slot(worker.slot)
    shared_state.forks.boot(worker)


def child_exit(server, worker):
    """In the master, when a worker has ended, however it ended."""
    shared_state.capacity.clear_slot(worker.slot)
    shared_state.worker_states.clear_slot(worker.slot)


def post_worker_init(worker):
    """In a worker with its application loaded: log, record, cut the slow, and drain before it stops."""
    # Not above: gevent has patched what they need only now.
    from arauto.server.request_timeouts import RequestTimeouts
    from arauto.server.unread_body import UnreadBodies

    logging.basicConfig(level=logging.INFO, format="%(asctime)s [%(process)d] %(message)s")
    feeds, recorder = worker.wsgi.extensions["feeds"], worker.wsgi.extensions["recorder"]
    _drain_first(worker, feeds.drain, recorder)
    if recorder is not None:
        recorder.start()
    worker.timeouts = RequestTimeouts(feeds.timers)
    worker.unread_bodies = UnreadBodies(worker.timeouts)
    if worker.cfg.worker_class_str == "gthread":
        _watch_heads(worker)
        _spare_threads(worker)
    else:
        _spare_descriptors()
    # What is there now stays: nobody needs to look again and again whether it is garbage. That
    # takes a third of the time when a log is read.
    gc.collect()
    gc.freeze()
    shared_state.forks.be_ready()
    worker.log.info("Worker %s is ready for requests", worker.pid)


def _spare_threads(worker):
    from gunicorn.workers.gthread import TConn

    from arauto.server.accept_backoff import patient
    from arauto.server.thread_pool import ThreadPool, wait_for_data

    worker.tpool = ThreadPool(worker.cfg.threads)
    worker.accept = patient(worker.accept)
    TConn.wait_for_data = wait_for_data


def _spare_descriptors():
    from gunicorn.workers import ggevent

    from arauto.server.accept_backoff import patient_server

    ggevent.StreamServer = patient_server(ggevent.StreamServer)


def _watch_heads(worker):
    from arauto.server.unread_body import part

    # gevent's worker gives a head the seconds of keepalive; this one would wait for ever.
    handle = worker.handle

    def handle_in_time(connection):
        worker.timeouts.begin_head(connection.sock)
        try:
            stays = handle(connection)
        finally:
            worker.timeouts.end(connection.sock)
        if stays is False:
            part(connection.sock)
        return stays

    worker.handle = handle_in_time


def pre_request(worker, req):
    """In a worker, when a request's head is there."""
    sock = req.unreader.sock
    if any(name == "TRANSFER-ENCODING" for name, _ in req.headers):
        # Where one of its chunks is broken nobody knows where the next request begins, and
        # gunicorn would look for it in what follows.
        req.force_close()
    if _has_body(req):
        worker.timeouts.begin_body(sock)
    else:
        worker.timeouts.end(sock)


def _has_body(req):
    return any(
        name == "TRANSFER-ENCODING" or (name == "CONTENT-LENGTH" and int(value))
        for name, value in req.headers
    )


def post_request(worker, req, environ, resp):
    """In a worker, when a request has been answered."""
    worker.timeouts.end(req.unreader.sock)
    if _has_body(req):
        worker.unread_bodies.read_rest(req)


def _exit(number, frame):
    # gunicorn's own way under gevent ends the worker's loop as well, and where that is quicker the exit
    # finds a worker that has ended.
    import gevent

    gevent.spawn(sys.exit, 0)


def _drain_first(worker, drain, recorder):
    # A terminal's Ctrl+C reaches the workers, and then they get the master's word too: one is enough.
    quit = worker.handle_quit if worker.cfg.worker_class_str == "gthread" else _exit
    stops = {signal.SIGTERM: worker.handle_exit, signal.SIGINT: quit, signal.SIGQUIT: quit}
    stop, begun, drained = [], threading.Event(), threading.Event()

    def handle(number, frame):
        if drained.is_set():
            for signum in stops:  # not SIG_IGN: Python complains of one that is under way
                signal.signal(signum, lambda *_: None)
            stops[number](number, frame)
        elif not begun.is_set():
            stop.append(number)
            begun.set()

    def drain_and_repeat():
        # Not in the handler, which must not wait: what it interrupts may hold the very locks it
        # needs. And not in a thread that starts only then: there may be none to be had.
        begun.wait()
        drain.send_away()
        if recorder is not None:
            recorder.stop()
        drained.set()
        os.kill(os.getpid(), stop[0])

    start(threading.Thread(target=drain_and_repeat, name="drain", daemon=True))

    for signum in stops:
        signal.signal(signum, handle)
