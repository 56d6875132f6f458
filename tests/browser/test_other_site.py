"""Pages of other origins, in a real browser that has the session cookie of a logged-in person."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.test_login import EXPECTED, another_site
from tests.support.pages import expect_live, expect_texts, view
from tests.support.persons import Person, hidden, session_cookie
from tests.support.redis_servers import RedisServer
from tests.support.servers import ArautoServer

TOKEN = "a shared token of twenty-six"
SITES = {  # for cookies another port is the same site, another name is not
    "another port": "http://127.0.0.1:{port}",
    "another name": "http://localhost:{port}",
}
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain")
ATTEMPTS = """async ([http, ws, types]) => {
  const found = {};
  const attempt = async (name, act) => {
    try { found[name] = await act(); } catch (error) { found[name] = "refused"; }
  };
  const include = { credentials: "include" };
  const body = () => new URLSearchParams({ channel: "a", message: "evil" });
  const json = JSON.stringify({ channel: "a", message: "evil" });
  const loaded = (element, into = document.body) => new Promise((resolve) => {
    element.onload = () => resolve("loaded");
    element.onerror = () => resolve("refused");
    into.append(element);
  });
  for (const enctype of types) {
    for (const path of ["publish", "login", "logout"]) {
      await attempt(`form ${enctype} ${path}`, async () => {
        const frame = Object.assign(document.createElement("iframe"), { name: `${enctype}${path}` });
        await loaded(frame);
        const form = Object.assign(document.createElement("form"), {
          action: `${http}/${path}`, method: "post", enctype, target: frame.name,
        });
        for (const [name, value] of [["channel", "a"], ["message", "evil"], ["password", "x"]]) {
          form.append(Object.assign(document.createElement("input"), { name, value }));
        }
        document.body.append(form);
        const answered = new Promise((resolve) => (frame.onload = resolve));
        form.submit();
        await answered;
        return frame.contentDocument ? "read" : "refused";
      });
    }
  }
  const post = (mode, more) => async () =>
    (await fetch(`${http}/publish`, { method: "POST", mode, body: body(), ...include, ...more })).type;
  await attempt("fetch without CORS", post("no-cors"));
  await attempt("fetch with CORS", post("cors"));
  await attempt("fetch of JSON", post("cors", { headers: { "Content-Type": "text/json" }, body: json }));
  await attempt("fetch with a token", post("cors", { headers: { "X-CSRF-Token": "x" } }));
  await attempt("fetch by PUT", post("cors", { method: "PUT" }));
  await attempt("fetch kept alive", post("no-cors", { keepalive: true }));
  await attempt("beacon", async () => navigator.sendBeacon(`${http}/publish`, body()) && "opaque");
  await attempt("request", () => new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    Object.assign(request, { withCredentials: true, onload: resolve, onerror: reject });
    request.open("POST", `${http}/publish`);
    request.send(body());
  }));
  await attempt("reading", () => fetch(`${http}/channels`, include).then((answer) => answer.text()));
  await attempt("reading the page", () => fetch(`${http}/`, include).then((answer) => answer.text()));
  const make = (tag, more) => loaded(Object.assign(document.createElement(tag), more));
  await attempt("script", () => make("script", { src: `${http}/channels` }));
  await attempt("object", () => make("object", { data: `${http}/` }));
  await attempt("socket", () => new Promise((resolve, reject) => {
    const socket = new WebSocket(`${ws}/feed?channel=a`);
    socket.onopen = () => resolve("open");
    socket.onclose = reject;
  }));
  await attempt("socket with a protocol", () => new Promise((resolve, reject) => {
    const socket = new WebSocket(`${ws}/feed?channel=a`, ["arauto"]);
    socket.onopen = () => resolve("open");
    socket.onclose = reject;
  }));
  await attempt("events", () => new Promise((resolve, reject) => {
    const source = new EventSource(`${http}/feed?channel=a`, { withCredentials: true });
    source.onopen = () => resolve("open");
    source.onerror = () => { source.close(); reject(); };
  }));
  return found;
}"""
SEEN = {"refused", "opaque"}  # opaque: the request was sent, and the response is hidden from the page
LEADING_ELSEWHERE = (
    "//evil.example", "///evil.example", "////evil.example", "/\\evil.example", "\\/evil.example",
    "\\\\evil.example", "/\\/evil.example", "https:evil.example", "https:/evil.example",
    "https://evil.example", "HTTPS://evil.example", "http:\\\\evil.example", "/\t/evil.example",
    "/\n/evil.example", "/\r/evil.example", "\t//evil.example", " //evil.example",
    "/ /evil.example", "\x00//evil.example", "/\x00/evil.example", "/\u2028/evil.example",
    "/%2fevil.example", "%2f%2fevil.example", "/%5cevil.example", "/%09/evil.example",
    "/..//evil.example", "/.//evil.example", "/@evil.example", "@evil.example", ".evil.example",
    ":80@evil.example", "?//evil.example", "#//evil.example", "javascript:alert(1)",
    "data:text/html,x", "//evil.example@127.0.0.1", "/\u3000/evil.example", "//\u2024evil.example",
    "/\ufeff/evil.example", "ws://evil.example", "file:///etc/passwd", "/;//evil.example",
)  # fmt: skip


@pytest.fixture(scope="module")
def door(valkey: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArautoServer]:
    valkey.client.flushall()
    server = ArautoServer(
        tmp_path_factory.mktemp("other_site") / "log", REDIS_URL=valkey.url, ARAUTO_TOKEN=TOKEN
    )
    with closing(server):
        yield server
    valkey.client.flushall()
    assert "Traceback" not in server.log


@pytest.mark.parametrize("site", SITES)
def test_a_page_of_another_origin_does_nothing_in_somebodys_name(
    open_page: OpenPage, door: ArautoServer, valkey: RedisServer, site: str
) -> None:
    page = open_page(view("a"), server=door)
    page.get_by_label("Access token").fill(TOKEN)
    page.keyboard.press("Enter")
    expect_live(page)
    (cookie,) = [cookie for cookie in page.context.cookies() if cookie["name"] == session_cookie(door)]
    with another_site() as found:
        url = SITES[site].format(port=found.url.rpartition(":")[2])  # type: ignore[attr-defined]
        evil_site: Any = type("Site", (), {"url": url})
        evil = open_page("", server=evil_site, allow=(*EXPECTED, "EventSource", "MIME type", "status of 4"))
        attempts = evil.evaluate(ATTEMPTS, [door.url, door.ws, FORMS])
        assert len(attempts) == 3 * len(FORMS) + 15
        assert {name: end for name, end in attempts.items() if end not in SEEN} == {}
        evil.close()
    valkey.client.publish("a", "the first that came")
    expect_texts(page, ["the first that came"])
    page.reload()
    expect_live(page)
    assert cookie in page.context.cookies()
    assert "published" not in door.log


def test_no_address_leads_elsewhere_after_the_login(
    open_page: OpenPage, door: ArautoServer, valkey: RedisServer
) -> None:
    led = {}
    for address in LEADING_ELSEWHERE:
        answer = Person(door).log_in(TOKEN, next=address)
        assert answer.status == 303, address
        led[address] = answer.headers["location"]
    page = open_page("/login", server=door)
    expect(page.get_by_label("Access token")).to_be_visible()
    for base in (f"{door.url}/login", "https://alerts.example.org/sub/login"):
        origins = page.evaluate(
            "([led, base]) => led.map((address) => new URL(address, base).origin)", [list(led.values()), base]
        )
        home = base.rpartition("/")[0].removesuffix("/sub")
        assert {address: origin for address, origin in zip(led, origins, strict=True) if origin != home} == {}
    assert hidden(Person(door).get("/login?next=//evil.example").body.decode(), "next") == "/"
