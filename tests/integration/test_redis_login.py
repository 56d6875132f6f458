"""Users of Redis's ACL log in, and Redis decides on their permissions."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest
from websockets.exceptions import ConnectionClosed

from arauto.redis_io.connection import RedisLink
from arauto.redis_io.expiring_store import RedisStore, StoreUnavailable
from arauto.settings import WORKERS
from tests.support.http import get
from tests.support.persons import Person
from tests.support.redis_servers import RedisServer, binaries, free_port
from tests.support.rules import PERSON, PROGRAM, as_program, rules, set_user
from tests.support.servers import GUNICORN, ArautoServer, Start
from tests.support.starts import run, sentence_of
from tests.support.tabs import Tab, open_tab
from tests.support.waiting import eventually

ANA, BIA = "ana's long password", "bia's long password"
WRONG = b"Wrong user or password."

USER = rules(PERSON, channels=())

# Users are checked more often than every 10 seconds; a throttled login waits longer than a test takes.
HURRY = """
import arauto.auth.login_throttle, arauto.auth.session_monitor
arauto.auth.session_monitor.ROUND, arauto.auth.session_monitor.AUTH_ROUND = 0.5, 1.0
arauto.auth.login_throttle.FIRST_WAIT = 60.0
"""


@pytest.fixture(scope="module", params=WORKERS)
def stage(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[RedisServer, ArautoServer]]:
    """The program on each worker, each with one of the two Redis servers, with the smallest ACL rules."""
    directory = tmp_path_factory.mktemp("redis_login")
    binary = list(binaries().values())[0 if request.param == "gevent" else -1]
    with closing(RedisServer(binary, directory)) as redis_server:
        as_program(redis_server, PROGRAM, channels=())
        server = ArautoServer(
            directory / "log",
            REDIS_URL=redis_server.url, ARAUTO_LOGIN="redis", ARAUTO_RECORDING="off",
            ARAUTO_WORKER=request.param, ARAUTO_PROXIES="127.0.0.0/8", ALTER=HURRY,
        )  # fmt: skip
        with closing(server):
            yield redis_server, server
        for secret in (ANA, BIA, "Traceback"):
            assert secret not in server.log


@pytest.fixture
def redis_server(stage: tuple[RedisServer, ArautoServer]) -> RedisServer:
    stage[0].client.flushall()
    set_user(stage[0], "ana", ANA, *USER, "&news.*", "&alerts")
    set_user(stage[0], "bia", BIA, *USER, "&*")
    return stage[0]


@pytest.fixture
def server(stage: tuple[RedisServer, ArautoServer], redis_server: RedisServer) -> ArautoServer:
    return stage[1]


@pytest.fixture
def ana(server: ArautoServer) -> Person:
    person = Person(server)
    assert person.log_in(ANA, user="ana").status == 303
    return person


@pytest.fixture
def bia(server: ArautoServer) -> Person:
    person = Person(server)
    assert person.log_in(BIA, user="bia").status == 303
    return person


def test_a_session_receives_and_publishes_as_its_own_user(
    server: ArautoServer, redis_server: RedisServer, ana: Person
) -> None:
    with open_tab(server, "alerts", patterns=("news.*",), **ana.socket_headers()) as tab:
        listening = redis_server.client.client_list(_type="pubsub")
        assert {client["user"] for client in listening} == {"ana"}
        answer = ana.publish("news.world", "x")
        assert answer.json == {"channel": "news.world", "receivers": 1, "tabs": 1}
        assert tab.messages(1) == ["x"]
    eventually(lambda: redis_server.subscribers() == 0)


def test_what_redis_refuses_is_reported_for_each_name_and_the_rest_goes_on(
    server: ArautoServer, redis_server: RedisServer, ana: Person
) -> None:
    with open_tab(server, "alerts", **ana.socket_headers()) as tab:
        tab.say(subscribe=["secret", "news.x"], psubscribe=["n*"], ssubscribe=["news.y"])
        events = {
            event.get("channel") or event.get("shard") or event["pattern"]: event for event in tab.take(4)
        }
        assert events["news.y"]["error"] == "Redis does not let the user ana listen to news.y."
        assert events["secret"]["error"] == "Redis does not let the user ana listen to secret."
        assert events["n*"]["error"] == "Redis does not let the user ana listen to n*."
        assert events["news.x"]["type"] == "subscribe"
        assert redis_server.client.publish("alerts", "still received") == 1
        assert tab.messages(1) == ["still received"]


def test_a_refused_publication_names_the_channel_and_the_user(ana: Person) -> None:
    refused = ana.publish("secret", "x")
    assert refused.status == 403
    assert refused.error == "Redis does not let the user ana publish to secret. Nothing was published."


def test_the_log_says_who_did_what_and_never_what_was_said(ana: Person) -> None:
    ana.publish("alerts", "not for the log")
    ana.publish("secret", "not for the log")
    ana.log_out()
    for line in (
        "login user='ana' way=redis address=127.0.0.1",
        "published channel='alerts' bytes=15 user='ana' way=redis address=127.0.0.1",
        "publish refused channel='secret' bytes=15 user='ana' way=redis address=127.0.0.1",
        "logout user='ana' way=redis address=127.0.0.1",
    ):
        assert f"{line}\n" in ana.server.log
    assert "not for the log" not in ana.server.log


def test_a_user_who_may_not_publish_only_watches(
    server: ArautoServer, redis_server: RedisServer, ana: Person
) -> None:
    redis_server.client.execute_command("ACL", "SETUSER", "ana", "-publish")
    assert ana.publish("alerts", "x").status == 403
    with open_tab(server, "alerts", **ana.socket_headers()):
        pass


def test_a_right_that_is_taken_away_is_reported_within_seconds(
    server: ArautoServer, redis_server: RedisServer, ana: Person
) -> None:
    with open_tab(server, "alerts", "news.x", **ana.socket_headers()) as tab:
        redis_server.client.execute_command("ACL", "SETUSER", "ana", "resetchannels", "&news.*")
        refused = tab.until("refused")[-1]
        assert (refused["channel"], refused["error"]) == (
            "alerts", "Redis does not let the user ana listen to alerts.",
        )  # fmt: skip
        eventually(lambda: redis_server.client.publish("news.x", "still received") == 1)
        assert tab.until("message")[-1]["data"] == "still received"


def expect_sent_away(tab: Tab, user: str) -> None:
    """The server closes the socket with a sentence."""
    with pytest.raises(ConnectionClosed) as closed:
        tab.until("an event that never comes")
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1008
    assert closed.value.rcvd.reason == (
        f"Your session is over, or Redis no longer lets {user} in: log in again."
    )


def test_a_user_who_is_shut_out_is_sent_away(
    server: ArautoServer, redis_server: RedisServer, bia: Person
) -> None:
    """The user is deleted, gets another password, or is turned off; a second window is closed, too."""
    commands = {
        "cleo": ("DELUSER", "cleo"),
        "dora": ("SETUSER", "dora", "resetpass", ">another"),
        "eva": ("SETUSER", "eva", "off"),
    }
    with ExitStack() as stack:
        persons, windows, tabs = {}, {}, {}
        other = stack.enter_context(open_tab(server, "alerts", **bia.socket_headers()))
        for name in commands:
            set_user(redis_server, name, ANA, *USER, "&alerts")
            person, window = persons[name], windows[name] = Person(server), Person(server)
            for somebody in (person, window):
                assert somebody.log_in(ANA, user=name).status == 303
            tabs[name] = stack.enter_context(open_tab(server, "alerts", **person.socket_headers()))
        for name, command in commands.items():
            redis_server.client.execute_command("ACL", *command)
            refused = windows[name].publish("alerts", "x")
            assert refused.status == 403
            assert refused.error == f"Redis no longer lets the user {name} in: log in again."
        for name, tab in tabs.items():
            expect_sent_away(tab, name)
            assert not persons[name].is_in()
        assert bia.publish("alerts", "for the others").status == 200
        assert other.messages(1) == ["for the others"]
    redis_server.client.execute_command("ACL", "DELUSER", "dora", "eva")


def test_who_there_is_cannot_be_found_out(server: ArautoServer) -> None:
    """Existing and unknown users get the same response."""
    answers = [Person(server).log_in("wrong", user=user) for user in ("ana", "nobody", "default", "arauto")]
    assert {answer.status for answer in answers} == {401}
    assert all(WRONG in answer.body for answer in answers)


def test_a_user_without_a_password_is_nobody(server: ArautoServer, redis_server: RedisServer) -> None:
    """Redis takes any password for such a user, and the user ``default`` often is one."""
    redis_server.client.execute_command("ACL SETUSER open on nopass allchannels +@all")
    for user in ("open", "default"):
        assert WRONG in Person(server).log_in("anything", user=user).body
    assert "user without password user='open'" in server.log


def test_one_user_is_guessed_at_from_many_addresses_and_the_others_come_in(
    server: ArautoServer, redis_server: RedisServer
) -> None:
    for n in range(6):
        guesser = Person(server, X_Forwarded_For=f"203.0.113.{n}")
        assert guesser.log_in(f"guess {n}", user="ana").status == 401
    elsewhere = Person(server, X_Forwarded_For="203.0.113.9")
    assert elsewhere.log_in(ANA, user="ana").status == 429
    assert elsewhere.log_in(BIA, user="bia").status == 303


@pytest.mark.parametrize("user", ["a b", "ana\r\nPING", "ana\x00", "*", "é", "'", "<script>", "x" * 2000])
def test_odd_names_are_nobody(server: ArautoServer, user: str) -> None:
    answer = Person(server).log_in("x", user=user)
    assert answer.status == 401
    assert b"<script>" not in answer.body.replace(b'<script type="module"', b"")


@pytest.mark.parametrize(
    "given", [{}, {"ARAUTO_WORKERS": "1", "ARAUTO_TOKENS": "redis"}], ids=["sessions", "tokens"]
)
def test_a_redis_that_lets_us_store_nothing_is_reported_at_start(
    own_redis: RedisServer, given: dict[str, str]
) -> None:
    set_user(own_redis, "small", "x", *rules(PROGRAM), "resetkeys")
    url = own_redis.url.replace("//", "//small:x@")
    stopped = run(GUNICORN, REDIS_URL=url, PORT=str(free_port()), ARAUTO_LOGIN="redis", **given)
    assert sentence_of(stopped).startswith("Redis does not let us keep sessions and tokens (")
    assert sentence_of(stopped).endswith("or set ARAUTO_WORKERS=1 and no ARAUTO_TOKENS=redis.")


def test_nothing_is_kept_that_would_not_expire(own_redis: RedisServer) -> None:
    """As if the program or Redis had ended between a command and its EXPIRE."""
    set_user(own_redis, "small", "x", *rules(PROGRAM))
    with closing(RedisLink(own_redis.url.replace("//", "//small:x@"))) as link:
        store = RedisStore(link)
        changes: list[Callable[[], object]] = [
            lambda: store.increment("n", 60),
            lambda: store.decrement("n", 60),
            lambda: store.add("s", "a", 60),
        ]
        for change in changes:
            change()
        assert all(0 < own_redis.client.ttl(name) <= 61 for name in own_redis.client.keys("*"))
        own_redis.client.flushall()
        own_redis.client.execute_command("ACL", "SETUSER", "small", "-expire")
        for change in changes:
            with pytest.raises(StoreUnavailable):
                change()
        assert own_redis.client.keys() == []


def test_one_process_keeps_sessions_itself(start: Start, own_redis: RedisServer) -> None:
    set_user(own_redis, "small", "x", *rules(PROGRAM), "resetkeys")
    set_user(own_redis, "ana", ANA, *USER, "&*")
    url = own_redis.url.replace("//", "//small:x@")
    person = Person(start(REDIS_URL=url, ARAUTO_LOGIN="redis", ARAUTO_WORKERS="1"))
    assert person.log_in(ANA, user="ana").status == 303
    assert person.publish("a", "x").status == 200
    assert own_redis.client.keys("*") == []
    person.log_out()
    assert not person.is_in()


def test_the_page_says_who_one_is(ana: Person) -> None:
    assert 'aria-label="Account: ana"' in ana.get().body.decode()
    assert "<bdi>ana</bdi>" in ana.get("/account").body.decode()
    assert get(ana.server, "/account").status == 401
