"""A Chromium for the browser tests: the one installed, else one that is downloaded."""

import shutil
import sys

from playwright.sync_api import sync_playwright

from tests.support.debian import install, succeeds

# The shell is Chromium without a window; tests take a third less time in it.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class NoBrowser(Exception):
    """There is no Chromium and none could be downloaded; the text says what to install."""


def find_or_install() -> str:
    """The path of a Chromium or Chrome.

    :raise NoBrowser: none is installed, and neither Playwright nor Debian could install one.
    """
    path = _on_this_machine() or _from_playwright() or _from_debian()
    if path is None:
        raise NoBrowser("The browser tests need Chromium: install the package chromium or Google Chrome.")
    return path


def _on_this_machine() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)


def _from_playwright() -> str | None:
    if not succeeds(sys.executable, "-m", "playwright", "install", "chromium"):
        return None
    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


def _from_debian() -> str | None:
    install("chromium")
    return _on_this_machine()
