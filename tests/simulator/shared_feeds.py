"""Whether feeds that are equal go on alike, as the pages of one process rely on."""

from arauto.recording_core.announcements import Announcement
from arauto.recording_core.channel_feed import ChannelFeed, State
from arauto.recording_core.feed_steps import FeedStep, Halt, Locate, Read, ShowWaiting
from arauto.recording_core.shared_states import Settled, Unannounced, are_alike
from tests.simulator.checker import Broken
from tests.simulator.redis_double import Raw

OWN = (Read, Locate, ShowWaiting)  # steps that a page takes by itself


def step_with_another(feed: ChannelFeed, pushed: Raw | Announcement, now: int) -> list[FeedStep]:
    """What ``feed`` does, as does another one that has only what they share in common with it.

    :raise Broken: it does something else, or is something else then.
    """
    before = feed.settled
    if before is None:
        return _step(feed, pushed, now)
    feed.settle(before)
    is_own = not isinstance(pushed, Raw) and feed.may_differ(pushed)
    other = _another(before)
    other._log._ended = set(feed._log._ended)  # what one has read of the log is true for all
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
