import json
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from arauto.feed import frame_cache as module
from arauto.feed.frame_cache import FrameCache
from arauto.protocol.events import Item

BATCH: list[Item] = [[b"message", b"a", b"x"]]


def test_feeds_that_share_a_batch_share_the_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "time", lambda: 1.0)
    frames = FrameCache(100)
    assert frames.make(BATCH) is frames.make(BATCH)


def test_equal_messages_of_another_moment_have_their_own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    frames, times = FrameCache(100), iter([1.0, 1.01, 1.5, 1.51, 0.9])
    monkeypatch.setattr(module, "time", lambda: next(times))
    shown = [json.loads(frames.make(BATCH)[2:])[0]["at"] for _ in range(5)]
    assert shown == [1.0, 1.0, 1.5, 1.5, 0.9]


def test_equal_but_distinct_batches_are_not_confused() -> None:
    frames = FrameCache(100)
    made = [json.loads(frames.make([[b"message", b"a", b"%d" % n]])[2:])[0]["data"] for n in range(100)]
    assert made == [str(n) for n in range(100)]


def test_threads_may_make_frames_at_the_same_time() -> None:
    frames = FrameCache(100)

    def make(thread: int) -> int:
        batches: list[list[Item]] = [[[b"message", b"a", b"%d %d" % (thread, n)]] for n in range(5000)]
        return len([frames.make(batch) for batch in batches])

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            assert [*pool.map(make, range(8))] == [5000] * 8
    finally:
        sys.setswitchinterval(interval)
