"""Random faults under Sentinel: no hole without a gap, nothing twice, nobody stuck."""

from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from arauto.settings import WORKERS
from tests.support.failovers import Faults, FollowingPublisher, publishing
from tests.support.promises import NotingTab, story_faults
from tests.support.redis_servers import binaries
from tests.support.sentinels import Watched
from tests.support.servers import ArautoServer
from tests.support.waiting import eventually

TABS = 3


def break_things(directory: Path, binary: str, worker: str, channel: str, seed: int, many: int) -> list[str]:
    """What breaks the promise, while ``many`` faults happen and after them."""
    with ExitStack() as stack:
        watched = Watched(stack, binary, directory)
        server = ArautoServer(
            directory / "log", REDIS_URL=watched.url, ARAUTO_WORKER=worker, ARAUTO_RECORD="kept"
        )
        stack.enter_context(closing(server))
        published = FollowingPublisher(watched, channel)
        tabs = [NotingTab(server.ws, published) for _ in range(TABS)]
        for tab in tabs:
            stack.callback(tab.join, 10)
            stack.callback(tab.leave)
            tab.start()
        eventually(lambda: all(tab.told("subscribe") for tab in tabs), why="they have subscribed")
        faults = Faults(watched, seed)
        with publishing(published):
            for _ in range(many):
                faults.one()

        def all_have_the_last() -> bool:
            published.go_on()
            last = published.last
            if last in published.unsure:
                return False
            try:
                return eventually(lambda: all(tab.ends_with(last, channel) for tab in tabs), within=3)
            except AssertionError:
                return False

        eventually(all_have_the_last, why=f"nobody is stuck after {faults.happened}")
        found = [
            f"tab {n}: {fault}"
            for n, tab in enumerate(tabs)
            for fault in story_faults(tab.story, published, tab.first, logs_return=True)
        ]
        assert "Traceback" not in server.log
    return [f"{fault} (after {faults.happened})" for fault in found]


@pytest.mark.parametrize("channel", ["live", "kept"])
@pytest.mark.parametrize(("worker", "server"), list(zip(WORKERS, list(binaries())[::-1], strict=False)))
def test_random_faults_are_told(tmp_path: Path, worker: str, server: str, channel: str) -> None:
    assert break_things(tmp_path, binaries()[server], worker, channel, seed=1, many=4) == []
