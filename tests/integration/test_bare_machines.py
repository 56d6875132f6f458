"""On restricted machines the program works, or prints one sentence about what it needs."""

import subprocess
import sys

import pytest

from arauto.settings import WORKERS
from tests.support.http import get, publish
from tests.support.machines import read_only
from tests.support.redis_servers import RedisServer, binaries, free_port
from tests.support.servers import GUNICORN, ROOT, Start
from tests.support.starts import run, sentence_of
from tests.support.tabs import open_tab

PLACES = ("/tmp", "/dev/shm")
VALKEY = (
    "import sys; from arauto.redis_io import embedded as e; e.ADDRESS = ('127.0.0.1', int(sys.argv[1]));"
    "server = e.EmbeddedValkey.start(sys.argv[2], 10); print('up'); server.stop()"
)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("worker", WORKERS)
def test_one_directory_to_write_to_is_enough(
    start: Start, valkey: RedisServer, worker: str, place: str
) -> None:
    server = start(on=read_only(place), REDIS_URL=valkey.url, ARAUTO_WORKER=worker, TMPDIR="", HOME="/none")
    assert get(server, "/").status == 200
    with open_tab(server, "a") as tab:
        assert publish(server, "a", "x").json["receivers"] == 1
        assert tab.messages(1) == ["x"]
    assert server.stop() == 0
    assert "Traceback" not in server.log


@pytest.mark.parametrize("place", PLACES)
def test_it_is_enough_for_the_embedded_valkey(place: str) -> None:
    command = [*read_only(place), sys.executable, "-c", VALKEY, str(free_port()), binaries()["valkey"]]
    finished = subprocess.run(
        command, cwd=ROOT, env={"TMPDIR": ""}, capture_output=True, text=True, check=False
    )
    assert (finished.stdout, finished.stderr) == ("up\n", "")


@pytest.mark.parametrize("tmpdir", ["", "/nowhere"])
def test_no_directory_to_write_to_ends_with_one_sentence(valkey: RedisServer, tmpdir: str) -> None:
    environ = {"PORT": str(free_port()), "REDIS_URL": valkey.url, "TMPDIR": tmpdir}
    sentence = sentence_of(run([*read_only(), *GUNICORN], **environ))
    assert sentence.startswith(
        "No directory can be written to, not even for a moment: mount a tmpfs at /tmp "
    )


def test_gunicorns_own_directory_is_looked_at_too(valkey: RedisServer) -> None:
    command = [*GUNICORN, "--worker-tmp-dir", "/nowhere"]
    sentence = sentence_of(run(command, PORT=str(free_port()), REDIS_URL=valkey.url))
    assert sentence.startswith("worker_tmp_dir=/nowhere cannot be written to: leave it out,")
