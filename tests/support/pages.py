"""Pages in Chromium, whose console errors and dialogs fail the test; locators and expectations for them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol
from urllib.parse import urlencode

from playwright.sync_api import Browser, BrowserContext, Dialog, Locator, Page, expect

from tests.support.servers import ArautoServer
from tests.support.waiting import PATIENCE, eventually

TIME_ZONE = "America/Sao_Paulo"

# Parts of console lines that a test may provoke on purpose.
SERVER_AWAY = ("WebSocket connection to", "net::ERR_")
STATUS_503 = ("status of 503", "WebSocket connection to")

WATCH = """
addEventListener("securitypolicyviolation", (event) =>
  reportProblem(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sample} ${event.sourceFile}`));

// Every connection status that was shown, and every text of a button or note, however briefly.
window.standings = [];
window.notes = new Set();
new MutationObserver((changes) => {
  for (const { target } of changes) {
    const isNote = target.matches?.("button, [role=status]");
    if (isNote && target.checkVisibility({ visibilityProperty: true })) notes.add(target.textContent.trim());
  }
  const status = document.getElementById("status");
  if (!status) return;
  const standing = [status.dataset.state, status.textContent];
  if (String(standing) !== String(standings.at(-1))) standings.push(standing);
}).observe(document, {
  subtree: true, childList: true, characterData: true, attributeFilter: ["data-state"],
});
"""


class Contexts:
    """Browser contexts, one for each language: opening a page in a new context takes twice as long."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._shared: dict[str, BrowserContext] = {}

    def get(self, language: str, *, own: bool, **options: Any) -> BrowserContext:
        """The shared context of a language, or a new one if it is to be ``own`` or has ``options``."""
        if own or options:
            return self._new(language, **options)
        if language not in self._shared:
            self._shared[language] = self._new(language)
        return self._shared[language]

    def forget(self, context: BrowserContext) -> None:
        """Clean up a context after a test: clear a shared one, close another."""
        if context in self._shared.values():
            context.clear_cookies()
        else:
            context.close()

    def _new(self, language: str, **options: Any) -> BrowserContext:
        context = self._browser.new_context(**{"locale": language, "timezone_id": TIME_ZONE} | options)
        context.set_default_timeout(PATIENCE * 1000)
        return context


class Pages:
    """Opens pages; :meth:`close` closes them and fails if one of them had a problem."""

    def __init__(self, contexts: Contexts, server: ArautoServer) -> None:
        self._contexts = contexts
        self._server = server
        self._pages: list[Page] = []
        self._problems: list[str] = []

    def open(
        self,
        path: str = "/",
        *,
        width: int = 1280,
        height: int = 800,
        dark: bool = False,
        language: str = "en",
        allow: Sequence[str] = (),
        server: ArautoServer | None = None,
        own_clock: bool = False,
        **options: Any,
    ) -> Page:
        """Open a page.

        :param allow: parts of console lines that this test provokes on purpose.
        :param own_clock: the page's time is that of ``page.clock``.
        :param options: of the browser context.
        """
        page = self._contexts.get(language, own=own_clock, **options).new_page()
        self._pages.append(page)
        self._watch(page, allow)
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme="dark" if dark else "light")
        if own_clock:
            page.clock.install()
        page.goto((server or self._server).url + path)
        return page

    def close(self) -> None:
        for page in self._pages:
            if not page.is_closed():
                # The call also waits for reports of problems. The next test needs an empty storage.
                page.evaluate("() => { try { localStorage.clear() } catch {} }")
                page.close()
        for context in {page.context for page in self._pages}:
            self._contexts.forget(context)
        assert self._problems == []

    def _watch(self, page: Page, allow: Sequence[str]) -> None:
        def note(text: str) -> None:
            if not any(allowed in text for allowed in allow):
                self._problems.append(text)

        def dismiss(dialog: Dialog) -> None:
            note(f"dialog: {dialog.message}")
            dialog.dismiss()

        page.on("console", lambda line: note(line.text) if line.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: note(f"page error: {error}"))
        page.on("dialog", dismiss)
        page.expose_function("reportProblem", note)
        page.add_init_script(WATCH)


def show_part(page: Page, part: str) -> None:
    """On a narrow page, switch to ``feed``, ``channels`` or ``publish``."""
    tab = page.locator(f"#tabs [value={part}]")
    if tab.is_visible() and tab.get_attribute("aria-pressed") == "false":
        tab.click()


def open_more(page: Page) -> None:
    """On a narrow page, open the menu of the toolbar."""
    more = page.locator(".desk__more")
    if more.is_visible():
        more.click()


def view(*channels: str, patterns: Sequence[str] = ()) -> str:
    """The address of a selection."""
    names = [("channel", name) for name in channels] + [("pattern", name) for name in patterns]
    return "/?" + urlencode(names)


class Evaluates(Protocol):
    """A page of any browser."""

    def evaluate(self, expression: str) -> Any: ...


def overflowing(page: Evaluates) -> list[str]:
    """Elements wider than the page, and the page itself if it scrolls."""
    return list(
        page.evaluate(
            """() => {
              const root = document.documentElement;
              const wide = [...document.body.querySelectorAll("*")].filter((element) => {
                const { left, right, width } = element.getBoundingClientRect();
                return width > 1 && (left < -1 || right > root.clientWidth + 1) && !element.closest(".chips");
              }).map((element) => element.className || element.tagName);
              scrollTo(1e6, 1e6);
              return scrollX + scrollY > 0 ? [...wide, `the page, by ${scrollX}, ${scrollY}`] : wide;
            }"""
        )
    )


def cut_off(page: Page) -> list[str]:
    """Texts of buttons, choices and headings that are cut off by their element or by a scrolled area."""
    return list(
        page.evaluate(
            """() => {
              const places = "button:not([translate]), .button, .link, select, label, legend, th, h2, h3";
              return [...document.querySelectorAll(places)].filter((element) => {
                if (!element.checkVisibility() || element.closest(".chips, .visually-hidden")) return false;
                const { width, right } = element.getBoundingClientRect();
                if (width <= 1) return false; // only for screen readers
                const around = element.closest(".dialog__scroll, dialog, [popover]") ?? document.body;
                if (right > around.getBoundingClientRect().right + 1) return true;
                if (!element.matches("select")) return element.scrollWidth > Math.ceil(width) + 1;
                element.style.inlineSize = "max-content"; // of its longest option
                const needed = element.getBoundingClientRect().width;
                element.style.inlineSize = "";
                return needed > width + 1;
              }).map((element) => element.textContent.trim());
            }"""
        )
    )


# Connection


def status(page: Page) -> Locator:
    return page.locator("#status")


def expect_live(page: Page) -> None:
    expect_state(page, "live")


def expect_state(page: Page, state: str) -> None:
    expect(status(page)).to_have_attribute("data-state", state)


def states(page: Page) -> list[str]:
    """The states that were shown, in order, without repeats."""
    seen: list[str] = []
    for state, _ in standings(page):
        if seen[-1:] != [state]:
            seen.append(state)
    return seen


def standings(page: Page) -> list[tuple[str, str]]:
    """State and sentence of every connection status that was shown."""
    return [(state, text) for state, text in page.evaluate("standings")]


def expect_noted(page: Page, text: str | re.Pattern[str]) -> None:
    """A button or a note shows this text, or has done so since the last call: it may disappear by itself."""
    pattern = re.compile(re.escape(text) + r"\Z") if isinstance(text, str) else text

    def is_noted() -> bool:
        found = [note for note in page.evaluate("[...notes]") if pattern.match(note)]
        page.evaluate("(found) => found.forEach((note) => notes.delete(note))", found)
        return bool(found)

    eventually(is_noted, why=f"the page says {text!r}")


@contextmanager
def timers_held(page: Page) -> Iterator[None]:
    """What the page wants to do later waits, so that nothing disappears by itself meanwhile."""
    page.evaluate("""() => {
      [window.setTimer, window.held] = [setTimeout, []];
      window.setTimeout = (...call) => void held.push(call);
    }""")
    yield
    page.evaluate("window.setTimeout = setTimer; held.forEach((call) => setTimeout(...call))")


def stop_clock(page: Page) -> None:
    """From here on the test advances the page's time. The clock first jumps ten seconds ahead: it cannot
    stop in the past, and a busy page may take that long to receive the command."""
    page.clock.pause_at(page.evaluate("(Date.now() + 10_000) / 1_000"))


# Feed


def log(page: Page) -> Locator:
    return page.get_by_role("log")


def rows(page: Page) -> Locator:
    """The rows of messages."""
    return log(page).locator("li.row")


def notices(page: Page) -> Locator:
    """The rows about messages that are not shown, such as gaps."""
    return log(page).locator("li.notice")


def texts(page: Page) -> list[str]:
    """The exact text of each message shown."""
    return page.locator(".row__data").all_text_contents()


def let_draw(page: Page) -> None:
    """Wait two frames: pending changes are drawn, also those that a test expects not to appear."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def expect_texts(page: Page, expected: Sequence[str]) -> None:
    def shown() -> bool:
        assert texts(page) == list(expected)
        return True

    eventually(shown)


def row(page: Page, text: str) -> Locator:
    return rows(page).filter(has_text=text)


# Selection


def chip(page: Page, name: str) -> Locator:
    return page.locator(".chip").filter(has=page.get_by_text(name, exact=True))


def chips(page: Page) -> list[str]:
    return page.locator(".chip__name").all_text_contents()


def subscribe(page: Page, name: str, kind: str | None = None) -> None:
    show_part(page, "channels")
    page.get_by_label("Channel or pattern to subscribe to").fill(name)
    if kind:
        page.get_by_label("Kind").select_option(kind)
    page.get_by_role("button", name="Subscribe").click()


def solo(page: Page, name: str) -> Locator:
    """The button that shows one channel or pattern alone."""
    return page.get_by_role("button", name=f"Show only {name}", exact=True)


def hide(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=f"Hide {name}", exact=True)


def unsubscribe(page: Page, name: str, kind: str = "channel") -> None:
    page.get_by_role("button", name=f"Remove {kind} {name}", exact=True).click()


def expect_confirmed(page: Page, *names: str) -> None:
    for name in names:
        expect(chip(page, name)).to_have_attribute("data-state", "confirmed")


# Publishing


def channel_field(page: Page) -> Locator:
    return page.get_by_label("Channel", exact=True)


def message_field(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Message", exact=True)


def publish_button(page: Page) -> Locator:
    return page.locator("#publish").get_by_role("button", name="Publish", exact=True)


def publish(page: Page, channel: str, text: str) -> None:
    """Publish with the form, as a person does."""
    show_part(page, "publish")
    channel_field(page).fill(channel)
    message_field(page).fill(text)
    publish_button(page).click()


def answer(page: Page) -> Locator:
    """The form's message about the last publication."""
    return page.get_by_role("region", name="Publish a message").get_by_role("status")


@contextmanager
def answered_by(page: Page, reply: Mapping[str, Any]) -> Iterator[None]:
    """Within the block the form receives ``reply``, and no request reaches the server."""
    page.route("**/publish", lambda route: route.fulfill(json=dict(reply)))
    yield
    page.unroute("**/publish")
