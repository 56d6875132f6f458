"""One tab under 5,000 messages a second: whether it stays responsive, and accounts for all of them."""

import json
import statistics
from contextlib import closing
from itertools import count
from threading import Event, Thread
from time import perf_counter, sleep

import redis
from playwright.sync_api import Browser, Page, sync_playwright

from bench import servers
from bench.servers import Bench
from tests.support.chromium import find_or_install

RATE = 5000  # messages a second
SECONDS = 30
BURST = 50  # messages a write

OPENINGS = 5

FIRST = """
new MutationObserver((_, observer) => {
  if (!document.querySelector("#messages > .row")) return;
  observer.disconnect();
  requestAnimationFrame(() => console.log("first", performance.now()));
}).observe(document, { subtree: true, childList: true });
"""
WATCH = """
window.longest = 0;
new PerformanceObserver((list) => {
  for (const task of list.getEntries()) window.longest = Math.max(window.longest, task.duration);
}).observe({ type: "longtask" });
"""
ACCOUNTED = """() => {
  const shown = [...document.querySelectorAll("[data-messages]")];
  const older = document.getElementById("older").textContent.replace(/\\D/g, "");
  return shown.reduce((sum, row) => sum + Number(row.dataset.messages), 0) + Number(older);
}"""
HEAP_AT = (5, SECONDS)  # seconds


def measure_page(bench: Bench) -> dict[str, float]:
    """Drive one tab and return what it showed."""
    with servers.arauto(bench) as running, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_or_install(), args=["--no-sandbox", "--enable-precise-memory-info"]
        )
        with closing(browser):
            url = f"http://127.0.0.1:{running.port}/?channel=bench"
            opened = _open(bench, browser, url)
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            page.add_init_script(WATCH)
            page.goto(url)
            page.wait_for_selector("#status[data-state=live]")
            return opened | _drive(bench, page) | _read(bench, page)


def _open(bench: Bench, browser: Browser, url: str) -> dict[str, float]:
    """Milliseconds from the navigation to the first message, by the page's own clock, with an empty cache."""
    done = Event()
    publishing = Thread(target=_publish_until, args=(bench, done))
    publishing.start()
    times = []
    for _ in range(OPENINGS):
        with closing(browser.new_context(viewport={"width": 1280, "height": 800})) as context:
            page = context.new_page()
            page.add_init_script(FIRST)
            sleep(1)  # the window itself is open
            # The page reports it by itself: a query would cost some thirty milliseconds.
            with page.expect_console_message(lambda message: message.text.startswith("first")) as reported:
                page.goto(url, wait_until="commit")
            times.append(float(reported.value.text.split()[1]))
    done.set()
    publishing.join()
    return {"first message after opening, ms": statistics.median(times)}


def _publish_until(bench: Bench, done: Event) -> None:
    with closing(bench.publisher()) as publisher:
        for number in count():
            if done.wait(0.01):
                return
            publisher.publish(range(number, number + 1))


def _drive(bench: Bench, page: Page) -> dict[str, float]:
    page.evaluate("() => { window.longest = 0 }")
    heaps, sent, began = list[float](), 0, perf_counter()
    with closing(bench.publisher()) as publisher:
        for second in range(SECONDS):
            while sent < RATE * (second + 1):
                publisher.publish(range(sent, sent + BURST))
                sent += BURST
                sleep(max(0.0, began + sent / RATE - perf_counter()))
            if second + 1 in HEAP_AT:
                heaps.append(_heap(page))
    took = perf_counter() - began
    page.wait_for_function(f"() => ({ACCOUNTED})() === {sent}", timeout=10_000)
    return {
        "published/s": sent / took,
        "longest task, ms": page.evaluate("() => window.longest"),
        "rows in the page": page.evaluate("() => document.querySelectorAll('#messages > *').length"),
        "accounted for": page.evaluate(ACCOUNTED),
        "heap after 5 s, MB": heaps[0],
        "heap at the end, MB": heaps[1],
        "still live": float(page.get_attribute("#status", "data-state") == "live"),
    }


def _heap(page: Page) -> float:
    """The megabytes of the page's objects, without garbage."""
    client = page.context.new_cdp_session(page)
    client.send("HeapProfiler.collectGarbage")
    client.detach()
    return float(page.evaluate("() => performance.memory.usedJSHeapSize / 1e6"))


FILTERS = ("disk", "/9{3}/", "severity>=warning", "user.name:u99*")
FILTER = """async ([filters, line]) => {
  const { readFilter } = await import("./static/js/feed/filter_query.js");
  const { MessageStore } = await import("./static/js/feed/message_store.js");
  const store = new MessageStore();
  const event = (n) => ({ type: "message", channel: "quick", data: line.replace('"u"', `"u${n}"`) });
  store.add(Array.from({ length: 10_000 }, (_, n) => event(n)));
  const times = filters.map((text) => {
    const { test } = readFilter(text);
    const began = performance.now();
    store.select(test, test);
    return performance.now() - began;
  });
  return Math.max(...times);
}"""
LINE = {"user": {"name": "u"}, "severity": "error", "message": "text of about a hundred characters"}
EXPORT = """async () => {
  const { FORMATS, write } = await import("./static/js/feed/export_file.js");
  const event = (_, n) => ({ type: "message", channel: "bench", at: n / 10, data: `"line" ${n}` });
  const events = Array.from({ length: 100_000 }, event);
  await new Promise((done) => setTimeout(done, 200));
  window.longest = 0;
  for (const format of Object.values(FORMATS)) await write(events, format, () => {});
  await new Promise((done) => setTimeout(done, 200));
  return window.longest;
}"""
LARGE = json.dumps([{"id": n, "name": "x" * 40} for n in range(14_000)])  # 0.9 MB
LARGE_TREE = "#messages .tree__toggle"


def _read(bench: Bench, page: Page) -> dict[str, float]:
    """Waits of a person who reads: the longest run of a filter, and the longest tasks."""
    filtered = [page.evaluate(FILTER, [FILTERS, json.dumps(LINE)]) for _ in range(5)]
    exported = page.evaluate(EXPORT)
    page.evaluate("() => { window.longest = 0 }")
    with closing(redis.Redis.from_url(bench.redis_url)) as client:
        client.publish("bench", LARGE)
    button = page.locator("#messages > *").last.get_by_role("button", name="Tree")
    button.wait_for()
    button.click()
    page.wait_for_selector(LARGE_TREE)
    return {
        "10,000 messages filtered, ms": statistics.median(filtered),
        "100,000 exported four times: longest task, ms": exported,
        "JSON of 0.9 MB shown as a tree: longest task, ms": page.evaluate("() => window.longest"),
    }
