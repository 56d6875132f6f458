"""The actions that a candidate returns (pure)."""

from dataclasses import dataclass

from arauto.recording_core.announcements import Stopped
from arauto.recording_core.recorder_steps import RecorderStep


@dataclass(frozen=True, slots=True)
class Claim:
    """Become the recorder, with a token greater than ``above``.

    ``grace``: milliseconds for which an expired lease is left to others.
    """

    above: int
    grace: int = 0


@dataclass(frozen=True, slots=True)
class Renew:
    """Send a beat: everything published before ``until`` is in the logs."""

    token: int
    until: int


@dataclass(frozen=True, slots=True)
class Release:
    """Let another process become the recorder."""

    token: int


@dataclass(frozen=True, slots=True)
class OfChannel:
    """A command to Redis about one channel's log.

    ``until``: up to when the log is known to be complete (0: unknown).
    """

    channel: bytes
    step: RecorderStep | Stopped
    until: int


@dataclass(frozen=True, slots=True)
class Follow:
    """Subscribe to the announcements of this channel's log; then call :meth:`Candidate.subscribed`."""

    channel: bytes


Action = Claim | Renew | Release | Follow | OfChannel
