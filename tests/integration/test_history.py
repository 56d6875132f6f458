"""GET /channels/messages?channel=<name>: recorded messages line by line, with gaps for missing ones."""

import json
from collections.abc import Iterator
from contextlib import closing
from time import sleep
from typing import Any
from urllib.parse import quote

import pytest

from arauto.protocol.log_query import DEFAULT_LIMIT
from arauto.recording_core.log_keys import head_of, stream_of
from tests.support.http import get, request
from tests.support.logs import OwnLog, forget, head
from tests.support.redis_servers import RedisServer, binaries
from tests.support.servers import ArautoServer
from tests.support.tabs import open_tab


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis without another program, whose recorder would take the logs that these tests write."""
    server = RedisServer(binaries()["valkey"], tmp_path_factory.mktemp("valkey"))
    yield server
    server.close()


@pytest.fixture(scope="module")
def recording(valkey: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArautoServer]:
    log = tmp_path_factory.mktemp("history") / "log"
    alter = "from arauto.recording.recorder_thread import RecorderThread as R; R.run = lambda self: None"
    server = ArautoServer(log, REDIS_URL=valkey.url, ARAUTO_RECORD="past*", ARAUTO_WORKERS="1", ALTER=alter)
    with closing(server):
        yield server
        assert "Traceback" not in server.log


@pytest.fixture
def log(recording: ArautoServer, valkey: RedisServer) -> Iterator[OwnLog]:
    """A log with ten messages, 0 to 9."""
    yield OwnLog(valkey, "past", *"0123456789")
    forget(valkey, "past")


@pytest.fixture
def ids(log: OwnLog) -> list[str]:
    return log.ids


def read(server: ArautoServer, query: str, channel: str = "past") -> list[dict[str, Any]]:
    answer = get(server, f"/channels/{quote(channel, safe='')}/messages?{query}")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/x-ndjson")
    return [json.loads(line) for line in answer.body.splitlines()]


def data(lines: list[dict[str, Any]]) -> str:
    return "".join(line["data"] for line in lines)


def test_a_line_for_each_message(recording: ArautoServer, ids: list[str]) -> None:
    lines = read(recording, "")
    assert data(lines) == "0123456789"
    assert [line["id"] for line in lines] == ids
    first = lines[0]
    assert first.keys() == {"id", "channel", "data", "at"}
    assert first["at"] == int(ids[0].split("-")[0]) / 1000


def test_from_here_to_there(recording: ArautoServer, ids: list[str]) -> None:
    assert data(read(recording, f"since={ids[3]}")) == "456789"  # the messages after an id
    assert data(read(recording, f"since={ids[3]}&until={ids[5]}")) == "45"
    assert data(read(recording, "since=3")) == "789"
    assert data(read(recording, "since=100")) == "0123456789"
    assert data(read(recording, "since=first&limit=2")) == "01"
    assert data(read(recording, "since=10m")) == "0123456789"
    assert data(read(recording, "since=0.5&until=10m")) == ""
    assert data(read(recording, f"since={int(ids[0].split('-')[0]) / 1000}")) == "0123456789"
    assert read(recording, f"since={ids[9]}") == []
    unknown = get(recording, "/channels/past/messages?since=99999999999999-1")
    assert (unknown.status, unknown.error) == (
        400,
        "The recording has no such id: it may be of an earlier recording, which is gone.",
    )


def test_the_last_are_those_up_to_a_point(recording: ArautoServer, ids: list[str]) -> None:
    assert data(read(recording, f"since=3&until={ids[6]}")) == "456"
    assert data(read(recording, f"since=3&until={ids[1]}")) == "01"
    assert data(read(recording, "since=3&until=999999999999999-999999999999999")) == "789"
    assert read(recording, "since=3&until=0-0") == []


def test_a_limit_that_nobody_asked_for_is_reported(recording: ArautoServer, valkey: RedisServer) -> None:
    log = OwnLog(valkey, "past/long", *map(str, range(DEFAULT_LIMIT)))
    last = read(recording, "since=first", "past/long")[-1]
    assert last["data"] == str(DEFAULT_LIMIT - 1)  # the last message of the log
    log.write("more")
    assert len(read(recording, "since=first", "past/long")) == DEFAULT_LIMIT + 1
    assert read(recording, "since=first", "past/long")[-1] == {"more": last["id"]}
    assert data(read(recording, f"since={last['id']}", "past/long")) == "more"
    assert len(read(recording, f"since=first&limit={DEFAULT_LIMIT}", "past/long")) == DEFAULT_LIMIT
    forget(valkey, "past/long")


def test_bytes_and_names_of_all_kinds(recording: ArautoServer, valkey: RedisServer) -> None:
    name = "past/é ?#.messages"
    log = OwnLog(valkey, name, "text")
    (line,) = read(recording, "", name)
    assert (line["channel"], line["data"]) == (name, "text")
    valkey.client.hset(head_of(name.encode()), "ms", "4000000000000")
    log.write(b"\xff")
    text, binary = read(recording, "", name)
    assert text == line  # whatever other parameters there are
    assert (binary["data"], binary["encoding"], binary["size"]) == ("/w==", "base64", 1)
    assert binary["at"] == 4_000_000_000
    forget(valkey, name)


@pytest.mark.parametrize(
    "query",
    [
        "since=x", "since=-1", "since=1-", "since=1-2-3", "since=%D9%A3m", "since=9999999999", "since=1e9",
        "until=soon", "limit=0", "limit=-1", "limit=1000000", "limit=x",
        "limit=1.5", "since=%00",
    ],
)  # fmt: skip
def test_what_cannot_be_meant(recording: ArautoServer, query: str) -> None:
    answer = get(recording, f"/channels/past/messages?{query}")
    assert answer.status == 400
    assert answer.error.endswith(".")


def test_what_would_be_ignored_is_refused(recording: ArautoServer) -> None:
    """A parameter given twice or without effect: above all, part of a recording cannot be deleted."""
    of_message = "/channels/past/acknowledgements?channel=past&message=1-1"
    for method, path, sentence in (
        *(("GET", f"/channels/past/messages?{name}=1m&{name}=2m", f"Give {name} once.")
          for name in ("since", "until", "limit", "filter")),
        *(("GET", f"/channels/past/volume?{name}=5&{name}=6", f"Give {name} once.")
          for name in ("since", "until", "parts")),
        ("GET", "/channels?match=a&match=b", "Give match once."),
        ("PUT", f"{of_message}&message=2-2", "Give message once."),
        ("DELETE", f"{of_message}&message=2-2", "Give message once."),
        ("DELETE", "/channels/messages?channel=past&until=1m", "until changes nothing here: leave it out."),
        ("GET", "/channels/volume?channel=past&filter=a", "filter changes nothing here: leave it out."),
        ("PUT", "/channels/recording?channel=past&since=1", "since changes nothing here: leave it out."),
        ("GET", "/feed?channel=past&since=1m&since=2m", "Give since once."),
        ("GET", "/feed?channel=past&selection=Follows", "selection is follows, or left out."),
    ):  # fmt: skip
        answer = request(recording, method, path)
        assert (answer.status, answer.error) == (400, sentence), path


def test_a_channel_that_is_not_recorded(recording: ArautoServer) -> None:
    answer = get(recording, "/channels/other/messages")
    assert answer.status == 404
    assert answer.error == "This channel is not recorded: switch it on in the page, or by ARAUTO_RECORD."
    assert read(recording, "", "past.never.used") == []


def test_what_is_not_kept_any_more_is_a_gap(
    recording: ArautoServer, valkey: RedisServer, ids: list[str]
) -> None:
    stream = stream_of(b"past")
    valkey.client.xtrim(stream, maxlen=6, approximate=False)  # 0 to 3 are trimmed
    gap, *rest = read(recording, f"since={ids[1]}")
    assert (gap["type"], gap["reason"], gap["missing"]) == ("gap", "log", 2)
    assert data(rest) == "456789"
    assert data(read(recording, f"since={ids[3]}")) == "456789"  # no requested message is missing
    gap, *rest = read(recording, "since=10m")
    assert (gap["type"], "missing" in gap) == ("gap", False)
    valkey.client.xdel(stream, ids[6], ids[9])
    lines = read(recording, f"since={ids[4]}")
    assert [line.get("missing", line.get("data")) for line in lines] == ["5", 1, "7", "8", 1]
    valkey.client.delete(stream)
    (gap,) = read(recording, f"since={ids[4]}")
    assert gap["missing"] == 5


def test_another_log_is_distinguished_from_the_one_before(
    recording: ArautoServer, valkey: RedisServer, log: OwnLog
) -> None:
    before = log.ids[5]
    log.store.delete(b"past")
    for lines in (read(recording, f"since={before}"), read(recording, "since=first")):
        assert [line["reason"] for line in lines] == ["replaced"][: len(lines)]
    log.begin()
    log.write("anew")
    gap, *rest = read(recording, f"since={before}")
    assert (gap["reason"], "missing" in gap) == ("replaced", False)
    assert [line.get("data", line.get("reason")) for line in rest] == ["recorder", "anew"]
    assert [line.get("data", line.get("reason")) for line in read(recording, "since=10m")] == [
        "recorder",
        "anew",
    ]


def data_and_reasons(events: list[dict[str, Any]]) -> list[Any]:
    """The data of the messages, and the reasons of the gaps."""
    return [
        event.get("data", event.get("reason"))
        for event in events
        if event.get("type", "message") in ("message", "gap")
    ]


def read_and_see(recording: ArautoServer, since: str, last: str) -> list[Any]:
    """Messages and gaps up to ``last``; a page and a program must receive the same."""
    lines = data_and_reasons(read(recording, f"since={since}"))
    with open_tab(recording, "past", query={"since": since}) as tab:
        assert data_and_reasons(tab.through(last)) == lines
    return lines


def return_and_see(recording: ArautoServer, valkey: RedisServer, id: str, last: str) -> list[Any]:
    """As :func:`read_and_see`, after an entry that a page and a program have."""
    lines = data_and_reasons(read(recording, f"since={id}"))
    epoch = head(valkey, "past")["epochs"].partition(":")[0]
    with open_tab(recording, "past", query={"after": f"{epoch}.{id}"}) as tab:
        assert data_and_reasons(tab.through(last)) == lines
    return lines


def test_what_nobody_recorded_is_one_gap(recording: ArautoServer, valkey: RedisServer, log: OwnLog) -> None:
    log.begin()
    log.write("more")
    rows = ["9", "recorder", "more"]
    lines = read(recording, f"since={log.ids[8]}")
    assert lines[1]["from"] <= lines[1]["to"]
    assert read_and_see(recording, "2", "more") == rows  # messages: a gap is none
    assert return_and_see(recording, valkey, log.ids[8], "more") == rows


def test_numbers_that_jump_are_no_gap_of_their_own(
    recording: ArautoServer, valkey: RedisServer, log: OwnLog
) -> None:
    """A recorder that does not know the last number continues with later ones."""
    with open_tab(recording, "past", query={"since": "1"}) as tab:
        tab.through("9")
        valkey.client.hincrby(head_of(b"past"), "number", 1000)
        log.begin()
        log.write("more")
        assert data_and_reasons(tab.through("more")) == ["recorder", "more"]
    valkey.client.hincrby(head_of(b"past"), "number", 1000)
    valkey.client.rpush("arauto:promised:{past}", "1 promised")
    log.begin()
    log.write("last")
    rows = ["8", "9", "recorder", "more", "promised", "recorder", "last"]
    assert return_and_see(recording, valkey, log.ids[7], "last") == rows
    assert read_and_see(recording, "5", "last") == rows  # messages: a gap is none
    assert read_and_see(recording, "first", "last")[-7:] == rows


def test_what_was_trimmed_before_a_jump_is_reported(
    recording: ArautoServer, valkey: RedisServer, log: OwnLog
) -> None:
    valkey.client.hset(head_of(b"past"), "epochs", head(valkey, "past")["epochs"] + " abc:" + "9" * 14)
    valkey.client.hset(head_of(b"past"), "number", "9" * 14)
    log.begin()
    log.write("more")
    valkey.client.xtrim(stream_of(b"past"), maxlen=2, approximate=False)  # a gap entry and "more"
    assert return_and_see(recording, valkey, log.ids[7], "more") == ["log", "recorder", "more"]
    assert "missing" not in read(recording, f"since={log.ids[7]}")[0]


def test_what_is_missing_in_a_log_that_has_replaced_another_is_reported(
    recording: ArautoServer, valkey: RedisServer, log: OwnLog
) -> None:
    before = head(valkey, "past")["epoch"]
    log.store.delete(b"past")
    log.begin()
    log.write("a", "b", "c", "d")
    valkey.client.xdel(stream_of(b"past"), log.ids[-3])
    rows = ["replaced", "recorder", "a", "log", "c", "d"]
    assert data_and_reasons(read(recording, f"since={log.ids[5]}")) == rows
    with open_tab(recording, "past", query={"after": f"{before}.{log.ids[5]}"}) as tab:
        assert data_and_reasons(tab.through("d")) == rows


def test_a_log_whose_head_was_lost_has_replaced_the_one_before(
    recording: ArautoServer, valkey: RedisServer, log: OwnLog
) -> None:
    """Only the entries of such a log are known; its numbers continue from the time."""
    sleep(0.02)  # at least as many milliseconds as messages
    valkey.client.delete(head_of(b"past"))
    log.begin()
    log.write("more")
    assert read_and_see(recording, "first", "more")[-4:] == ["9", "replaced", "recorder", "more"]


def test_entries_of_others_are_as_if_they_were_missing(
    recording: ArautoServer, valkey: RedisServer, log: OwnLog
) -> None:
    ms, number = map(int, log.ids[-1].split("-"))
    valkey.client.xadd(stream_of(b"past"), {"a": "1", "b": "2"}, id=f"{ms + 1}-{number + 1}")
    valkey.client.xadd(stream_of(b"past"), {"gap": "soon"}, id=f"{ms + 1}-{number + 2}")
    log.begin()
    log.write("more")
    assert return_and_see(recording, valkey, log.ids[8], "more") == ["9", "recorder", "more"]


@pytest.mark.parametrize("foreign", [3, 9 * 10**14])
def test_an_entry_of_others_at_the_end_of_a_page_hides_nothing(
    recording: ArautoServer, valkey: RedisServer, log: OwnLog, foreign: int
) -> None:
    """The first read has ten entries."""
    ms = int(log.ids[-1].split("-")[0])
    valkey.client.xadd(stream_of(b"past"), {"a": "1"}, id=f"{ms + 1}-{foreign}")
    sleep(0.002)  # the next has a later time
    log.write("a", "b", "c")
    assert return_and_see(recording, valkey, log.ids[0], "c") == [*"123456789abc"]
    valkey.client.xdel(stream_of(b"past"), log.ids[-3])
    assert return_and_see(recording, valkey, log.ids[0], "c") == [*"123456789", "log", *"bc"]


def test_a_page_of_nothing_but_entries_of_others_hides_nothing(
    recording: ArautoServer, valkey: RedisServer, log: OwnLog
) -> None:
    """Another program writes in the same millisecond, with numbers like those of the recorder."""
    ms, number = map(int, log.ids[-1].split("-"))
    for more in range(1, 30):
        valkey.client.xadd(stream_of(b"past"), {"a": "1"}, id=f"{ms}-{number + more}")
    sleep(0.002)  # the next has a later time
    log.write("a")
    assert return_and_see(recording, valkey, log.ids[9], "a") == ["a"]
    assert read_and_see(recording, "1", "a") == ["a"]
    assert read_and_see(recording, "3", "a") == ["8", "9", "a"]


def test_a_key_that_is_no_log(recording: ArautoServer, valkey: RedisServer, log: OwnLog) -> None:
    valkey.client.delete(stream_of(b"past"))
    valkey.client.set(stream_of(b"past"), "mine")
    answer = get(recording, "/channels/past/messages")
    assert answer.status == 502
    assert answer.error.startswith("Redis refuses to read the recording: WRONGTYPE")


@pytest.mark.parametrize(
    ("field", "value"), [("epoch", ""), ("ms", "x"), ("number", "-1"), ("number", "9" * 5000)]
)
def test_a_head_that_cannot_be_read_is_none(
    recording: ArautoServer, valkey: RedisServer, log: OwnLog, field: str, value: str
) -> None:
    valkey.client.hset(head_of(b"past"), field, value)
    assert read(recording, "") == []


def test_many_pages(recording: ArautoServer, valkey: RedisServer) -> None:
    OwnLog(valkey, "past.many", *map(str, range(1, 5001)))
    lines = read(recording, "since=4000", "past.many")
    assert [int(line["data"]) for line in lines] == list(range(1001, 5001))
    forget(valkey, "past.many")


def test_a_filter_finds_what_passes_and_says_how_many_were_searched(
    recording: ArautoServer, valkey: RedisServer, log: OwnLog
) -> None:
    log.write('{"level": "error", "user": "Jo\\u00e3o"}')
    log.write(b"joao \xff")
    *lines, last = read(recording, f"filter={quote('level:error joao')}")
    assert [line["data"] for line in lines] == ['{"level": "error", "user": "Jo\\u00e3o"}']
    assert last == {"searched": 12, "at": last["at"]}
    *lines, last = read(recording, "filter=channel:past&limit=5")
    assert (data(lines), last["searched"], last["more"]) == ("01234", 5, log.ids[4])
    assert data(read(recording, f"filter=-3&since={last['more']}&until={log.ids[7]}")[:-1]) == "567"
    valkey.client.xdel(stream_of(b"past"), log.ids[6])
    gap, *lines, last = read(recording, f"filter=7&since={log.ids[4]}")
    assert (gap["reason"], data(lines), last["searched"]) == ("log", "7", 6)


@pytest.mark.parametrize(
    ("filter", "sentence"),
    [
        (
            "/disk.*/",
            "A regular expression is searched for by the page, in the browser: leave out /disk.*/ here.",
        ),
        ("ms>3s", "3s is no number: write one, such as ms>3000."),
        ("level>=error", "Write severity>=error for a severity."),
        ("severity:awful", "awful is not a severity: choose from debug, info, warning, error, critical."),
        ("a" * 501, "A filter may have 20 terms and 500 characters: write a shorter one."),
        ("(" * 101, "The filter has too many brackets: write it with fewer."),
        ("a:*" + "b" * 65 + "*", "Between two * there can be at most 64 characters."),
    ],
)
def test_a_filter_that_cannot_be_searched_for(recording: ArautoServer, filter: str, sentence: str) -> None:
    answer = get(recording, f"/channels/past/messages?filter={quote(filter, safe='')}")
    assert (answer.status, answer.error) == (400, sentence)
