"""SIGUSR2: a new master takes over the address, however the old one was started."""

import signal

import psutil

from tests.support.http import get
from tests.support.redis_servers import RedisServer
from tests.support.servers import ArautoServer
from tests.support.waiting import eventually


def test_a_new_master_serves_when_the_old_one_has_gone(
    start: type[ArautoServer], valkey: RedisServer
) -> None:
    server = start(REDIS_URL=valkey.url, ARAUTO_WORKERS="1")
    old = psutil.Process(server._process.pid)
    known = set(old.children())
    old.send_signal(signal.SIGUSR2)
    eventually(lambda: server.log.count("is ready for requests") == 2, within=40, why="the new one serves")
    (new,) = [child for child in old.children() if child not in known]
    try:
        assert server.stop() == 0
        assert get(server, "/readyz").status == 200
    finally:
        new.terminate()
        psutil.wait_procs([new], 15)
    assert "Traceback" not in server.log
