"""gunicorn's hooks: start and stop of shared resources, the drain of workers, and fixes for gunicorn.

``gunicorn.conf.py`` is read again at each reload, but this module only once: lasting state is here.
"""

import gc
import itertools
import logging
import os
import signal
import socket
import sys
import threading
import weakref
from contextlib import nullcontext
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Any

from arauto.assets.minifier import Minifier, minify_in_subprocess
from arauto.redis_io import discovery
from arauto.redis_io.embedded import EmbeddedValkey
from arauto.server import bind_policy, config_checks
from arauto.server.forking import Forks
from arauto.server.libraries import load_libraries
from arauto.settings import Settings, SettingsError, read, unknown_settings
from arauto.system import file_limits, temp_directory
from arauto.system.resource_errors import sentence, start
from arauto.workers.shared_state import SharedState

SPARE = 100  # connections and threads for pages and publishing, beside the sockets
COLLECTIONS_UNTIL_FULL = 100  # of the garbage collector's middle generation
_CANNOT_START = (
    OSError,
    MemoryError,
    ImportError,
    bind_policy.Exposed,
    discovery.NoRedis,
    config_checks.ConfigError,
)

if TYPE_CHECKING:  # gevent patches the modules that these import only after the fork
    from collections.abc import Callable

    from arauto.bridge.bridge_thread import BridgeThread
    from arauto.recording.shard_recorders import Recorder
    from arauto.workers.drain import Drain


class Master:
    """State of the master, from its start on; the workers have copies."""

    settings: Settings
    room: file_limits.Room
    forks: Forks
    valkey: EmbeddedValkey | None = None
    kafka = ""  # its address as shown, if there is one
    made: SharedState | None = None  # None under Flask's own server

    @property
    def shared(self) -> SharedState:
        """The state that was made at the start.

        :raise RuntimeError: gunicorn has not started.
        """
        if self.made is None:
            raise RuntimeError("no server was started")
        return self.made


master = Master()


def configure() -> tuple[Settings, file_limits.Room, str]:
    """The settings of the environment, the room of a worker, and gunicorn's ``worker_tmp_dir``.

    :raise SystemExit: a setting cannot be used; with a sentence why.
    """
    try:
        settings = read(os.environ)
        if settings.kafka_url:
            from arauto.kafka_io.kafka_url import KafkaUrl  # not loaded without Kafka

            master.kafka = f" and Kafka ({KafkaUrl.of(settings).hosts})"
        directory = temp_directory.find_directory()
        room = file_limits.make_room(settings.max_sockets, SPARE)
    except (SettingsError, temp_directory.NoTempDirectory, file_limits.TooFewFiles) as error:
        sys.exit(str(error))
    master.settings, master.room = settings, room
    return settings, room, directory


def address(settings: Settings) -> str:
    """The value for gunicorn's ``bind``."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"{host}:{settings.port}"


def on_starting(server: Any) -> None:
    """In the master, before it listens: find or start Redis, or exit with the reason."""
    settings, room = master.settings, master.room
    try:
        config_checks.check(server.cfg, settings, room.sockets)
        if server.cfg.bind == [address(settings)] and not os.environ.keys() & {"LISTEN_FDS", "GUNICORN_FD"}:
            _check_address(settings)
        hosts = bind_policy.hosts(server.cfg.address, os.environ)
        token = bind_policy.make_token(settings, hosts, bind_policy.in_container(os.environ))
        master.valkey = EmbeddedValkey.take_over(os.environ)
        with Minifier() as minifier:  # it works meanwhile
            load_libraries(settings.worker)
            redis = discovery.find(
                replace(settings, token=settings.token or token),
                lambda why: _print(f"Waiting {settings.redis_wait} s: {why}"),
            )
            redis.is_embedded |= master.valkey is not None
            if redis.binary:
                master.valkey = EmbeddedValkey.start(redis.binary, settings.max_sockets)
            assets = minifier.result()
        master.made = SharedState.make(settings, redis, assets, token, room.sockets)
    except _CANNOT_START as error:
        sys.exit(sentence(error) or str(error))
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)  # as a shell does
    master.forks = Forks(server, master.shared.worker_states)
    _note_stop_first(server)


def _note_stop_first(server: Any) -> None:
    # Workers receive the signal at different times, and none may become the recorder meanwhile.
    stop = server.stop

    def note_and_stop(graceful: bool = True) -> None:
        master.shared.worker_states.replace_all()
        stop(graceful)

    server.stop = note_and_stop


def on_reload(server: Any) -> None:
    """In the master, on SIGHUP, before the new workers: scripts and styles may have changed."""
    master.made = replace(master.shared, assets=minify_in_subprocess())
    master.forks.replace_all()


def pre_exec(server: Any) -> None:
    """In the new master's process, on SIGUSR2: start it as a module, and pass the embedded Valkey on.

    gunicorn would run its script file again, which fails for ``python -m gunicorn``.
    """
    server.START_CTX["args"] = [sys.executable, "-m", "gunicorn", *sys.argv[1:]]
    if master.valkey is not None:
        master.valkey.hand_on(server.cfg.env_orig)


def _check_address(settings: Settings) -> None:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((settings.host, settings.port))
    except OSError as error:
        raise OSError(
            f"Cannot listen on {address(settings)} ({error.strerror or error}): "
            "set PORT or HOST to another one."
        ) from None


def when_ready(server: Any) -> None:
    """In the master, once it listens: print the address."""
    settings, room, shared = master.settings, master.room, master.shared
    # An address that can be opened on this machine.
    shown = (str(at).replace("0.0.0.0", "127.0.0.1") for at in server.LISTENERS)  # noqa: S104 - it is replaced
    kind = "embedded " if shared.redis.is_embedded else ""
    _print(f"Arauto is at {' '.join(shown)} on {kind}{shared.redis.name}{master.kafka}")
    if shared.token:
        _print(f"Log in at http://127.0.0.1:{settings.port}/login#{shared.token}")
    if room.sockets * server.cfg.workers < settings.max_sockets:
        _print(
            f"Warning: A process may open only {room.files} files here, so a worker takes {room.sockets} "
            f"sockets, not ARAUTO_MAX_SOCKETS={settings.max_sockets}: allow more (ulimit -n), or set fewer."
        )
    for warning in (*bind_policy.warnings(settings, shared.redis), *unknown_settings(os.environ)):
        _print(f"Warning: {warning}")


def _print(line: str) -> None:
    try:
        print(line, flush=True)
    except OSError:  # a full disk or a closed pipe is no reason to end
        sys.stdout = None


def on_exit(server: Any) -> None:
    """In the master, after the last worker has exited."""
    if master.valkey is None:
        return
    if server.reexec_pid or server.master_pid == os.getppid():
        master.valkey.leave()  # there is another master, which holds it too
    else:
        master.valkey.stop()


def pre_fork(server: Any, worker: Any) -> None:
    """In the master: give the worker the lowest free slot."""
    taken = {other.slot for other in server.WORKERS.values()}
    worker.slot = next(slot for slot in itertools.count() if slot not in taken)
    master.shared.worker_states.reserve(worker.slot)


def post_fork(server: Any, worker: Any) -> None:
    """In a new worker."""
    master.shared.capacity.use_slot(worker.slot)
    master.shared.worker_states.use_slot(worker.slot)
    master.forks.boot(worker)


def child_exit(server: Any, worker: Any) -> None:
    """In the master, when a worker has exited for any reason."""
    master.shared.capacity.clear_slot(worker.slot)
    master.shared.worker_states.clear_slot(worker.slot)


def post_worker_init(worker: Any) -> None:
    """In a worker with its application loaded: set up the log, recorder, timeouts and drain."""
    # Not above: gevent has patched the modules that these import only now.
    from arauto.server.request_timeouts import RequestTimeouts
    from arauto.server.unread_body import UnreadBodies
    from arauto.services import services_of

    logging.basicConfig(level=logging.INFO, format="%(asctime)s [%(process)d] %(message)s")
    services = services_of(worker.wsgi)
    feeds = services.feeds
    keepers = [one for one in (services.recorder, services.bridge) if one is not None]
    stop_accepting = _stop_accepting if worker.cfg.worker_class_str == "gthread" else _use_pausing_server()
    _drain_first(worker, feeds.drain, keepers, stop_accepting)
    for keeper in keepers:
        keeper.start()
    worker.timeouts = RequestTimeouts(feeds.timers)
    worker.unread_bodies = UnreadBodies(worker.timeouts)
    if worker.cfg.worker_class_str == "gthread":
        _time_heads(worker)
        _use_own_thread_pool(worker)
    else:
        _time_first_heads(worker)
    # Objects that exist now are never garbage, so exclude them: collecting takes a third of the time when a
    # log is read.
    gc.collect()
    gc.freeze()
    # A full collection visits every object, and nothing else runs meanwhile: bench.topics prints it as the
    # longest turn. It is seldom needed: only feeds on a cluster leave reference cycles.
    gc.set_threshold(*gc.get_threshold()[:2], COLLECTIONS_UNTIL_FULL)
    master.forks.note_ready()
    master.shared.worker_states.note_ready()
    worker.log.info("Worker %s is ready for requests", worker.pid)


def _use_own_thread_pool(worker: Any) -> None:
    from gunicorn.workers.gthread import TConn

    from arauto.server.accept_backoff import pause_on_errors
    from arauto.server.thread_pool import ThreadPool, wait_for_data

    worker.tpool = ThreadPool(worker.cfg.threads)
    worker.accept = pause_on_errors(worker.accept)
    TConn.wait_for_data = wait_for_data  # only in this worker's process


def _stop_accepting(worker: Any) -> None:
    worker.worker_connections = 0
    worker.method_queue.defer(lambda: None)  # wake its loop, which compares that with the open connections


def _use_pausing_server() -> "Callable[[Any], None]":
    """Returns a function that lets a worker accept no more connections."""
    from gunicorn.workers import ggevent

    from arauto.server.accept_backoff import make_pausing_server

    # gunicorn looks it up by this name; this changes only the worker's process.
    ggevent.StreamServer = pausing = make_pausing_server(ggevent.StreamServer)
    return lambda worker: pausing.stop_all()


def _time_heads(worker: Any) -> None:
    from gunicorn import sock as gunicorn_sock

    from arauto.server.unread_body import end_connection

    # gthread would wait for ever.
    handle, wrap = worker.handle, gunicorn_sock.ssl_wrap_socket

    def wrap_in_time(plain: Any, config: Any) -> Any:
        wrapped = wrap(plain, config)
        worker.timeouts.end(plain)
        worker.timeouts.begin_head(wrapped)
        return wrapped

    def handle_in_time(connection: Any) -> Any:
        worker.timeouts.begin_head(connection.sock)
        try:
            stays = handle(connection)
        finally:
            worker.timeouts.end(connection.sock)
        if stays is False:
            end_connection(connection.sock)
        return stays

    worker.handle = handle_in_time
    gunicorn_sock.ssl_wrap_socket = wrap_in_time  # only in this worker's process


def _time_first_heads(worker: Any) -> None:
    import gevent

    # gevent's worker limits the time for each head by ``keepalive``, and gives no response. That is enough
    # between two requests, but not for the first one of a client on a slow line or a busy machine.
    handle, limit = worker.handle, worker.timeout_ctx
    first = weakref.WeakSet[Any]()  # greenlets, one for each connection

    def handle_in_time(listener: Any, client: Any, address: Any) -> None:
        first.add(gevent.getcurrent())
        worker.timeouts.begin_head(client)
        try:
            handle(listener, client, address)
        finally:
            worker.timeouts.end(client)

    def limit_unless_first() -> Any:
        greenlet = gevent.getcurrent()
        if greenlet in first:
            first.discard(greenlet)
            return nullcontext()
        return limit()

    worker.handle, worker.timeout_ctx = handle_in_time, limit_unless_first


def pre_request(worker: Any, req: Any) -> None:
    """In a worker, when a request's head has arrived."""
    sock = req.unreader.sock
    if any(name == "TRANSFER-ENCODING" for name, _ in req.headers):
        # After a broken chunk it is unknown where the next request begins, and gunicorn would take the
        # following bytes for one.
        req.force_close()
    if _has_body(req):
        worker.timeouts.begin_body(sock)
    else:
        worker.timeouts.end(sock)


def _has_body(req: Any) -> bool:
    return any(
        name == "TRANSFER-ENCODING" or (name == "CONTENT-LENGTH" and int(value))
        for name, value in req.headers
    )


def post_request(worker: Any, req: Any, environ: Any, resp: Any) -> None:
    """In a worker, when a request has been answered."""
    worker.timeouts.end(req.unreader.sock)
    if _has_body(req):
        worker.unread_bodies.read_rest(req)


def _exit_once(worker: Any) -> Any:
    """A signal handler that ends a gevent worker at once, unless it has ended by itself.

    gunicorn's own handler ends the worker's loop as well. If that is quicker, as after the master has exited,
    its exit would find a worker that has ended.
    """
    import gevent

    notify = worker.notify
    ended = threading.Event()

    def notify_or_end() -> None:
        try:
            notify()
        except SystemExit:
            ended.set()
            raise

    def exit_unless_ended() -> None:
        if not ended.is_set():
            ended.set()  # a signal that interrupted the handler of another one has an exit of its own
            sys.exit(0)

    worker.notify = notify_or_end
    return lambda number, frame: gevent.spawn(exit_unless_ended)


def _drain_first(
    worker: Any,
    drain: "Drain",
    keepers: "list[BridgeThread | Recorder]",
    stop_accepting: "Callable[[Any], None]",
) -> None:
    from arauto.workers.handover import HANDOVER  # it sleeps, which gevent has patched only now

    # A terminal's Ctrl+C reaches the workers, and then the master sends them a signal too: one is enough.
    quit = worker.handle_quit if worker.cfg.worker_class_str == "gthread" else _exit_once(worker)
    stops: dict[int, Any] = {signal.SIGTERM: worker.handle_exit, signal.SIGINT: quit, signal.SIGQUIT: quit}
    stop, begun, drained = [], threading.Event(), threading.Event()

    def handle(number: int, frame: object) -> None:
        if drained.is_set():
            for signum in stops:  # not SIG_IGN: Python complains about a pending signal then
                signal.signal(signum, lambda *_: None)
            stops[number](number, frame)
        elif not begun.is_set():
            stop.append(number)
            begun.set()

    def drain_and_repeat() -> None:
        # Not in the handler, which must not block: the interrupted code may hold the locks that it needs. And
        # not in a thread that is started only then, which may fail.
        begun.wait()
        until = monotonic() + HANDOVER
        for one in (drain, *keepers):
            one.hand_over(until)
        if drain.has_successor:
            stop_accepting(worker)  # else pages that return may be refused here
        drain.close_all()
        worker.timeouts.hurry()
        for keeper in keepers:  # each releases its lease, which another process takes then
            keeper.stop()
        drained.set()
        os.kill(os.getpid(), stop[0])

    start(threading.Thread(target=drain_and_repeat, name="drain", daemon=True))

    for signum in stops:
        signal.signal(signum, handle)
