import json

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
