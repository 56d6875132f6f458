"""The two scripts of the tutorial and the page on one Redis; its address is the only setting."""

import os
import subprocess

from tests.support.http import publish
from tests.support.programs import example, listening, run
from tests.support.redis_servers import RedisServer
from tests.support.servers import ArautoServer
from tests.support.tabs import open_tab
from tests.support.waiting import eventually

ALERT = "Servidor CPU em 99% - Perigo!"


def test_the_scripts_and_a_tab_receive_from_each_other(
    plain_arauto: ArautoServer, valkey: RedisServer
) -> None:
    with (
        listening(example("subscriber.py"), valkey.url, greeting=1) as subscriber,
        open_tab(plain_arauto, "sistema_alertas") as tab,
    ):
        assert run(example("publisher.py"), valkey.url) == f"2 received: {ALERT}\n"
        assert tab.messages(1) == [ALERT]
        assert subscriber.lines(1) == [f"Alert: {ALERT}"]
        assert publish(plain_arauto, "sistema_alertas", "Olá 🎺").json["receivers"] == 2
        assert subscriber.lines(1) == ["Alert: Olá 🎺"]
    eventually(lambda: valkey.subscribers() == 0)


def test_without_redis_the_scripts_say_one_sentence() -> None:
    environ = os.environ | {"REDIS_URL": "redis://127.0.0.1:1"}
    for name in ("subscriber.py", "publisher.py"):
        done = subprocess.run(
            example(name), env=environ, capture_output=True, text=True, timeout=20, check=False
        )
        assert done.returncode == 1
        assert done.stderr.startswith("Redis does not answer (")
        assert done.stderr.count("\n") == 1


def test_redis_cli_and_a_tab_receive_from_each_other_byte_for_byte(
    plain_arauto: ArautoServer, valkey: RedisServer
) -> None:
    cli = ["redis-cli", "-p", str(valkey.port)]
    text = "Olá, assinantes!\nsegunda linha"
    with (
        listening([*cli, "SUBSCRIBE", "noticias"], valkey.url, greeting=3) as subscriber,
        open_tab(plain_arauto, "noticias") as tab,
    ):
        assert publish(plain_arauto, "noticias", text).json["receivers"] == 2
        assert "\n".join(subscriber.lines(4)) == f"message\nnoticias\n{text}"
        assert run([*cli, "PUBLISH", "noticias", "Olá, assinantes!"], valkey.url) == "2\n"
        assert tab.messages(2) == [text, "Olá, assinantes!"]
    eventually(lambda: valkey.subscribers() == 0)
