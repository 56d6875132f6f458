"""One tab under 5,000 messages a second: does it stay quick, and does it account for all of them?"""

from contextlib import closing
from time import perf_counter, sleep

from playwright.sync_api import Page, sync_playwright

from bench import servers
from bench.servers import Bench
from tests.support.chromium import find_or_install

RATE = 5000  # messages a second
SECONDS = 30
BURST = 50  # messages a write

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
HEAP = "() => performance.memory.usedJSHeapSize / 1e6"


def measure_page(bench: Bench) -> dict[str, float]:
    """Drive one tab and return what it showed."""
    with servers.arauto(bench) as running, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_or_install(), args=["--no-sandbox", "--enable-precise-memory-info"]
        )
        with closing(browser):
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            page.add_init_script(WATCH)
            page.goto(f"http://127.0.0.1:{running.port}/?channel=bench")
            page.wait_for_selector("#status[data-state=live]")
            return _drive(bench, page)


def _drive(bench: Bench, page: Page) -> dict[str, float]:
    page.evaluate("() => { window.longest = 0 }")
    heaps, sent, began = [], 0, perf_counter()
    with closing(bench.publisher()) as publisher:
        for second in range(SECONDS):
            while sent < RATE * (second + 1):
                publisher.publish(range(sent, sent + BURST))
                sent += BURST
                sleep(max(0.0, began + sent / RATE - perf_counter()))
            heaps.append(page.evaluate(HEAP))
    took = perf_counter() - began
    page.wait_for_function(f"() => ({ACCOUNTED})() === {sent}", timeout=10_000)
    return {
        "published/s": sent / took,
        "longest task, ms": page.evaluate("() => window.longest"),
        "rows in the page": page.evaluate("() => document.querySelectorAll('#messages > *').length"),
        "accounted for": page.evaluate(ACCOUNTED),
        "heap after 5 s, MB": heaps[4],
        "heap at the end, MB": heaps[-1],
        "still live": float(page.get_attribute("#status", "data-state") == "live"),
    }
