"""The machines and the scripts under test."""

from collections.abc import Callable
from dataclasses import dataclass

from arauto.memory.candidate import Candidate
from arauto.memory.feed import ChannelFeed
from arauto.memory.recorder import ChannelRecorder
from tests.simulator.redis_double import RedisDouble


@dataclass(frozen=True)
class Protocol:
    """In a test of the simulator, one of them is broken."""

    feed: Callable[..., ChannelFeed] = ChannelFeed
    candidate: Callable[..., Candidate] = Candidate
    recorder: Callable[[str], ChannelRecorder] = ChannelRecorder
    redis: Callable[[], RedisDouble] = RedisDouble
