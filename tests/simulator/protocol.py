"""The state machines and the scripts under test."""

from collections.abc import Callable
from dataclasses import dataclass

from arauto.recording_core.candidate import Candidate
from arauto.recording_core.channel_feed import ChannelFeed
from arauto.recording_core.channel_recorder import ChannelRecorder
from tests.simulator.redis_double import RedisDouble


@dataclass(frozen=True)
class Protocol:
    """A test of the simulator replaces one of them with a broken one."""

    feed: Callable[..., ChannelFeed] = ChannelFeed
    candidate: Callable[..., Candidate] = Candidate
    recorder: Callable[[str], ChannelRecorder] = ChannelRecorder
    redis: Callable[[], RedisDouble] = RedisDouble
