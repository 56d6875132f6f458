"""The two scripts of the tutorial, beside the page, on the same Redis with no setting but its address."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.http import publish
from tests.support.redis_servers import RedisServer
from tests.support.servers import ROOT, ArautoServer
from tests.support.tabs import open_tab
from tests.support.waiting import eventually

ALERT = "Servidor CPU em 99% - Perigo!"


def example(name: str, *arguments: str) -> list[str]:
    return [sys.executable, str(ROOT / "examples" / name), *arguments]


@contextmanager
def listening(command: list[str], url: str, first: bytes) -> Iterator[subprocess.Popen[bytes]]:
    """A program that prints what it hears; its first line has come."""
    process = subprocess.Popen(
        command, env=os.environ | {"REDIS_URL": url}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert process.stdout is not None
    try:
        with process.stdout:
            assert first in process.stdout.readline()
            yield process
    finally:
        process.kill()
        process.wait()


def test_the_scripts_and_a_tab_hear_each_other(plain_arauto: ArautoServer, valkey: RedisServer) -> None:
    with (
        listening(example("subscriber.py"), valkey.url, b"Listening on sistema_alertas") as subscriber,
        open_tab(plain_arauto, "sistema_alertas") as tab,
    ):
        environ = os.environ | {"REDIS_URL": valkey.url}
        run = subprocess.run(
            example("publisher.py"), env=environ, capture_output=True, text=True, timeout=20, check=True
        )
        assert run.stdout == f"2 received: {ALERT}\n"
        assert tab.messages(1) == [ALERT]
        assert subscriber.stdout is not None
        assert subscriber.stdout.readline().decode() == f"Alert: {ALERT}\n"
        assert publish(plain_arauto, "sistema_alertas", "Olá 🎺").json["receivers"] == 2
        assert subscriber.stdout.readline().decode() == "Alert: Olá 🎺\n"
    eventually(lambda: valkey.subscribers() == 0)


def test_without_redis_the_scripts_say_one_sentence() -> None:
    for name in ("subscriber.py", "publisher.py"):
        run = subprocess.run(
            example(name), env=os.environ | {"REDIS_URL": "redis://127.0.0.1:1"},
            capture_output=True, text=True, timeout=20, check=False,
        )  # fmt: skip
        assert run.returncode == 1
        assert run.stderr.startswith("Redis does not answer (")
        assert run.stderr.count("\n") == 1


def test_redis_cli_and_a_tab_hear_each_other_byte_for_byte(
    plain_arauto: ArautoServer, valkey: RedisServer
) -> None:
    cli = ["redis-cli", "-p", str(valkey.port)]
    text = "Olá, assinantes!\nsegunda linha"
    with listening([*cli, "SUBSCRIBE", "noticias"], valkey.url, b"") as subscriber:
        assert subscriber.stdout is not None
        head = b"".join(subscriber.stdout.readline() for _ in range(2))
        assert b"noticias" in head
        with open_tab(plain_arauto, "noticias") as tab:
            assert publish(plain_arauto, "noticias", text).json["receivers"] == 2
            heard = b"".join(subscriber.stdout.readline() for _ in range(4))
            assert heard == b"message\nnoticias\n" + text.encode() + b"\n"
            run = subprocess.run(
                [*cli, "PUBLISH", "noticias", "Olá, assinantes!"], capture_output=True, timeout=20, check=True
            )
            assert run.stdout == b"2\n"
            assert tab.messages(2) == [text, "Olá, assinantes!"]
    eventually(lambda: valkey.subscribers() == 0)
