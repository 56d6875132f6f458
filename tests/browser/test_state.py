"""The connection status is true: live only once Redis has confirmed; and every break leaves one gap row."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Event
from urllib.parse import urljoin
from zoneinfo import ZoneInfo

import psutil
import pytest
from playwright.sync_api import CDPSession, Page, Route, expect
from websockets.sync.client import connect

from tests.browser.conftest import OpenPage
from tests.support.pages import (
    SERVER_AWAY,
    STATUS_503,
    TIME_ZONE,
    expect_confirmed,
    expect_live,
    expect_state,
    expect_texts,
    let_draw,
    notices,
    standings,
    states,
    status,
    stop_clock,
    subscribe,
    unsubscribe,
    view,
)
from tests.support.redis_servers import RedisServer
from tests.support.servers import ArautoServer, Start
from tests.support.waiting import eventually

UNDER_WAY = timedelta(seconds=3)  # a gap begins earlier than the break: messages may have been on their way


def clock(ago: timedelta = timedelta()) -> str:
    """The time as the page shows it, to the second."""
    return f"{datetime.now(ZoneInfo(TIME_ZONE)) - ago:%H:%M:%S}"


def seconds_between(earlier: str, later: str) -> int:
    """The seconds between two times of the page, also across midnight, if each has its date."""
    then, now = (
        datetime.strptime(time.split(", ")[-1].split(".")[0], "%H:%M:%S") for time in (earlier, later)
    )
    return (now - then).seconds


def expect_order(*moments: str) -> None:
    since = [seconds_between(moments[0], moment) for moment in moments]
    assert since == sorted(since), moments


def expect_one_gap(page: Page, whom: str, after: str) -> None:
    """Expect one gap row about ``whom``, with its start and end between ``after`` and now."""
    expect(notices(page)).to_have_count(1)
    time = r"((?:\w+ \d+, )?[\d:.]+)"
    since = rf"(?: Published since {time}\.)?"
    sentence = rf"No connection to {whom} from {time} to {time}: messages may be missing\.{since}"
    expect(notices(page)).to_have_text(re.compile(sentence))
    found = re.fullmatch(sentence, notices(page).text_content() or "")
    assert found is not None
    expect_order(after, found[3] or found[1], found[1], found[2], clock())


def test_the_page_is_live_only_when_redis_has_confirmed(
    open_page: OpenPage, own_redis: RedisServer, start: Start
) -> None:
    server = start(REDIS_URL=own_redis.url, ARAUTO_WORKERS="1")
    own_redis.freeze()
    try:
        page = open_page(view("a"), server=server, allow=STATUS_503)
        eventually(lambda: "feed opened channel='a'" in server.log)
        let_draw(page)
        expect(status(page)).to_have_text("Connecting")
        expect(page.get_by_role("heading", name="Not listening now")).to_be_visible()
        expect(page.get_by_text("Redis Pub/Sub keeps nothing")).to_be_hidden()
    finally:
        own_redis.thaw()
    expect_live(page)
    assert states(page) == ["connecting", "live"]
    expect(page.get_by_role("heading", name="Listening from now on")).to_be_visible()
    own_redis.client.publish("a", "received")
    expect_texts(page, ["received"])
    expect(notices(page)).to_have_count(0)


def test_a_restart_of_redis_is_reported_and_leaves_one_gap(
    open_page: OpenPage, own_redis: RedisServer, start: Start
) -> None:
    server = start(REDIS_URL=own_redis.url, ARAUTO_WORKERS="1")
    page = open_page(view("a", "b"), server=server, allow=STATUS_503)
    expect_live(page)
    began = clock(UNDER_WAY)
    own_redis.client.publish("a", "before")
    expect_texts(page, ["before"])
    own_redis.stop()
    expect_state(page, "reconnecting")
    expect(status(page)).to_contain_text("The server is reconnecting to Redis, lost since")
    expect(status(page)).to_contain_text("Connection refused")
    expect(status(page)).not_to_contain_text("Errno")
    own_redis.start()
    expect_live(page)
    expect_one_gap(page, "Redis", began)
    own_redis.client.publish("a", "after")
    expect_texts(page, ["before", "after"])
    assert states(page) == ["connecting", "live", "reconnecting", "live"]


def test_a_restart_of_the_server_is_reported_and_leaves_one_gap(
    open_page: OpenPage, own_redis: RedisServer, start: Start
) -> None:
    server = start(REDIS_URL=own_redis.url)
    page = open_page(view("a"), server=server, allow=[*SERVER_AWAY, *STATUS_503])
    expect_live(page)
    began = clock(UNDER_WAY)
    own_redis.client.publish("a", "before")
    expect_texts(page, ["before"])
    assert server.stop() == 0
    expect_state(page, "reconnecting")
    expect(status(page)).to_contain_text("Reconnecting to the server, lost since")
    start(REDIS_URL=own_redis.url, PORT=str(server.port))
    expect_live(page)
    expect_one_gap(page, "the server", began)
    own_redis.client.publish("a", "after")
    expect_texts(page, ["before", "after"])
    reasons = [text for state, text in standings(page) if state == "reconnecting"]
    assert any(text.endswith("The server is restarting.") for text in reasons), reasons
    assert set(states(page)) == {"connecting", "live", "reconnecting"}


def test_a_full_server_says_so_and_lets_in_when_there_is_room(
    open_page: OpenPage, own_redis: RedisServer, start: Start
) -> None:
    server = start(REDIS_URL=own_redis.url, ARAUTO_MAX_SOCKETS="1")
    first = open_page(view("a"), server=server)
    expect_live(first)
    second = open_page(view("a"), server=server, allow=STATUS_503)
    expect(status(second)).to_contain_text("Too many pages are open:")
    expect_live(first)
    first.close()
    expect(status(second)).to_have_text("Live")
    expect(notices(second)).to_have_count(0)


def test_to_ask_why_when_all_is_well_again_is_no_error(open_page: OpenPage) -> None:
    """Between the refusal and the request for the reason, a tab may have left or the server be back."""
    page = open_page()
    why = """async () => {
      const { whyNot } = await import("./static/js/stream/backoff.js");
      return whyNot("./feed?channel=a", new AbortController().signal);
    }"""
    assert page.evaluate(why) == {"answers": True, "refused": False, "reason": "", "status": 204}


def test_a_server_that_falls_silent_is_given_up_after_45_seconds(
    open_page: OpenPage, own_redis: RedisServer, start: Start
) -> None:
    server = start(REDIS_URL=own_redis.url)
    page = open_page(view("a"), server=server, own_clock=True, allow=SERVER_AWAY)
    expect_live(page)
    with suspended(server):
        page.clock.fast_forward(35_000)  # plus the time since the last heartbeat
        expect_live(page)
        page.clock.fast_forward(15_000)
        expect_state(page, "reconnecting")
        expect(status(page)).to_contain_text("Reconnecting to the server, lost since")
    page.clock.fast_forward(1_000)
    expect_live(page)
    expect(notices(page)).to_have_count(1)
    expect(notices(page)).to_contain_text("No connection to the server from")


@contextmanager
def suspended(server: ArautoServer) -> Iterator[None]:
    """The workers hang within the block: sockets stay open, and nothing comes."""
    workers: list[psutil.Process] = server.workers()
    for worker in workers:
        worker.suspend()
    try:
        yield
    finally:
        for worker in workers:
            worker.resume()


def test_a_page_knows_how_often_the_server_says_that_it_lives(
    open_page: OpenPage, own_redis: RedisServer, start: Start
) -> None:
    server = start(REDIS_URL=own_redis.url, ARAUTO_HEARTBEAT="3")
    page = open_page(view("a"), server=server, own_clock=True, allow=SERVER_AWAY)
    expect_live(page)
    with suspended(server):
        page.clock.fast_forward(20_000)
        expect_live(page)
        page.clock.fast_forward(13_000)
        expect_state(page, "reconnecting")


def test_a_page_that_wakes_reconnects_at_once(
    open_page: OpenPage, own_redis: RedisServer, start: Start
) -> None:
    server = start(REDIS_URL=own_redis.url, ARAUTO_WORKERS="1")
    page = open_page(view("a"), server=server, own_clock=True, allow=SERVER_AWAY)
    expect_live(page)
    stop_clock(page)  # from here on no timer tries again
    lose(page, server)
    page.context.set_offline(True)
    page.context.set_offline(False)
    expect_live(page)
    lose(page, server)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect_live(page)


def test_coming_back_again_and_again_is_one_attempt(
    open_page: OpenPage, own_redis: RedisServer, start: Start
) -> None:
    server = start(REDIS_URL=own_redis.url, ARAUTO_WORKERS="1")
    page = open_page(view("a"), server=server, own_clock=True, allow=SERVER_AWAY)
    expect_live(page)
    stop_clock(page)
    lose(page, server)
    attempts = page.evaluate(
        """() => {
          const Given = WebSocket;
          let attempts = 0;
          window.WebSocket = class extends Given {
            constructor(url) { super(url); attempts += 1; }
          };
          for (let n = 0; n < 20; n++) {
            document.dispatchEvent(new Event("visibilitychange"));
            dispatchEvent(new Event("online"));
          }
          return attempts;
        }"""
    )
    assert attempts == 1


def test_pages_come_back_spread_over_the_whole_wait(open_page: OpenPage) -> None:
    page = open_page()
    tenths = page.evaluate(
        """async () => {
          const { retryDelay } = await import("./static/js/stream/backoff.js");
          const spread = (attempt, longest) => {
            const tenths = Array(10).fill(0);
            for (let n = 0; n < 10_000; n++) tenths[Math.floor(10 * retryDelay(attempt) / longest)] += 1;
            return tenths;
          };
          return [spread(0, 500), spread(3, 4_000), spread(20, 20_000)];
        }"""
    )
    assert all(len(spread) == 10 and min(spread) > 700 for spread in tenths), tenths


def test_a_page_that_was_frozen_shows_what_it_may_have_missed(
    open_page: OpenPage, own_redis: RedisServer, start: Start
) -> None:
    """The browser queues heartbeats for a frozen page; they do not show the present state."""
    server = start(REDIS_URL=own_redis.url, ARAUTO_WORKERS="1", ARAUTO_HEARTBEAT="1")
    page = open_page(view("silent"), server=server, allow=SERVER_AWAY)
    expect_live(page)
    browser = page.context.new_cdp_session(page)
    with frozen(browser):
        with connect(f"{server.ws}/feed?channel=silent") as other:
            while "heartbeat" not in other.recv(10) or "heartbeat" not in other.recv(10):
                pass  # the page was sent as many heartbeats
        (worker,) = server.workers()
        worker.kill()
        eventually(lambda: own_redis.subscribers() == 0)
        own_redis.client.publish("silent", "lost")
        lost = clock()
        Event().wait(2.5)  # seconds: longer than the page assumes a message to be on its way
    expect_one_gap(page, "the server", after=clock(timedelta(minutes=1)))
    begins = re.search(r"from (?:\w+ \d+, )?([\d:]+)", notices(page).text_content() or "")
    assert begins is not None
    assert seconds_between(begins[1], lost) < 60, (begins[1], lost)
    browser.detach()


@contextmanager
def frozen(browser: CDPSession) -> Iterator[None]:
    """The page is frozen within the block, as on a sleeping laptop: its timers and its events."""
    browser.send("Debugger.enable")
    browser.send("Debugger.pause")
    try:
        yield
    finally:
        browser.send("Debugger.resume")


def lose(page: Page, server: ArautoServer) -> None:
    """Kill the worker of the page's socket; a new worker starts soon."""
    for worker in server.workers():
        worker.kill()
    expect_state(page, "reconnecting")


def test_what_is_selected_while_the_server_is_away_is_received_afterwards(
    open_page: OpenPage, own_redis: RedisServer, start: Start
) -> None:
    server = start(REDIS_URL=own_redis.url, ARAUTO_WORKERS="1")
    page = open_page(view("old"), server=server, own_clock=True, allow=SERVER_AWAY)
    expect_live(page)
    stop_clock(page)
    lose(page, server)
    subscribe(page, "new")
    unsubscribe(page, "old")
    page.clock.resume()
    expect_confirmed(page, "new")
    expect_live(page)
    own_redis.client.publish("new", "received")
    assert own_redis.client.publish("old", "not for us") == 0
    expect_texts(page, ["received"])


@pytest.mark.parametrize("away", ["server", "Redis"])
def test_an_outage_in_which_the_only_channel_is_removed_is_shown(
    open_page: OpenPage, own_redis: RedisServer, start: Start, away: str
) -> None:
    server = start(REDIS_URL=own_redis.url, ARAUTO_WORKERS="1")
    page = open_page(view("only"), server=server, own_clock=True, allow=[*SERVER_AWAY, *STATUS_503])
    expect_live(page)
    if away == "server":
        stop_clock(page)
        lose(page, server)
    else:
        own_redis.stop()
        expect_state(page, "reconnecting")
    unsubscribe(page, "only")
    expect(notices(page)).to_have_text(re.compile(f"^No connection to {away}|^No connection to the {away}"))
    subscribe(page, "only")
    if away == "server":
        page.clock.resume()
    else:
        own_redis.start()
    expect_confirmed(page, "only")
    expect_live(page)
    own_redis.client.publish("only", "received")
    expect_texts(page, ["received"])
    expect(notices(page)).to_have_count(1)


def test_what_comes_before_the_page_is_ready_is_shown(open_page: OpenPage, valkey: RedisServer) -> None:
    def hold(route: Route) -> None:
        eventually(lambda: valkey.client.pubsub_numsub("early") == [(b"early", 1)], why="the socket is open")
        valkey.client.publish("early", "received already")
        route.continue_()

    page = open_page(view("before"))
    page.route("**/page/main.js", hold)
    page.goto(urljoin(page.url, view("early")))
    expect_texts(page, ["received already"])
    expect_live(page)
