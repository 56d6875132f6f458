"""GET /channels/volume?channel=<name>: the number of recorded messages over time, without reading them."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from arauto.protocol.log_query import MAX_PARTS
from arauto.recording_core.log_keys import head_of, stream_of
from tests.integration.test_history import log, recording, valkey  # noqa: F401
from tests.support.http import get
from tests.support.logs import OwnLog, entries, forget, write_log
from tests.support.redis_servers import RedisServer
from tests.support.servers import ArautoServer

BEGAN = 1_763_879_938  # Unix seconds


def volume(server: ArautoServer, query: str = "", channel: str = "past") -> dict[str, Any]:
    answer = get(server, f"/channels/volume?channel={channel}{query}")
    assert answer.status == 200, answer.body
    assert answer.headers["cache-control"] == "no-store"
    return dict(json.loads(answer.body))


@pytest.fixture
def hour(valkey: RedisServer) -> Iterator[None]:  # noqa: F811
    """A log of an hour: ten messages at once, and three later."""
    times = [*range(10), 1_200_000, 1_200_000, 3_600_000]
    write_log(valkey, "past", *((BEGAN * 1000 + ms, {"m": "x" * 1000}) for ms in times))
    yield
    forget(valkey, "past")


@pytest.mark.usefixtures("hour")
def test_messages_are_counted_in_each_part_of_a_span(recording: ArautoServer) -> None:  # noqa: F811
    end = BEGAN + 3600
    whole = {"channel": "past", "from": BEGAN, "to": end + 0.001, "counts": [13], "gaps": []}
    assert volume(recording) == whole
    assert volume(recording, "&parts=4")["counts"] == [10, 2, 0, 1]
    assert volume(recording, "&since=3")["counts"] == [3]
    assert volume(recording, f"&since={BEGAN + 0.005}&until={BEGAN + 0.007}&parts=2")["counts"] == [1, 1]
    assert volume(recording, f"&since={BEGAN - 3600}&until={end}&parts=2")["counts"] == [0, 12]
    assert volume(recording, f"&since={end + 10}") == {
        "channel": "past", "from": end + 10, "to": end + 10.001, "counts": [0], "gaps": [],
    }  # fmt: skip
    assert volume(recording, f"&parts={MAX_PARTS}")["counts"][0] == 10


def test_a_gap_is_none_of_the_messages(recording: ArautoServer, log: OwnLog, valkey: RedisServer) -> None:  # noqa: F811
    log.begin(until=1000 * BEGAN)
    log.write("a", "b")
    log.begin()
    log.write("c")
    found = volume(recording, "&parts=7")
    gaps = [(ms, int(fields[b"gap"])) for (ms, _), fields in entries(valkey, "past") if b"gap" in fields]
    assert found["gaps"] == [[(since or ms) / 1000, ms / 1000] for ms, since in gaps]
    assert len(gaps) == 2
    assert sum(found["counts"]) == 13


def test_numbers_that_jump_where_a_log_replaced_another_are_no_messages(
    recording: ArautoServer,  # noqa: F811
    log: OwnLog,  # noqa: F811
    valkey: RedisServer,  # noqa: F811
) -> None:
    valkey.client.delete(head_of(b"past"))
    log.begin()
    log.write("a", "b")
    assert entries(valkey, "past")[-1][0].n > 10**12
    assert sum(volume(recording, "&parts=9")["counts"]) <= 12


def test_where_there_is_nothing(recording: ArautoServer, valkey: RedisServer) -> None:  # noqa: F811
    nothing = {"channel": "past.none", "from": 0, "to": 0, "counts": [], "gaps": []}
    assert volume(recording, channel="past.none") == nothing
    write_log(valkey, "past.none", (BEGAN * 1000, {"m": "x"}))
    valkey.client.delete(stream_of(b"past.none"))
    assert volume(recording, channel="past.none") == nothing
    assert volume(recording, f"&since={BEGAN}", "past.none")["counts"] == [0]
    forget(valkey, "past.none")
    assert get(recording, "/channels/volume?channel=else").status == 404


@pytest.mark.parametrize("query", ["parts=0", "parts=501", "parts=x", "since=x", "until=%E9"])
def test_what_is_no_span(recording: ArautoServer, query: str) -> None:  # noqa: F811
    assert get(recording, f"/channels/volume?channel=past&{query}").status == 400


def test_what_redis_refuses(recording: ArautoServer, log: OwnLog, valkey: RedisServer) -> None:  # noqa: F811
    valkey.client.delete(stream_of(b"past"))
    valkey.client.set(stream_of(b"past"), "no stream")
    answer = get(recording, f"/channels/volume?channel=past&since={BEGAN}")
    assert (answer.status, answer.error) == (
        502,
        "Redis refuses to read the recording: "
        "WRONGTYPE Operation against a key holding the wrong kind of value",
    )
