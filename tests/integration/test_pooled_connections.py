"""Connections of a pool: each is checked before its next command, and no greenlet runs meanwhile."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing

import pytest

from arauto.settings import WORKERS
from tests.support.certificates import make_certificates
from tests.support.redis_servers import RedisServer, binaries, free_port, release_port
from tests.support.servers import ROOT

# Whether other greenlets ran while a connection was taken, the reply after Redis has closed the connection,
# and the reply after the reply to another command was left unread.
_USE = """
import json, sys

worker, url = sys.argv[1:]
if worker == "gevent":
    from gevent import monkey
    monkey.patch_all()
import threading
from arauto.redis_io.connection import RedisLink

link, other = RedisLink(url), RedisLink(url).client
client, pool, ran = link.client, link.client.connection_pool, []
client.echo("first")
if worker == "gevent":
    import gevent
    gevent.spawn(ran.append, 1)
connection = pool.get_connection()
has_run = bool(ran)
connection.send_command("CLIENT", "ID")
id = connection.read_response()
pool.release(connection)
other.client_kill_filter(_id=id)
killed = client.echo("after the end").decode()
connection = pool.get_connection()
connection.send_command("ECHO", "unread")
connection.can_read(5)
pool.release(connection)
print(json.dumps([has_run, killed, client.echo("asked").decode()]))
"""


@pytest.fixture(scope="module")
def urls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The addresses of a Redis without and with TLS."""
    directory, port = tmp_path_factory.mktemp("pool"), free_port()
    certificates = make_certificates(directory)
    with closing(RedisServer(binaries()["redis"], directory, *certificates.redis_options(port))) as server:
        tls = f"rediss://localhost:{port}?ssl_ca_certs={certificates.authority}"
        yield {"plain": server.url, "TLS": tls}
    release_port(port)


@pytest.mark.parametrize("way", ["plain", "TLS"])
@pytest.mark.parametrize("worker", WORKERS)
def test_a_connection_is_checked_and_nothing_runs_meanwhile(
    urls: dict[str, str], way: str, worker: str
) -> None:
    run = subprocess.run(
        [sys.executable, "-c", _USE, worker, urls[way]], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout) == [False, "after the end", "asked"]
