"""The minifier's output is cached until a file changes."""

import fcntl
import signal
import sys
import termios
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from arauto.assets import minifier, minifier_cache
from arauto.assets.minifier import minify_in_subprocess, pack, sources
from tests.support.waiting import eventually


def test_it_is_made_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path))
    made = minify_in_subprocess()
    (file,) = (path for path in tmp_path.rglob("*") if path.is_file())
    assert file.name == "assets.json"
    monkeypatch.setattr(sys, "executable", "false")  # minifying would fail
    assert minify_in_subprocess() == made != pack(sources())
    monkeypatch.setattr(minifier_cache, "HOME", tmp_path)  # other scripts and styles
    assert minify_in_subprocess() == pack(sources())


@pytest.mark.parametrize(
    "damage", [lambda body: body[:65_536], lambda body: b"", lambda body: body[:-2] + b"\xff}"]
)
def test_a_damaged_cache_is_made_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path))
    minifier_cache.write("key", '{"a": 1}' + " " * 65_536 + "{}")
    (file,) = (path for path in tmp_path.rglob("*") if path.is_file())
    assert minifier_cache.read("key")
    file.write_bytes(damage(file.read_bytes()))
    assert minifier_cache.read("key") == ""


def test_a_signal_cuts_nothing_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """As when a container is paused while the program starts."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # nothing is cached
    monkeypatch.setenv("PYTHONUNBUFFERED", "1")
    with minifier.Minifier() as made:
        process = made._process
        assert process
        assert process.stdout
        pipe = process.stdout.fileno()
        eventually(lambda: waiting(pipe) == fcntl.fcntl(pipe, fcntl.F_GETPIPE_SZ), why="the pipe is full")
        process.send_signal(signal.SIGSTOP)
        eventually(lambda: psutil.Process(process.pid).status() == psutil.STATUS_STOPPED)
        process.send_signal(signal.SIGCONT)
        assert made.result() == pack(minifier.minify())


def waiting(pipe: int) -> int:
    """How many bytes can be read from a pipe."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


def test_elsewhere_nothing_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path))
    with minifier.Minifier() as made:
        assert made.result()
    assert list(tmp_path.iterdir()) == []
