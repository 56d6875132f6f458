"""The promise over TLS, and the sentence for a certificate that is not trusted."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from arauto.settings import WORKERS
from tests.support import faults
from tests.support.certificates import make_certificates
from tests.support.http import publish
from tests.support.proxy import Proxy
from tests.support.redis_servers import RedisServer, binaries, free_port
from tests.support.scenes import lose_nothing_slowly, promised
from tests.support.servers import GUNICORN, ArautoServer, Start
from tests.support.starts import run, sentence_of
from tests.support.tabs import open_tab
from tests.support.waiting import eventually

Stage = tuple[RedisServer, Proxy, ArautoServer]


@pytest.fixture(scope="module")
def binary() -> str:
    """Debian's redis-server: the embedded Valkey is built without TLS."""
    found = binaries()
    assert "redis" in found, "TLS needs a redis-server: install Debian's, or put one on the PATH"
    return found["redis"]


@pytest.fixture(scope="module", params=WORKERS)
def stage(
    request: pytest.FixtureRequest, binary: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """The program, connected to Redis by TLS through a bad network."""
    directory = tmp_path_factory.mktemp("tls")
    certificates, port = make_certificates(directory), free_port()
    with (
        closing(RedisServer(binary, directory, *certificates.redis_options(port))) as redis_server,
        closing(Proxy(port)) as proxy,
    ):
        url = f"rediss://localhost:{proxy.port}?ssl_ca_certs={certificates.authority}"
        server = ArautoServer(directory / "log", REDIS_URL=url, ARAUTO_WORKER=request.param)
        with closing(server):
            yield redis_server, proxy, server
            assert "Traceback" not in server.log


def test_breaks_under_load(stage: Stage) -> None:
    with promised(*stage, padding=20_000) as (scene, _):
        for fault in (
            faults.kill_subscribers,
            faults.reset_in_mid_message,
            faults.freeze_redis,
            faults.reset_links,
            faults.pull_cable,
        ):
            fault(scene, 1)
            eventually(lambda: all(witness.is_live for witness in scene.witnesses), within=30)
        assert all(witness.record.gaps for witness in scene.witnesses)


def test_a_slow_and_a_slicing_network_lose_nothing(stage: Stage) -> None:
    lose_nothing_slowly(*stage)


def test_a_large_message_passes_whole(stage: Stage) -> None:
    redis_server, _, server = stage
    text = "0123456789abcde\n" * 60_000  # many records of TLS
    with open_tab(server, "large") as tab:
        redis_server.client.publish("large", text)
        redis_server.client.publish("large", "next")
        assert tab.messages(2) == [text, "next"]
        assert publish(server, channel="large", message="by the form").status == 200
        assert tab.messages(1) == ["by the form"]


@pytest.mark.parametrize(
    ("trusted", "expires", "words"),
    [
        (False, datetime(2100, 1, 1, tzinfo=UTC), "certificate verify failed: self-signed certificate"),
        (True, datetime(2020, 1, 1, tzinfo=UTC), "certificate verify failed: certificate has expired"),
    ],
)
def test_a_certificate_that_is_not_to_be_trusted_is_reported_at_start(
    tmp_path: Path, binary: str, trusted: bool, expires: datetime, words: str
) -> None:
    certificates, port = make_certificates(tmp_path, expires), free_port()
    options = certificates.redis_options(port)
    with closing(RedisServer(binary, tmp_path, *options)):
        trust = f"?ssl_ca_certs={certificates.authority}" if trusted else ""
        stopped = run(GUNICORN, PORT=str(free_port()), REDIS_URL=f"rediss://localhost:{port}{trust}")
        assert words in sentence_of(stopped)
        assert f"Redis at localhost:{port}" in sentence_of(stopped)


def test_a_certificate_that_changes_is_reported_on_the_page_too(tmp_path: Path, binary: str) -> None:
    certificates, port = make_certificates(tmp_path), free_port()
    (tmp_path / "others").mkdir()
    others = make_certificates(tmp_path / "others")
    with closing(RedisServer(binary, tmp_path, *certificates.redis_options(port))) as own:
        url = f"rediss://localhost:{port}?ssl_ca_certs={certificates.authority}"
        with closing(ArautoServer(tmp_path / "log", REDIS_URL=url)) as server, open_tab(server, "a") as tab:
            own.stop()
            own.start(*others.redis_options(port))
            first, *later = tab.until("reconnecting") + tab.until("reconnecting")
            while "certificate" not in later[-1]["detail"]:
                later += tab.until("reconnecting")
            assert later[-1]["from"] == pytest.approx(first["from"], abs=0.001)


@pytest.mark.parametrize("shown", [True, False], ids=["with a certificate", "without one"])
def test_a_redis_that_wants_to_see_a_certificate(tmp_path: Path, binary: str, shown: bool) -> None:
    certificates, port = make_certificates(tmp_path), free_port()
    environ: dict[str, Any] = {
        "REDIS_URL": f"rediss://localhost:{port}",
        "ARAUTO_REDIS_CA": str(certificates.authority),
    }
    mine: dict[str, Any] = {
        "ARAUTO_REDIS_CERT": str(certificates.certificate),
        "ARAUTO_REDIS_KEY": str(certificates.key),
    }
    with closing(RedisServer(binary, tmp_path, *certificates.redis_options(port, clients="yes"))):
        if not shown:
            sentence = sentence_of(run(GUNICORN, PORT=str(free_port()), **environ))
            assert sentence.startswith(f"Redis at localhost:{port} does not answer (")
            return
        with (
            closing(ArautoServer(tmp_path / "log", **environ, **mine)) as server,
            open_tab(server, "a") as tab,
        ):
            assert publish(server, channel="a", message="x").status == 200
            assert tab.messages(1) == ["x"]
            assert "Warning" not in server.log


def test_files_that_cannot_be_used_end_with_one_sentence(tmp_path: Path) -> None:
    environ = {"REDIS_URL": "rediss://localhost:1", "PORT": str(free_port())}
    sentence = sentence_of(run(GUNICORN, **environ, ARAUTO_REDIS_CA=str(tmp_path / "nowhere.pem")))
    assert sentence.startswith(
        "A certificate or key for Redis cannot be used ([Errno 2] No such file or directory)"
    )


@pytest.mark.parametrize("query", ["ssl_cert_reqs=none", "ssl_check_hostname=false"])
def test_a_certificate_that_nobody_checks_is_warned_of(
    tmp_path: Path, binary: str, start: Start, query: str
) -> None:
    certificates, port = make_certificates(tmp_path), free_port()
    with closing(RedisServer(binary, tmp_path, *certificates.redis_options(port))):
        url = f"rediss://localhost:{port}?{query}"
        server = start(REDIS_URL=url, ARAUTO_REDIS_CA=str(certificates.authority))
        assert "Warning: REDIS_URL turns off the check of Redis's certificate" in server.log
