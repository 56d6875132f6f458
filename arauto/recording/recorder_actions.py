"""Carries out a candidate's actions in Redis."""

import logging
from collections import deque
from collections.abc import Callable

import redis

from arauto.recording.log_store import Store
from arauto.recording_core.announcements import Mark, Marked
from arauto.recording_core.candidate import Candidate
from arauto.recording_core.candidate_actions import Action, Claim, Follow, OfChannel, Release, Renew
from arauto.recording_core.recorder_steps import AnswerMark, Append, Fenced, Outcome, SendMark, Take, Unwanted
from arauto.redis_io.connection import error_text

log = logging.getLogger("arauto")


class RecorderActions:
    """Carries out actions in order, and then the actions that result from the replies.

    :param has_glob: whether a channel is received by a pattern.
    :param follow: subscribes to the announcements of a channel's log.
    :param may_claim: whether this process may become the recorder now.
    :param upgrade: called once this process is the recorder, before it takes a log.
    :param report: takes why a channel cannot be recorded; empty: it can.
    :param give_up: whether to stop waiting for Redis.
    """

    def __init__(
        self,
        candidate: Candidate,
        store: Store,
        has_glob: Callable[[bytes], bool],
        follow: Callable[[bytes], None],
        may_claim: Callable[[], bool],
        upgrade: Callable[[], object],
        report: Callable[[bytes, str], None],
        give_up: Callable[[], bool],
    ) -> None:
        self.error = ""
        """Redis's error from the last attempt to become or stay the recorder; empty: it succeeded."""
        self._candidate = candidate
        self._store = store
        self._has_glob = has_glob
        self._follow = follow
        self._may_claim = may_claim
        self._upgrade = upgrade
        self._report = report
        self._give_up = give_up
        self._is_away = False  # Redis did not answer the last command

    def do(self, actions: list[Action], now: Callable[[], int]) -> None:
        """Carry out actions and those that result from them, with beats in between."""
        queue = deque(actions)
        while queue and not (self._is_away and self._give_up()):
            queue.extendleft(self._candidate.beat(now()))
            queue += self._do(queue.popleft(), now)

    def _do(self, action: Action, now: Callable[[], int]) -> list[Action]:
        if isinstance(action, Follow):
            self._follow(action.channel)
            return []
        try:
            actions = (
                self._do_channel(action, now())
                if isinstance(action, OfChannel)
                else self._do_lease(action, now)
            )
        except redis.RedisError as error:
            self._is_away = not isinstance(error, redis.ResponseError)
            return self._failed(action, error, now())
        self._is_away = False
        return actions

    def _do_lease(self, action: Claim | Renew | Release, now: Callable[[], int]) -> list[Action]:
        candidate = self._candidate
        if isinstance(action, Release):
            self._store.release(action.token)
            return []
        if isinstance(action, Renew):
            is_recorder = self._store.renew(action.token, action.until)
            self.error = ""
            return candidate.renewed(action, is_recorder)
        if not self._may_claim():
            return []
        token = self._store.claim(action.above, action.grace)
        self.error = ""
        if token:
            log.info("recorder started")
            self._upgrade()
        return candidate.claimed(token, now())

    def _do_channel(self, action: OfChannel, now: int) -> list[Action]:
        candidate, channel, step = self._candidate, action.channel, action.step
        if isinstance(step, Append):
            done = self._store.append(channel, step, action.until)
            if done.outcome in (Outcome.DONE, Outcome.REFUSED):
                self._report(channel, done.why)
            return candidate.appended(channel, step, done.many, done.outcome, done.why, now)
        if isinstance(step, Take):
            return self._take(channel, step, action.until, now)
        if isinstance(step, SendMark):
            self._store.announce(channel, Mark(step.name))
        elif isinstance(step, AnswerMark):
            self._store.announce(channel, Marked(step.name, step.position, step.written))
        else:
            self._store.announce(channel, step)
        return []

    def _take(self, channel: bytes, request: Take, until: int, now: int) -> list[Action]:
        try:
            self._store.register(channel)  # before the log begins, so that all on stand-by subscribe to it
            end = self._store.take(channel, request, until, self._has_glob(channel), self._store.losses())
            if end is None or request.is_first:
                self._store.register(channel)  # again: a log that was deleted meanwhile was unregistered
        except Fenced as error:
            return self._candidate.fenced(channel, request, error.token)
        except Unwanted:
            return self._candidate.refused(channel, request, "")
        self._report(channel, "")
        return self._candidate.taken(channel, request, end, now)

    def _failed(self, action: Action, error: redis.RedisError, now: int) -> list[Action]:
        why, is_answer = error_text(error), isinstance(error, redis.ResponseError)
        if not isinstance(action, OfChannel):
            self.error = why
            return []
        if is_answer and isinstance(action.step, Append | Take):
            self._report(action.channel, why)
        if isinstance(action.step, Append):
            outcome = Outcome.REFUSED if is_answer else Outcome.UNKNOWN
            return self._candidate.appended(action.channel, action.step, 0, outcome, why, now)
        if isinstance(action.step, Take):
            return self._candidate.refused(action.channel, action.step, why if is_answer else "")
        return []
