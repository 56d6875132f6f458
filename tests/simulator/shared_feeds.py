"""Checks that equal feeds take equal steps: pages of one process share these steps."""

from arauto.recording_core.announcements import Announcement
from arauto.recording_core.channel_feed import ChannelFeed, State
from arauto.recording_core.feed_steps import FeedStep, Halt, Locate, Read, ShowWaiting
from arauto.recording_core.shared_states import Settled, Unannounced, are_alike
from tests.simulator.checker import Broken
from tests.simulator.redis_double import Raw

OWN = (Read, Locate, ShowWaiting)  # steps that are not shared


def step_with_another(feed: ChannelFeed, pushed: Raw | Announcement, now: int) -> list[FeedStep]:
    """The steps of ``feed``; a second feed with only the shared state must take the same.

    :raise Broken: its steps or its state differ afterwards.
    """
    before = feed.settled
    if before is None:
        return _step(feed, pushed, now)
    feed.settle(before)
    is_own = not isinstance(pushed, Raw) and feed.may_differ(pushed)
    other = _another(before)
    other._log._ended = set(feed._log._ended)  # entries that one feed has read are true for all
    steps = _step(feed, pushed, now)
    after = feed.settled
    if (
        is_own
        or after is None
        or not are_alike(before, after)
        or any(isinstance(step, OWN) for step in steps)
    ):
        return steps
    if _step(other, pushed, now + 1) != steps or other.settled != after:
        raise Broken(f"{pushed} is {steps} and {after}, and of another page {other.settled}")
    return steps


def _another(state: Settled | Unannounced) -> ChannelFeed:
    if isinstance(state, Unannounced):
        other = ChannelFeed(None, since=0)
        other._halt = Halt(1, "another") if state.is_halted else None
    else:
        other = ChannelFeed(state.position, since=0)
        other.state, other._has_place = State.FOLLOWING, True
    other.settle(state)
    return other


def _step(feed: ChannelFeed, pushed: Raw | Announcement, now: int) -> list[FeedStep]:
    return feed.received(pushed.data, now) if isinstance(pushed, Raw) else feed.announced(pushed, now)
