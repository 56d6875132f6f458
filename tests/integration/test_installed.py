"""The wheel, installed in an empty environment and run in a user's own directory."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from websockets.sync.client import connect

from arauto import __version__
from arauto.settings import SETTINGS
from tests.support.http import get, publish
from tests.support.redis_servers import RedisServer
from tests.support.servers import ROOT, ArautoServer
from tests.support.waiting import PATIENCE


@pytest.fixture(scope="module")
def arauto(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The installed command."""
    room = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    environ = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    environ.pop("PYTHONPYCACHEPREFIX", None)  # compiled files are installed too
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", room, ROOT], env=environ, check=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", room / "venv"], env=environ, check=True)
    (wheel,) = room.glob("*.whl")
    pip += ["--python", str(room / "venv/bin/python")]
    subprocess.run([*pip, "install", wheel], env=environ, check=True)
    return str(room / "venv/bin/arauto")


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    """A directory with a file that is named like a library of the program."""
    (tmp_path / "redis.py").write_text("raise SystemExit('the wrong redis')\n")
    yield tmp_path
    left = {path.name for path in tmp_path.iterdir()}
    assert left <= {"redis.py", "log", "tokens.json", "tokens.lock"}, "it leaves nothing behind"


def run(arauto: str, directory: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    clean = {"PATH": "/usr/bin:/bin", "HOME": str(directory)}
    return subprocess.run(
        [arauto, *arguments],
        cwd=directory,
        env=clean | environ,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_it_publishes_and_receives(arauto: str, directory: Path, own_redis: RedisServer) -> None:
    server = ArautoServer(
        directory / "log", tree=directory, command=[arauto], REDIS_URL=own_redis.url, ARAUTO_RECORD="news"
    )
    with closing(server):
        with connect(f"{server.ws}/feed?channel=news") as tab:
            assert json.loads(tab.recv())[0]["type"] == "subscribe"
            assert publish(server, "news", "hello").json["receivers"] >= 1
            while "hello" not in (received := str(tab.recv(PATIENCE))):
                assert '"error"' not in received
        page = get(server, "/", Accept_Language="pt-BR").body.decode()
        assert "Mensagem" in page
        files = re.findall(r'(?:src|href)="(/static/[^"]+)"', page)
        assert len(files) > 2
        assert {get(server, file).status for file in files} == {200}
        assert server.stop() == 0
    assert "Traceback" not in server.log
    assert "cannot be made small" not in server.log


def test_it_prints_its_version_and_its_settings(arauto: str, directory: Path) -> None:
    finished = run(arauto, directory, "--version")
    assert (finished.returncode, finished.stdout) == (0, f"arauto, version {__version__}\n")
    finished = run(arauto, directory, "--help")
    assert finished.returncode == 0
    assert all(setting.name in finished.stdout for setting in SETTINGS)


def test_what_it_does_not_know_is_refused(arauto: str, directory: Path) -> None:
    finished = run(arauto, directory, "serve")
    assert (finished.returncode, finished.stdout) == (2, "")
    assert "No such command 'serve'" in finished.stderr
    assert "arauto --help" in finished.stderr
    finished = run(arauto, directory, PORT="many")
    assert (finished.returncode, "Traceback" in finished.stderr) == (1, False)
    assert "PORT" in finished.stderr
    finished = run(arauto, directory, KAFKA_URL="kafka://127.0.0.1:1")
    assert (finished.returncode, finished.stdout) == (1, "")
    assert finished.stderr == "KAFKA_URL needs a package that is not installed: pip install 'arauto[kafka]'\n"


def test_it_makes_and_revokes_tokens(arauto: str, directory: Path, own_redis: RedisServer) -> None:
    here = {"ARAUTO_TOKENS": "tokens.json", "REDIS_URL": own_redis.url, "ARAUTO_TOKEN": "a" * 32}
    finished = run(arauto, directory, "token", "create", "backup", "--read", "news.*", **here)
    assert finished.returncode == 0, finished.stderr
    assert "backup" in run(arauto, directory, "token", "list", **here).stdout
    assert run(arauto, directory, "token", "revoke", "backup", **here).returncode == 0
    assert run(arauto, directory, "token", "list", **here).stdout == ""
