"""Screenshots for the documents: taken in every run, saved in ``docs`` with ``ARAUTO_SCREENSHOTS=1``."""

import os
from pathlib import Path

from playwright.sync_api import Page

from tests.support.servers import ROOT
from tests.support.waiting import eventually

# The parts that are loaded after the first messages have appeared.
_IS_COMPLETE = """() => {
  const [size, axis] = ["publish-size", "volume"].map((id) => document.getElementById(id));
  const isForm = size && !document.getElementById("publish").parentElement.hidden;
  return (!isForm || size.textContent !== "") && axis?.querySelector(".volume__axis")?.textContent !== "";
}"""


def take(page: Page, name: str, elsewhere: Path) -> None:
    """Save a screenshot as ``docs/<name>.png``, or in the directory ``elsewhere``."""
    eventually(lambda: page.evaluate(_IS_COMPLETE), why="the page is complete")
    eventually(lambda: page.evaluate("document.getAnimations().length") == 0)
    directory = ROOT / "docs" if os.environ.get("ARAUTO_SCREENSHOTS") == "1" else elsewhere
    path = directory / f"{name}.png"
    page.screenshot(path=path, animations="disabled", caret="hide")
    assert path.stat().st_size > 10_000
