"""Login, permissions and the end of a session, as a person sees them."""

import re
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from arauto.auth.api_tokens import Tokens
from arauto.web.locale import LANGUAGES
from tests.browser.conftest import OpenPage
from tests.browser.test_memory import choose, more
from tests.support.accessibility import expect_no_violation
from tests.support.nginx import Nginx
from tests.support.pages import (
    answer,
    chip,
    cut_off,
    expect_confirmed,
    expect_live,
    expect_state,
    expect_texts,
    log,
    message_field,
    notices,
    overflowing,
    publish,
    publish_button,
    rows,
    status,
    view,
)
from tests.support.redis_servers import RedisServer
from tests.support.rules import ACTS, PERSON, PROGRAM, RECORDS, refused, rules, set_user
from tests.support.servers import ArautoServer

TOKEN = "a shared token of twenty-six"
READ_TOKEN = "a token for those who read"
PASSWORD = "ana's long password"
EVIL = '"><img/src=x/onerror=alert(1)>'
DEFAULT = ("sistema_alertas", "noticias")  # the page's default channels
SCREENS = [(360, 740), (390, 844), (1280, 800)]
EXPECTED = ("WebSocket connection to", "status of 403", "CORS policy", "net::ERR_", "frame")
REFUSED = ("status of 401", "WebSocket connection to")


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("door")


@pytest.fixture(scope="module")
def door(valkey: RedisServer, directory: Path) -> Iterator[ArautoServer]:
    set_user(valkey, "arauto", "program", *rules(PROGRAM, ACTS, RECORDS, channels=("a", *DEFAULT)))
    for user in ("ana", EVIL):
        set_user(valkey, user, PASSWORD, *rules(PERSON, channels=("a",)))
    valkey.client.execute_command("ACL", "LOG", "RESET")
    server = ArautoServer(
        directory / "log",
        REDIS_URL=valkey.url.replace("//", "//arauto:program@"),
        ARAUTO_TOKEN=TOKEN, ARAUTO_READ_TOKEN=READ_TOKEN, ARAUTO_LOGIN="redis",
        ARAUTO_TOKENS=str(directory / "tokens"),
    )  # fmt: skip
    yield server
    server.close()
    assert refused(valkey) == []
    valkey.client.execute_command("ACL", "DELUSER", "ana", EVIL, "arauto")
    assert "Traceback" not in server.log


@pytest.fixture(autouse=True)
def nothing_is_remembered(valkey: RedisServer) -> None:
    valkey.client.flushall()


def enter(page: Page, token: str) -> None:
    page.get_by_label("Access token").fill(token)
    page.keyboard.press("Enter")


def test_the_token_leads_to_the_view_that_was_asked_for(open_page: OpenPage, door: ArautoServer) -> None:
    page = open_page(view("a"), server=door, allow=("status of 401",))
    expect(page).to_have_title("Log in · Arauto")
    expect(page.get_by_label("Access token")).to_be_focused()
    page.keyboard.type("not the token")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("Wrong token.")
    enter(page, TOKEN)
    expect_live(page)
    expect(page).to_have_url(f"{door.url}{view('a')}")
    publish(page, "a", "as somebody who has logged in")
    expect_texts(page, ["as somebody who has logged in"])
    page.get_by_role("link", name="Account: Shared token").click()
    page.get_by_role("button", name="Log out", exact=True).click()
    expect(page).to_have_title("Log in · Arauto")


def test_a_view_too_long_for_an_address_waits_behind_the_door(
    open_page: OpenPage, door: ArautoServer
) -> None:
    page = open_page(f"/#?channel=a&filter={'x' * 2_500}", server=door)
    expect(page).to_have_title("Log in · Arauto")
    enter(page, TOKEN)
    expect_live(page)
    expect_confirmed(page, "a")
    expect(page.locator(".filter__text")).to_have_value("x" * 2_500)


@pytest.mark.parametrize("around", ["{}", "%20{}%0A", "{}%EF%BB%BF"])
def test_a_link_with_the_token_logs_in_by_itself(
    open_page: OpenPage, door: ArautoServer, around: str
) -> None:
    page = open_page("/login#" + around.format(TOKEN.replace(" ", "%20")), server=door)
    expect_live(page)
    page.go_back()
    assert TOKEN[:8] not in page.evaluate("location.href")


def test_a_link_with_a_percent_sign_is_reported_as_wrong(open_page: OpenPage, door: ArautoServer) -> None:
    page = open_page("/login#100%", server=door, allow=REFUSED)
    expect(page.get_by_role("alert")).to_have_text("Wrong token.")


def test_an_open_page_shows_that_its_session_is_over(open_page: OpenPage, door: ArautoServer) -> None:
    page = open_page(view("a"), server=door, allow=REFUSED)
    enter(page, TOKEN)
    expect_live(page)
    publish(page, "a", "seen before")
    expect_texts(page, ["seen before"])
    other = open_page("/account", server=door)
    other.get_by_role("button", name="Log out everywhere").click()
    expect(other).to_have_title("Log in · Arauto")
    expect(status(page)).to_contain_text("Refused: Your session is over: log in again.")
    expect_texts(page, ["seen before"])
    expect(log(page).get_by_role("listitem").last).to_contain_text("No connection to the server since")
    expect(notices(page)).to_have_count(1)
    expect(answer(page)).to_have_text("Your session is over: log in again.")
    expect(publish_button(page)).to_be_disabled()
    message_field(page).fill("too late")
    page.keyboard.press("Control+Enter")
    expect(answer(page)).to_contain_text("You are not logged in: log in")
    page.get_by_label("Filter").fill("sometime")
    page.get_by_role("link", name="Log in").click()
    enter(page, TOKEN)
    expect_live(page)
    expect(message_field(page)).to_have_value("too late")
    expect(page.get_by_label("Filter")).to_have_value("sometime")


def test_a_reader_has_no_form(open_page: OpenPage, door: ArautoServer, valkey: RedisServer) -> None:
    page = open_page(view("a"), server=door)
    enter(page, READ_TOKEN)
    expect_live(page)
    expect(page.get_by_text("You may watch, but not publish.")).to_be_visible()
    expect(page.get_by_text("with the form")).to_be_hidden()
    expect(page.get_by_role("region", name="Publish a message")).to_be_hidden()
    expect(more(page, "a is live only")).to_have_count(0)
    messages = page.get_by_role("region", name="Messages").bounding_box()
    assert messages is not None
    assert messages["width"] > 1_000  # the full width without the rail
    page.set_viewport_size({"width": 390, "height": 844})
    parts = page.get_by_role("navigation", name="Parts of the page").get_by_role("button")
    expect(parts).to_have_text(["Feed", "Channels"])
    page.keyboard.press("p")
    expect(parts.first).to_have_attribute("aria-pressed", "true")
    page.set_viewport_size({"width": 1280, "height": 800})
    valkey.client.publish("a", "from elsewhere")
    expect_texts(page, ["from elsewhere"])
    rows(page).get_by_role("button", name="Actions").click()
    for item in ("Copy as curl", "Edit and resend"):
        expect(page.get_by_role("menuitem", name=item)).to_be_hidden()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(keys).to_contain_text("copy the row")
    expect(keys).not_to_contain_text("write a message")
    keys.get_by_role("button", name="Close").click()
    expect(page.get_by_text("Try it")).to_have_count(0)
    for width, height in SCREENS:
        page.set_viewport_size({"width": width, "height": height})
        assert overflowing(page) == []
    expect_no_violation(page, "a reader")


def test_who_may_publish_may_record(open_page: OpenPage, door: ArautoServer) -> None:
    page = open_page(view("a"), server=door)
    enter(page, TOKEN)
    choose(page, "a is live only", "Record from now on")
    choose(page, "a is recorded", "Stop recording")
    expect(more(page, "a is live only")).to_be_visible()


@pytest.mark.parametrize("user", ["ana", EVIL])
def test_a_user_of_redis_sees_what_redis_refuses(open_page: OpenPage, door: ArautoServer, user: str) -> None:
    page = open_page(view("a", "secret"), server=door, allow=("status of 403",))
    page.get_by_label("Redis user").fill(user)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect_state(page, "live")
    expect(chip(page, "secret").locator(".chip__problem")).to_have_text(
        f"Refused by Redis: Redis does not let the user {user} listen to secret."
    )
    publish(page, "secret", "x")
    expect(answer(page)).to_contain_text(f"Redis does not let the user {user} publish to secret.")
    page.get_by_role("link", name=f"Account: {user}").click()
    expect(page.get_by_role("heading", name=user)).to_be_visible()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pages_of_the_door_are_for_everyone(
    open_page: OpenPage, door: ArautoServer, language: str
) -> None:
    page = open_page("/login", server=door, language=language, allow=("status of 401",))

    def look(state: str) -> None:
        expect(page.locator("html")).to_have_attribute("lang", language)
        for width, height in SCREENS:
            page.set_viewport_size({"width": width, "height": height})
            assert overflowing(page) + cut_off(page) == [], (state, width)
        expect_no_violation(page, state)

    look("log in")
    page.locator("#user").fill("<b>nobody</b>" + "x" * 300)
    page.locator("#password").fill("x")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).not_to_be_empty()
    look("refused")
    page.locator("#token").fill(TOKEN)
    page.keyboard.press("Enter")
    expect_live(page)
    page.goto(f"{door.url}/account")
    look("account")


def test_a_token_is_made_and_revoked_by_keyboard(open_page: OpenPage, door: ArautoServer) -> None:
    page = open_page("/login?next=/account", server=door, allow=("status of 409",))
    enter(page, TOKEN)
    page.get_by_role("link", name="Tokens for programs").press("Enter")
    page.get_by_label("Name").fill("backup")
    page.get_by_label("Channels that it may publish to").fill("jobs.*")
    page.keyboard.press("Enter")
    token = page.get_by_role("region", name="The token of backup").get_by_role("code")
    expect(token).to_have_text(re.compile("arauto_.{43}"))
    expect(token).to_have_attribute("translate", "no")  # a browser that translates would alter it
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy").press("Enter")
    expect(page.get_by_role("button", name="Copied")).to_be_focused()
    assert page.evaluate("navigator.clipboard.readText()") == token.text_content()
    page.get_by_label("Name").fill("backup")
    page.get_by_label("Channels that it may subscribe to").fill("a")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text(re.compile("There is a token of this name"))
    expect(page.get_by_label("Name")).to_be_focused()
    expect(page.get_by_label("Channels that it may subscribe to")).to_have_value("a")
    page.locator("summary").press("Enter")
    page.get_by_role("button", name="Revoke permanently").press("Enter")
    expect(page.get_by_text("There is none yet.")).to_be_visible()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_tokens_page_is_for_everyone(
    open_page: OpenPage, door: ArautoServer, language: str, directory: Path
) -> None:
    tokens = Tokens(str(directory / "tokens"))
    tokens.create(EVIL + "x" * 100, [EVIL, "news.*"], ["*"], 1.0)
    page = open_page("/login?next=/tokens", server=door, language=language, allow=("status of 400",))
    page.locator("#token").fill(TOKEN)
    page.keyboard.press("Enter")
    for state in ("listed", "refused", "made"):
        page.locator("#name").fill("<b>" + "y" * 60)
        if state == "made":
            page.locator("#reads").fill("news.*")
        if state != "listed":
            page.locator("#name").press("Enter")
            expect(page.get_by_role("status" if state == "made" else "alert")).not_to_be_empty()
        page.locator("summary").first.click()
        for width, height in SCREENS:
            page.set_viewport_size({"width": width, "height": height})
            assert overflowing(page) + cut_off(page) == [], (state, width)
        expect_no_violation(page, state)
    for token in tokens.list():
        tokens.revoke(token.name)


def test_a_page_of_another_origin_gets_nothing_by_our_cookie(
    open_page: OpenPage, door: ArautoServer, valkey: RedisServer
) -> None:
    """For cookies, another port of the host is the same site, so the cookie is sent."""
    page = open_page(view("a"), server=door)
    enter(page, TOKEN)
    expect_live(page)
    with another_site() as url:
        evil = open_page("", server=url, allow=EXPECTED)
        attempts = evil.evaluate(
            """async ([http, ws]) => {
              const body = new URLSearchParams({ channel: "a", message: "from an evil page" });
              const mine = { credentials: "include" };
              const post = { method: "POST", mode: "no-cors", body, ...mine };
              const answer = await fetch(`${http}/publish`, post);
              const socket = new WebSocket(`${ws}/feed?channel=a`);
              const opened = await new Promise((resolve) => {
                socket.onopen = () => resolve("open");
                socket.onclose = () => resolve("closed");
              });
              const read = await fetch(`${http}/channels`, mine).then(() => "read", () => "unread");
              return [answer.type, opened, read];
            }""",
            [door.url, door.ws],
        )
        assert attempts == ["opaque", "closed", "unread"]
        frame = evil.evaluate(
            """async (http) => {
              const frame = document.createElement("iframe");
              frame.src = http;
              const loaded = new Promise((resolve) => (frame.onload = resolve));
              document.body.append(frame);
              await loaded;
              try { return frame.contentDocument?.title ?? "nothing"; } catch { return "nothing"; }
            }""",
            door.url,
        )
        assert frame == "nothing"
    valkey.client.publish("a", "the first that came")
    expect_texts(page, ["the first that came"])


@contextmanager
def another_site() -> Iterator[object]:
    """An empty page at another port."""

    class Empty(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>evil</title><link rel=icon href=data:,>")

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Empty) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield type("Site", (), {"url": f"http://127.0.0.1:{server.server_port}"})
        server.shutdown()
        thread.join()


def test_behind_nginx_with_tls_below_the_top(
    open_page: OpenPage, valkey: RedisServer, tmp_path: Path
) -> None:
    nginx = Nginx(tmp_path, REDIS_URL=valkey.url, ARAUTO_TOKEN=TOKEN)
    with closing(nginx):
        page = open_page(nginx.prefix + view("a"), server=nginx, ignore_https_errors=True)
        enter(page, TOKEN)
        expect_live(page)
        expect(page).to_have_url(f"{nginx.url}{nginx.prefix}{view('a')}")
        publish(page, "a", "by TLS")
        expect_texts(page, ["by TLS"])
        assert {cookie["secure"] for cookie in page.context.cookies()} == {True}
        assert {cookie["path"] for cookie in page.context.cookies()} == {nginx.prefix}
        page.get_by_role("link", name="Account").click()
        page.get_by_role("button", name="Log out", exact=True).click()
        expect(page).to_have_title("Log in · Arauto")
        page.close()
