"""Starts: the address, the Redis, and the sentence if the program cannot start."""

import os
import signal
import socket
import socketserver
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import click
import flask_sock
import psutil
import pytest
import simple_websocket

from app import create_app
from arauto.redis_io import discovery, embedded
from arauto.settings import read
from tests.support.http import get, publish
from tests.support.redis_servers import RedisServer, binaries, free_port
from tests.support.servers import GUNICORN, ROOT, ArautoServer, Start
from tests.support.starts import run, sentence_of
from tests.support.tabs import open_tab
from tests.support.trees import copy_tree
from tests.support.waiting import PATIENCE, eventually

CUT = "REDIS_URL ends too early: in a user or password write # as %23,"
NOT_KNOWN = "REDIS_URL has an option that redis-py does not know for a connection of redis://: "


@pytest.mark.parametrize(
    ("environ", "beginning"),
    [
        ({"PORT": "http"}, "PORT=http does not work: give a whole number from 1 to 65535."),
        ({"ARAUTO_WORKER": "sync"}, "ARAUTO_WORKER=sync does not work: give gevent or gthread."),
        ({"REDIS_URL": "localhost:6379"}, "REDIS_URL does not parse: give redis://host:6379,"),
        ({"REDIS_URL": "redis://localhost:port"}, "REDIS_URL does not parse: give redis://host:6379,"),
        ({"REDIS_URL": "redis://localhost?colour=red"}, "REDIS_URL has an option that redis-py does not"),
        ({"REDIS_URL": "redis://:pa#ss@localhost"}, CUT),
        (
            {"REDIS_URL": "redis://:pa}s]s@localhost"},
            "REDIS_URL does not parse: in a user or password write [ ",
        ),
        ({"REDIS_URL": "redis://user:1#2@localhost"}, CUT),
        ({"REDIS_URL": "redis://user:1/2@localhost"}, CUT),
        ({"REDIS_URL": "redis://user:1?2@localhost"}, CUT),
        ({"REDIS_URL": "redis://localhost/news"}, "REDIS_URL names a database that is no number:"),
        (
            {"REDIS_URL": "redis://localhost?db=x"},
            "REDIS_URL does not work: Invalid value for 'db' in connection URL.",
        ),
        ({"REDIS_URL": "redis://localhost?max_connections=5"}, NOT_KNOWN + "max_connections. Leave it out."),
        ({"REDIS_URL": "redis://localhost?timeout=5"}, NOT_KNOWN + "timeout. Leave it out."),
        (
            {"REDIS_URL": "redis://localhost?connection_class=x"},
            NOT_KNOWN + "connection_class. Leave it out.",
        ),
        ({"REDIS_URL": "redis://localhost?parser_class=x"}, NOT_KNOWN + "parser_class. Leave it out."),
        ({"REDIS_URL": "redis://localhost?ssl_cert_reqs=none"}, NOT_KNOWN + "ssl_cert_reqs. Leave it out."),
        ({"REDIS_URL": "redis://127.0.0.1:1"}, "Redis at 127.0.0.1:1 does not answer (Error 111"),
        ({"REDIS_URL": "redis://nowhere.invalid"}, "Redis at nowhere.invalid:6379 does not answer (Error -"),
        ({"REDIS_URL": "redis://no..where"}, "REDIS_URL names a host that cannot be one: no..where."),
        ({"REDIS_URL": "unix:///nowhere.sock"}, "Redis at /nowhere.sock does not answer (Error 2"),
        ({"HOST": "192.0.2.1"}, "Cannot listen on 192.0.2.1:"),
        ({"HOST": "no such host"}, "Cannot listen on no such host:"),
    ],
)
def test_what_cannot_work_ends_with_one_sentence(environ: dict[str, str], beginning: str) -> None:
    sentence = sentence_of(run(GUNICORN, **({"PORT": str(free_port())} | environ)))
    assert sentence.startswith(beginning)


@pytest.mark.parametrize(
    ("options", "beginning"),
    [
        ("--max-requests 100", "max_requests=100 would cut all open pages of a recycled worker:"),
        ("--preload", "preload_app would load the program before there are workers to share its limits:"),
        (
            "-k sync",
            "Worker class sync cannot hold sockets: leave it out, and set ARAUTO_WORKER to gevent or",
        ),
        ("-k gthread", "threads=1 would leave no thread for pages beside ARAUTO_MAX_SOCKETS=10000:"),
        ("-k gthread --threads 1000", "threads=1000 would leave no thread for pages beside"),
        ("--worker-connections 1000", "worker_connections=1000 would leave no room for pages beside"),
        ("--timeout 5", "timeout=5 would kill a busy worker with all its sockets: give 10 or more."),
        ("--graceful-timeout 1", "graceful_timeout=1 would cut the sockets without a close frame: give 4"),
    ],
)
def test_what_would_be_an_outage_later_ends_with_one_sentence_now(
    valkey: RedisServer, options: str, beginning: str
) -> None:
    stopped = run([*GUNICORN, *options.split()], PORT=str(free_port()), REDIS_URL=valkey.url)
    assert sentence_of(stopped).startswith(beginning)


@contextmanager
def answering(reply: bytes) -> Iterator[int]:
    """The port of a server that sends this reply and nothing else."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(100)
            self.request.sendall(reply)

    with socketserver.TCPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, args=(0.01,)).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "What answers at {where} is no Redis (Protocol error, got "),
        (
            b"-DENIED Redis is running in protected mode, no password is set. In this mode one may\r\n",
            "Redis at {where} refuses us (DENIED Redis is running in protected mode, no password is set): "
            "change REDIS_URL, or what that Redis allows.",
        ),
        (b"-NOPERM no right to run ping\r\n", "Redis at {where} refuses us (no right to run ping): "),
    ],
)
def test_what_answers_is_not_said_to_be_away(reply: bytes, sentence: str) -> None:
    with answering(reply) as port, pytest.raises(discovery.NoRedis) as refused:
        discovery.find(read({"REDIS_URL": f"redis://127.0.0.1:{port}"}))
    assert str(refused.value).startswith(sentence.format(where=f"127.0.0.1:{port}"))


def test_a_database_that_redis_does_not_have_is_reported(valkey: RedisServer) -> None:
    with pytest.raises(discovery.NoRedis, match=r"refuses us \(DB index is out of range\): change REDIS_URL"):
        discovery.find(read({"REDIS_URL": f"{valkey.url}/99"}))


def test_two_applications_in_one_process_are_independent(valkey: RedisServer) -> None:
    """Each has its own secret, so sessions of one are invalid at the other, and its own check."""
    settings = read({"REDIS_URL": valkey.url, "ARAUTO_TOKEN": "a token of theirs"})
    one, other = create_app(settings), create_app(settings)
    assert one.config["SETTINGS"].secret != other.config["SETTINGS"].secret
    assert flask_sock.Server is simple_websocket.Server  # other users of flask-sock get the original
    with click.Context(click.Command("run")) as context:
        context.params["host"] = "0.0.0.0"
        for _ in range(2):
            with pytest.raises(SystemExit, match="would let everyone"):
                create_app(read({"REDIS_URL": valkey.url}))


def test_output_that_nobody_takes_stops_nothing(valkey: RedisServer) -> None:
    port = free_port()
    environ = os.environ | {
        "PORT": str(port), "REDIS_URL": valkey.url, "PYTHONDONTWRITEBYTECODE": "1", "ARAUTO_PROTECTD": "a",
    }  # fmt: skip
    with open("/dev/full", "w") as full:
        process = subprocess.Popen(GUNICORN, cwd=ROOT, env=environ, stdout=full, stderr=subprocess.PIPE)
    try:
        eventually(lambda: _answers(port), why="it listens")
    finally:
        process.send_signal(signal.SIGTERM)
        _, output = process.communicate(timeout=30)
    assert (process.returncode, b"Traceback" in output) == (0, False), output


def test_gunicorns_own_variable_is_looked_at_too(valkey: RedisServer) -> None:
    stopped = run(GUNICORN, PORT=str(free_port()), REDIS_URL=valkey.url, GUNICORN_CMD_ARGS="--preload")
    assert sentence_of(stopped).startswith("preload_app would ")


def test_a_busy_port_ends_with_one_sentence(valkey: RedisServer) -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        sentence = sentence_of(run(GUNICORN, PORT=str(port), REDIS_URL=valkey.url))
    assert sentence == (
        f"Cannot listen on 127.0.0.1:{port} (Address already in use): set PORT or HOST to another one."
    )


def waiting_for(redis_server: RedisServer, log: Path, seconds: int) -> subprocess.Popen[bytes]:
    """Start the program, and wait until it logs that it waits for Redis."""
    environ = {"PORT": str(free_port()), "REDIS_URL": redis_server.url, "ARAUTO_REDIS_WAIT": str(seconds)}
    with log.open("w") as output:
        process = subprocess.Popen(
            GUNICORN, cwd=ROOT, env=os.environ | environ, stdout=output, stderr=subprocess.STDOUT
        )
    sentence = f"Waiting {seconds} s: Redis at 127.0.0.1:{redis_server.port} does not answer"
    eventually(lambda: sentence in log.read_text())
    return process


def test_a_redis_that_is_not_up_yet_is_waited_for(own_redis: RedisServer, tmp_path: Path) -> None:
    own_redis.stop()
    log = tmp_path / "log"
    with waiting_for(own_redis, log, 86400) as process:
        own_redis.start()
        eventually(lambda: log.read_text().count("is ready for requests") == 2)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0


def test_waiting_for_a_redis_ends(own_redis: RedisServer, tmp_path: Path) -> None:
    own_redis.stop()
    log = tmp_path / "log"
    with waiting_for(own_redis, log, 1) as process:
        assert process.wait(PATIENCE) == 1
    assert log.read_text().count(f"Redis at 127.0.0.1:{own_redis.port} does not answer (") == 2
    with waiting_for(own_redis, log, 86400) as process:
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 130
    assert "Traceback" not in log.read_text()


def test_a_wrong_password_is_not_waited_for(own_redis: RedisServer) -> None:
    own_redis.client.execute_command("CONFIG SET requirepass right")
    sentence = sentence_of(
        run(GUNICORN, PORT=str(free_port()), REDIS_URL=own_redis.url, ARAUTO_REDIS_WAIT="86400")
    )
    assert "wants another user or password" in sentence


@pytest.mark.parametrize("password", ["", ":wrong-secret@"])
def test_a_wrong_password_ends_with_one_sentence_without_it(tmp_path: Path, password: str) -> None:
    server = RedisServer(binaries()["valkey"], tmp_path)
    server.client.execute_command("CONFIG SET requirepass right")
    try:
        url = server.url.replace("//", f"//{password}")
        sentence = sentence_of(run(GUNICORN, PORT=str(free_port()), REDIS_URL=url))
    finally:
        server.client.close()
        server.stop()
    assert sentence.startswith(f"Redis at 127.0.0.1:{server.port} wants another user or password (")
    assert sentence.endswith("set REDIS_URL=redis://user:password@host:6379.")
    assert "secret" not in sentence


def test_a_unix_socket_and_a_password_work(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "redis.sock"
    server = RedisServer(binaries()["valkey"], tmp_path, "--unixsocket", str(path))
    server.client.execute_command("ACL SETUSER ana on >p&ss allchannels +@all")
    try:
        arauto = start(REDIS_URL=f"unix://ana:p%26ss@{path}")
        with open_tab(arauto, "a") as tab:
            assert publish(arauto, "a", "x").json["receivers"] == 1
            assert tab.messages(1) == ["x"]
        assert "p&ss" not in arauto.log
    finally:
        server.close()


@pytest.mark.parametrize(
    "command",
    [
        [sys.executable, "app.py"],
        [sys.executable, "-m", "flask", "--app", "app", "run", "--port", "{port}"],
    ],
    ids=["python app.py", "flask run"],
)
def test_it_starts_by_hand_too(valkey: RedisServer, tmp_path: Path, command: list[str]) -> None:
    port = free_port()
    environ = os.environ | {"PORT": str(port), "REDIS_URL": valkey.url, "PYTHONDONTWRITEBYTECODE": "1"}
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [part.format(port=port) for part in command], cwd=ROOT, env=environ, stdout=log, stderr=log
        )
    server = ArautoServer.__new__(ArautoServer)
    server.port, server.host = port, f"127.0.0.1:{port}"
    server.ws = f"ws://{server.host}"
    try:
        eventually(lambda: _answers(port), why="it listens")
        assert get(server, "/").status == 200
        with open_tab(server, "a") as tab:
            assert publish(server, "a", "x").json["receivers"] == 1
            assert tab.messages(1) == ["x"]
        eventually(lambda: valkey.subscribers() == 0)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_the_embedded_valkey_goes_with_its_owner_however_that_ends(tmp_path: Path) -> None:
    """Also if the owner is killed and cannot clean up."""
    port = free_port()
    script = (
        "import signal, sys; from arauto.redis_io import embedded as e;"
        "e.ADDRESS = ('127.0.0.1', int(sys.argv[1])); server = e.EmbeddedValkey.start(sys.argv[2], 10);"
        "print('up', flush=True); signal.pause()"
    )
    binary = binaries()["valkey"]
    owner = subprocess.Popen(
        [sys.executable, "-c", script, str(port), binary], cwd=ROOT, stdout=subprocess.PIPE
    )
    assert owner.stdout is not None
    with owner.stdout:
        assert owner.stdout.readline() == b"up\n"
    children = psutil.Process(owner.pid).children(recursive=True)
    assert any("valkey-server" in child.name() for child in children)
    owner.kill()
    owner.wait()
    eventually(lambda: not _answers(port) and not any(child.is_running() for child in children))


def test_an_embedded_valkey_that_cannot_start_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "ADDRESS", ("127.0.0.1", free_port()))
    monkeypatch.setattr(embedded, "START_PATIENCE", 1)
    with pytest.raises(discovery.NoRedis, match="The embedded Valkey did not start"):
        embedded.EmbeddedValkey.start("/bin/false", 10)


@pytest.mark.alone  # it needs port 6379
@pytest.mark.parametrize(
    "command",
    [["make", "--old-file=.venv/installed", "run"], [".venv/bin/gunicorn", "app:app"]],
    ids=["make run", "gunicorn"],
)
def test_it_needs_nothing_and_leaves_nothing(tmp_path: Path, command: list[str]) -> None:
    """In a copy of the tree: start, use, Ctrl+C; with the Redis on 6379, or an embedded Valkey."""
    tree = tmp_path / "arauto"
    kept = copy_tree(tree)
    venv = Path(sys.prefix)
    (tree / ".venv").symlink_to(venv)
    had_redis = _answers(discovery.ADDRESS[1])
    port = free_port()
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("ARAUTO_", "REDIS_URL", "PYTHON"))}
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            command, cwd=tree, env=environ | {"PORT": str(port), "HOME": str(tmp_path / "home")},
            stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    read_log = (tmp_path / "log").read_text
    eventually(lambda: f"Arauto is at http://127.0.0.1:{port} on " in read_log(), within=20)
    assert ("embedded Valkey 9." in read_log()) is not had_redis
    eventually(lambda: _answers(port) and _answers(discovery.ADDRESS[1]))
    family = psutil.Process(process.pid).children(recursive=True)
    os.killpg(process.pid, signal.SIGINT)  # as Ctrl+C does in a terminal
    process.wait(30)
    eventually(lambda: not any(child.is_running() for child in family))
    assert _answers(discovery.ADDRESS[1]) is had_redis
    left = {str(p.relative_to(tree)) for p in tree.rglob("*") if p.is_file()} - set(kept)
    assert left == set()
    assert not list(tree.rglob("__pycache__"))
    assert not (tmp_path / "home").exists()
    assert "Traceback" not in read_log()


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
