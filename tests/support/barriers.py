"""What axe finds in a page, in both colour schemes."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page


def expect_no_violation(page: Page, state: str) -> None:
    for scheme in ("light", "dark"):
        # Chromium keeps the old scheme's colours in an animation that runs through the change: no motion.
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found = Axe().run(page).response["violations"]
        nodes = [(rule["id"], rule["help"], [node["html"] for node in rule["nodes"]]) for rule in found]
        assert nodes == [], (state, scheme, nodes)
