"""Accessibility: the violations that axe finds in a page, in both colour schemes."""

from typing import Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

# A scheme is one half of each light-dark() in the styles: the dark one differs only in its colours.
SCHEMES: dict[Literal["light", "dark"], dict[str, list[str]]] = {
    "light": {},
    "dark": {"runOnly": ["color-contrast", "link-in-text-block"]},
}


def expect_no_violation(page: Page, state: str) -> None:
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    for scheme, rules in SCHEMES.items():
        # Without this, an animation that runs during the change keeps the old scheme's colours in Chromium.
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        options = {"resultTypes": ["violations"]} | rules
        found = page.evaluate("(options) => axe.run(options)", options)["violations"]
        nodes = [(rule["id"], rule["help"], [node["html"] for node in rule["nodes"]]) for rule in found]
        assert nodes == [], (state, scheme, nodes)
