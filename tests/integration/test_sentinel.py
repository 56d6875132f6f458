"""Redis under Sentinel: the program follows a failover, and possible losses are gaps."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import datetime
from pathlib import Path
from time import time

import pytest

from arauto.redis_io import discovery
from arauto.settings import WORKERS, read
from tests.integration.test_recording_switch import lines
from tests.integration.test_startup import answering
from tests.support.certificates import make_certificates
from tests.support.http import publish
from tests.support.machine_time import MachineTime
from tests.support.redis_servers import RedisServer, binaries, free_port, release_port
from tests.support.sentinels import NAME, Sentinel, Watched
from tests.support.servers import ArautoServer, Start
from tests.support.tabs import open_tab
from tests.support.waiting import eventually

FOLLOWED = 3.0  # seconds until a failover is noticed


@pytest.fixture(params=list(binaries()))
def binary(request: pytest.FixtureRequest) -> str:
    return binaries()[request.param]


@pytest.fixture
def watched(binary: str, tmp_path: Path) -> Iterator[Watched]:
    with ExitStack() as stack:
        yield Watched(stack, binary, tmp_path)


@pytest.fixture(params=WORKERS)
def server(request: pytest.FixtureRequest, watched: Watched, start: Start) -> Iterator[ArautoServer]:
    server = start(REDIS_URL=watched.url, ARAUTO_WORKER=request.param, ARAUTO_RECORD="kept")
    yield server
    assert "Traceback" not in server.log


def test_a_failover_is_followed_and_reported(watched: Watched, server: ArautoServer) -> None:
    with open_tab(server, "a") as tab:
        assert publish(server, "a", "before").json["receivers"] == 1
        assert tab.until("message")[-1]["data"] == "before"
        watched.fail_over()
        gap = tab.until("gap")[-1]
        assert gap["from"] < gap["to"]
        eventually(lambda: watched.second.client.publish("a", "after") == 1)
        assert tab.until("message")[-1]["data"] == "after"
        before, after = (f"127.0.0.1:{one.port}" for one in (watched.first, watched.second))
        moved = f"master changed name={NAME} from={before} to={after}"
        eventually(lambda: server.log.count(moved) == server.workers_wanted)
        assert publish(server, "a", "from the form").json["receivers"] == 1
        assert tab.until("message")[-1]["data"] == "from the form"


def test_a_gap_ends_when_no_process_publishes_to_the_former_master_any_more(
    watched: Watched, start: Start
) -> None:
    """Processes learn of the new master at different times; the time they have for it is longer here."""
    later = "from arauto.redis_io import sentinel; sentinel.SETTLE = 3.0"
    server = start(REDIS_URL=watched.url, ARAUTO_RECORD="kept", ARAUTO_WORKERS="1", ALTER=later)
    with open_tab(server, "a", "kept") as tab:
        tab.until("following")
        publish(server, "kept", "before")
        assert tab.until("message")[-1]["data"] == "before"
        watched.fail_over()
        ends: dict[str, float] = {}
        while ends.keys() != {"", "kept"}:
            gap = tab.until("gap")[-1]
            ends[gap.get("channel", "")] = gap["to"]
    (line,) = (line for line in server.log.splitlines() if "master changed" in line)
    known_at = datetime.strptime(line[:23], "%Y-%m-%d %H:%M:%S,%f").astimezone().timestamp()
    assert min(ends.values()) > known_at + 2


def test_a_master_that_stood_still_is_left_with_a_gap_from_before(
    watched: Watched, server: ArautoServer, machine: MachineTime
) -> None:
    with open_tab(server, "a") as tab:
        watched.first.client.publish("a", "before")
        assert tab.until("message")[-1]["data"] == "before"
        frozen_at = time()
        watched.first.freeze()
        try:
            watched.wait_for_other(watched.first.port)
            began = machine()
            gap = tab.until("gap")[-1]
            assert machine() - began < FOLLOWED
        finally:
            watched.first.thaw()
        assert gap["from"] <= frozen_at
        assert watched.second.client.publish("a", "after") == 1
        assert tab.until("message")[-1]["data"] == "after"


def test_a_recorded_channel_goes_on_after_the_master_was_killed(
    watched: Watched, server: ArautoServer
) -> None:
    with open_tab(server, "kept") as tab:
        tab.until("following")
        publish(server, "kept", "before")
        assert tab.until("message")[-1]["data"] == "before"
        eventually(lambda: watched.second.client.xlen("arauto:stream:{kept}") == 1, why="it is replicated")
        watched.first.stop()
        watched.wait_for_other(watched.first.port)
        seen = tab.until("gap")
        assert "message" not in [event["type"] for event in seen]
        # Another worker may not have queried the Sentinels yet; it refuses, and nothing is published.
        eventually(lambda: publish(server, "kept", "after").status == 200)
        assert tab.until("message")[-1]["data"] == "after"
        eventually(lambda: lines(server, "kept") == ["before", "recorder", "after"])


def test_a_replica_that_a_sentinel_names_is_no_master(binary: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        first = stack.enter_context(closing(RedisServer(binary, tmp_path)))
        follow = ("--replicaof", f"127.0.0.1 {first.port}")
        second = stack.enter_context(closing(RedisServer(binary, tmp_path, *follow)))
        eventually(lambda: second.client.role()[3] == b"connected", why="it replicates")
        sentinel = stack.enter_context(closing(Sentinel(binary, tmp_path, second.port, quorum=3)))
        with pytest.raises(discovery.NoRedis, match=f"127.0.0.1:{second.port} is no longer the master"):
            discovery.find(read({"REDIS_URL": f"redis+sentinel://127.0.0.1:{sentinel.port}/{NAME}"}))


def test_passwords_of_both_are_given(binary: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        redis = stack.enter_context(closing(RedisServer(binary, tmp_path)))
        redis.client.execute_command("ACL", "SETUSER", "viewer", "on", ">p@ss", "allchannels", "+@all", "~*")
        redis.client.execute_command("ACL", "SETUSER", "default", "-role")
        sentinel = stack.enter_context(
            closing(Sentinel(binary, tmp_path, redis.port, "requirepass guard", quorum=1, password="guard"))
        )
        place = f"127.0.0.1:{sentinel.port}/{NAME}"
        url = f"redis+sentinel://viewer:p%40ss@{place}?sentinel_password=guard"
        found = discovery.find(read({"REDIS_URL": url}))
        assert found.master == ("127.0.0.1", redis.port)
        assert found.name.endswith(f" ({NAME}, by the Sentinels 127.0.0.1:{sentinel.port})")
        with pytest.raises(discovery.NoRedis, match=r"(?i)noauth|authentication required"):
            discovery.find(read({"REDIS_URL": f"redis+sentinel://viewer:p%40ss@{place}"}))
        with pytest.raises(
            discovery.NoRedis, match=r"wants another .* REDIS_URL=redis\+sentinel://.*/NAME\.$"
        ):
            discovery.find(read({"REDIS_URL": url.replace("p%40ss", "wrong")}))
        # The user may not run ROLE: the answer of the Sentinel is trusted.
        found = discovery.find(read({"REDIS_URL": f"redis+sentinel://{place}?sentinel_password=guard"}))
        assert found.master == ("127.0.0.1", redis.port)


def test_both_are_reached_over_tls(tmp_path: Path) -> None:
    binary, made = (
        binaries()["redis"],
        make_certificates(tmp_path),
    )  # the embedded Valkey is built without TLS
    port, theirs = free_port(), free_port()
    with ExitStack() as stack:
        stack.callback(release_port, port)
        stack.callback(release_port, theirs)
        stack.enter_context(closing(RedisServer(binary, tmp_path, *made.redis_options(port))))
        options = made.redis_options(theirs)
        lines = [f"{name[2:]} {value}" for name, value in zip(options[::2], options[1::2], strict=True)]
        names = ["sentinel resolve-hostnames yes", "sentinel announce-hostnames yes", "tls-replication yes"]
        sentinel = Sentinel(binary, tmp_path, port, *lines, *names, quorum=1, host="localhost")
        stack.enter_context(closing(sentinel))
        url = f"rediss+sentinel://localhost:{theirs}/{NAME}"
        found = discovery.find(read({"REDIS_URL": url, "ARAUTO_REDIS_CA": str(made.authority)}))
        assert found.master == ("localhost", port)
        assert found.is_verified


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        (
            "{sentinel}/typo",
            "No Sentinel names a master typo (127.0.0.1:{port}: it knows no master named typo)",
        ),
        ("127.0.0.1:1/alerts", "No Sentinel names a master alerts (127.0.0.1:1: Error 111 connecting"),
        ("{redis}/alerts", "({redis}: it is no Sentinel; for a Redis, set REDIS_URL=redis://{redis})"),
        ("{sentinel}", "REDIS_URL does not parse: give redis+sentinel://host:26379,host2:26379/NAME,"),
        ("no..where/alerts", "REDIS_URL names a host that cannot be one: no..where."),
        ("127.0.0.1, 127.0.0.2/alerts", "REDIS_URL does not parse: give redis+sentinel://"),
        ("u:p@{sentinel},u:p@{sentinel}/alerts", "REDIS_URL does not parse: give redis+sentinel://"),
        ("127.0.0.1:0/alerts", "REDIS_URL names a port that is none"),
        ("127.0.0.1:99999/alerts", "REDIS_URL names a port that is none"),
        (
            "{sentinel}/alerts?sentinel_username=a",
            "REDIS_URL has a sentinel_username without a sentinel_password",
        ),
        ("{sentinel},/alerts", "REDIS_URL does not parse: give redis+sentinel://"),
        ("{sentinel}/alerts/x", "REDIS_URL names a database that is no number"),
        ("{sentinel}/alerts?sentinel_db=1", "REDIS_URL has an option that is not known: sentinel_db."),
        ("{sentinel}/alerts?nonsense=1", "REDIS_URL has an option that redis-py does not know"),
    ],
)
def test_what_cannot_work_is_reported_in_one_sentence(
    valkey: RedisServer, tmp_path: Path, place: str, sentence: str
) -> None:
    with closing(Sentinel(binaries()["valkey"], tmp_path, valkey.port, quorum=1)) as sentinel:
        names = {
            "sentinel": f"127.0.0.1:{sentinel.port}",
            "port": sentinel.port,
            "redis": f"127.0.0.1:{valkey.port}",
        }
        with pytest.raises(discovery.NoRedis) as refused:
            discovery.find(read({"REDIS_URL": f"redis+sentinel://{place.format(**names)}"}))
        assert sentence.format(**names) in str(refused.value)


def test_a_sentinel_in_the_place_of_a_redis_is_reported(valkey: RedisServer, tmp_path: Path) -> None:
    with closing(Sentinel(binaries()["valkey"], tmp_path, valkey.port, quorum=1)) as sentinel:
        with pytest.raises(discovery.NoRedis) as refused:
            discovery.find(read({"REDIS_URL": f"redis://127.0.0.1:{sentinel.port}"}))
        assert f"set REDIS_URL=redis+sentinel://127.0.0.1:{sentinel.port}/NAME" in str(refused.value)


STATE = b"*2\r\n$12\r\nconfig-epoch\r\n$1\r\n1\r\n"


def addressed(host: bytes, port: bytes = b"6379") -> bytes:
    return b"*2\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n" % (len(host), host, len(port), port)


@pytest.mark.parametrize(
    "reply",
    [
        addressed(b"a..b") + STATE,
        addressed(b"a" * 300) + STATE,
        addressed(b"\xff") + STATE,
        addressed(b"h", b"port") + STATE,
        addressed(b"h", b"0") + STATE,
        b"-ERR \x1b[31mred\r\n" * 2,
        addressed(b"h") + b"*0\r\n",
        addressed(b"h") + b"*1\r\n$1\r\nx\r\n",
        b"*1\r\n$1\r\nh\r\n" + STATE,
        b":1\r\n:2\r\n",
    ],
)
def test_an_answer_that_is_none_is_reported(reply: bytes, caplog: pytest.LogCaptureFixture) -> None:
    with answering(reply) as port, pytest.raises(discovery.NoRedis) as refused:
        discovery.find(read({"REDIS_URL": f"redis+sentinel://127.0.0.1:{port}/{NAME}"}))
    assert f"No Sentinel names a master {NAME} (127.0.0.1:{port}: " in str(refused.value)
    assert "no answer yet" not in str(refused.value)
    assert "\x1b" not in str(refused.value)
    assert "sentinel failed" not in caplog.text
