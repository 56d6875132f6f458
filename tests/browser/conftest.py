"""Fixtures: one Chromium for all tests; each page must report no problem and leave no subscriber."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.support.chromium import find_or_install
from tests.support.pages import Contexts, Pages
from tests.support.redis_servers import RedisServer
from tests.support.servers import ArautoServer, Start
from tests.support.waiting import PATIENCE, eventually

ARGUMENTS = (
    "--no-sandbox",  # root in a container cannot have one
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)

OpenPage = Callable[..., Page]

expect.set_options(timeout=PATIENCE * 1000)


@pytest.fixture(scope="session")
def contexts() -> Iterator[Contexts]:
    path = find_or_install()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield Contexts(browser)
        browser.close()


@pytest.fixture
def open_page(
    request: pytest.FixtureRequest, contexts: Contexts, plain_arauto: ArautoServer, start: Start
) -> Iterator[OpenPage]:
    """Opens pages: see :meth:`Pages.open`. It depends on ``start`` so that pages close before servers."""
    own = "own_redis" in request.fixturenames
    redis_server: RedisServer = request.getfixturevalue("own_redis" if own else "valkey")
    pages = Pages(contexts, plain_arauto)
    yield pages.open
    pages.close()
    eventually(lambda: redis_server.subscribers() == 0, why="no subscriber is left at Redis")


@pytest.fixture(scope="module")
def module_page(contexts: Contexts, plain_arauto: ArautoServer) -> Iterator[Page]:
    """A page without a feed, for the pure functions of its modules: all tests of a file share it."""
    pages = Pages(contexts, plain_arauto)
    yield pages.open("/healthz")
    pages.close()
