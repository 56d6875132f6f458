"""The bridge thread: subscribes to Redis, keeps the lease, and produces messages to Kafka."""

import logging
import threading
from time import monotonic, sleep
from typing import Any

import redis

from arauto.bridge.from_kafka import FromKafka
from arauto.bridge.lease import LEASE_MS, Lease, LeaseReply, NotOurs
from arauto.bridge.listening import Listening
from arauto.bridge.outbox import Kept, Outbox
from arauto.bridge.report import Report, Why, rules_in
from arauto.bridge.to_kafka import ToKafka
from arauto.kafka_io.connection import KafkaFailed, KafkaLink
from arauto.protocol.selection import Selection
from arauto.recording.inbox import Inbox
from arauto.redis_io.connection import RedisLink, error_text
from arauto.redis_io.elapsed import now_ms, unix_ms
from arauto.redis_io.subscriber import Command, Subscriber
from arauto.settings import Settings
from arauto.system.resource_errors import NoThread, sentence, start
from arauto.system.timer_wheel import TimerWheel
from arauto.text.bridge_rules import Rule
from arauto.workers.handover import wait_for_successor
from arauto.workers.worker_states import WorkerStates

TICK = 0.5  # seconds between two renewals of the lease
IDLE = 0.05  # seconds between two polls of Kafka for messages to Redis
LOOK_EVERY = 1.0  # seconds between two checks for topics that did not exist
ROUND = 0.02  # seconds between two polls for Kafka's delivery reports
RETRY_EVERY = 5.0  # seconds between two attempts to subscribe to channels that Redis refused
NEWCOMER = 2.0  # seconds for which a process that knows nothing leaves an empty Redis to others that do
SPARE = 250  # milliseconds by which two processes may judge one moment differently
FLUSH = 1.5  # seconds to produce the remaining messages when the process stops
OTHER_RULES = "the process at work has another ARAUTO_BRIDGE"
JOIN_PATIENCE = 1.0  # seconds beyond FLUSH

log = logging.getLogger("arauto")


class BridgeThread(threading.Thread):
    """One per process. All subscribe to Redis; the holder of the lease passes messages on.

    The others keep messages that Kafka may not have yet, so that none is missing when one of them takes over.
    """

    def __init__(
        self,
        settings: Settings,
        link: RedisLink,
        kafka: KafkaLink,
        timers: TimerWheel,
        worker_states: WorkerStates,
    ) -> None:
        super().__init__(name="bridge", daemon=True)
        self.token = 0
        """The token of the lease that this process holds; 0: it holds none."""
        self.is_held = False
        """Whether any process holds the lease."""
        self.rules = settings.bridge
        self.report = Report.of(self.rules)
        self._link = link
        self._lease = Lease(link)
        self._timers = timers
        self._worker_states = worker_states
        taken = [rule for rule in self.rules if rule.is_to_kafka]
        given = [rule for rule in self.rules if not rule.is_to_kafka]
        topics = list(dict.fromkeys(rule.topic for rule in taken))
        self._listening = Listening(taken)
        self._outbox = Outbox(topics)
        self._to_kafka = ToKafka(
            kafka,
            settings.bridge_name,
            topics,
            self._outbox,
            self._passed,
            self._missed,
        )
        self._from_kafka = [
            FromKafka(
                kafka, settings.bridge_name, topic, [rule for rule in given if rule.topic == topic],
                lambda messages: self._lease.publish(self.token, messages), self._is_ours,
            )
            for topic in dict.fromkeys(rule.topic for rule in given)
        ]  # fmt: skip
        self._unheard: set[Rule] = set()  # those whose channel Redis refused when we last looked
        self._theirs = self.rules  # our rules that the holder of the lease has too
        self._kept_since = 0  # older messages were dropped from the outbox
        self._until = 0  # ``until`` of the lease, as last read
        self._has_looked = False
        self._lease_error = ""
        # Since when Redis has known nothing of a bridge, and neither has this process.
        self._empty_since: float | None = None
        self._wanted = 0  # when a process that waits for the lease last asked, by our clock
        # Milliseconds by which Redis's clock is ahead of ours: at least, and at most, as a reply takes long.
        self._skew = self._most_skew = 0
        self._ahead = 0  # the largest ``_skew`` so far, less what Redis's clock has gone back since
        self._renewed_at = self._tick_at = 0.0
        self._retried_at = monotonic()
        self._stopping = threading.Event()
        self._inbox = Inbox()
        self._topics = threading.Thread(target=self._work_at_kafka, name="bridge topics", daemon=True)

    def summary(self) -> dict[str, Any]:
        """State and counters, without names of channels or topics; from any thread."""
        report, is_blocked = self.report, self._is_blocked()
        is_begun = self.is_held and (not self.token or all(one.is_placed for one in self._from_kafka))
        state = "waiting" if is_blocked else "running" if is_begun else "starting"
        return {
            "state": state,
            "here": bool(self.token),
            "passed": sum(one.passed for one in report.rules.values()),
            "missed": sum(one.missed for one in report.rules.values()),
            "gaps": len(report.missed),
            "waiting": report.waiting,
        }

    @property
    def error(self) -> str:
        """Why this process cannot listen, or cannot read or claim the lease, in Redis's words."""
        return self._lease_error or self._listening.outage

    def _is_blocked(self) -> bool:
        return bool(self.error) or any(one.trouble for one in self.report.rules.values())

    def hand_over(self, until: float) -> None:
        """Wait until a successor has subscribed, if this process is at work; from any thread.

        Then wait until this process has received what was published before.
        """
        stopped, subscribed = now_ms(), 0

        def is_done() -> bool:
            nonlocal subscribed
            if not self.token:
                return self.is_held  # by another; if by none, this process may hold it again at once
            if self._wanted >= stopped:
                subscribed = subscribed or self._wanted + SPARE
            is_level = subscribed and self._listening.heard >= subscribed
            return bool(is_level or (subscribed and not self._listening.selection.size))

        if self.token:
            wait_for_successor(self._worker_states, is_done, until)

    def stop(self) -> None:
        """Produce the remaining messages, release the lease, and end; from any thread."""
        self._stopping.set()
        self._inbox.wake()
        if self.is_alive():
            self.join(FLUSH + JOIN_PATIENCE)

    def run(self) -> None:
        try:
            start(self._topics)
        except NoThread as error:
            log.error("bridge failed why=%r", sentence(error))
            return
        while not self._stopping.is_set():
            try:
                self._work()
            except Exception:
                log.exception("bridge failed")
                self._stopping.wait(TICK)

    def _work(self) -> None:
        self._inbox = Inbox()
        self._listening.lose()
        with Subscriber(
            self._link.connect,
            self._inbox.put,
            self._inbox.end,
            self._timers,
            self._listening.selection,
            _commands,
            moves=lambda: self._link.moves,
            settle=self._link.settle,
        ) as self._subscriber:
            try:
                while not self._stopping.is_set() and not self._inbox.is_over:
                    self._work_once()
                self._leave()
            finally:
                self._inbox.end()

    def _work_once(self) -> None:
        patience = ROUND if self._outbox.moving else max(0.0, self._tick_at - monotonic())
        for batch in self._inbox.take(patience):
            for item in batch:
                for message in self._listening.take(item, now_ms()):
                    self._keep(message)
        if self.token and not self._is_ours():
            self._lose()
        if self.token:
            self._to_kafka.pump()
        else:
            self._to_kafka.poll()
        if monotonic() >= self._tick_at:
            self._tick_at = monotonic() + TICK
            self._tick()

    def _keep(self, message: Kept) -> None:
        gone = self._outbox.add(message)
        if gone is not None:
            self._kept_since = gone.at + 1
            if self.token:
                self._miss(gone.rule, "full", gone.at, gone.at, 1)

    # The lease

    def _tick(self) -> None:
        if monotonic() - self._retried_at > RETRY_EVERY:
            self._retried_at = monotonic()
            if (change := self._listening.retry()).added.size:
                self._subscriber.change(change)
        if self.token:
            self._note_troubles()
        # A process that is replaced keeps the lease until it stops: by then its successor has subscribed. It
        # takes one that is free, too, but does not wait for one: that would pass for its successor's request.
        may_have = bool(self.token) or self._worker_states.goes_on
        # A holder that lacks messages leaves the lease to others for a moment, even if it listens again:
        # they may have them.
        is_complete = self._listening.since is not None and not self._lacks
        self._step(self._has_looked and is_complete and may_have and not self._is_newcomer())
        asked = now_ms()
        if self._listening.since and self._subscriber.ping():
            self._listening.asks(asked)

    def _is_newcomer(self) -> bool:
        """Whether another process may know what this one and an empty Redis do not."""
        return self._empty_since is not None and monotonic() < self._empty_since + NEWCOMER

    def _step(self, is_wanted: bool) -> None:
        token = self.token
        if token:
            self.report.waiting = self._outbox.waiting + len(self._outbox.moving)
        has_missed = bool(self._until) and self._complete_since() > self._until
        done = self._done_until() if token else self._until
        sent, sent_at = now_ms(), monotonic()  # the lease counts from the request: the reply may take long
        expected = sent + self._ahead if self._has_looked else 0
        try:
            reply = self._lease.step(
                token,
                is_wanted,
                has_missed,
                done,
                self.report.write(),
                expected,
                is_waiting=not self._worker_states.is_replaced,
            )
        except redis.RedisError as error:
            words = error_text(error)
            if words != self._lease_error:
                log.warning("bridge lease failed why=%r", words)
            self._lease_error = words
            return
        self._lease_error = ""
        self._skew, self._most_skew = reply.now - now_ms(), reply.now - sent
        # Not the last skew: Redis's clock may go back little by little, or while a reply takes long.
        self._ahead = max(self._ahead - reply.back, self._skew) if self._has_looked else self._skew
        is_empty = not (reply.until or reply.is_held or self._until)
        self._empty_since = (self._empty_since or monotonic()) if is_empty else None
        if reply.token:
            self._renewed_at = sent_at
            if reply.token != token:  # also where Redis has lost the lease that we held
                self._begin(reply.token, reply.until, reply.state)
        else:
            if token:
                self._lose()
            self._follow_holder(reply)
        self.is_held = bool(reply.is_held)
        self._has_looked = True
        self._wanted = reply.wanted - self._skew
        self._until = reply.until or self._until  # 0 where Redis has come back empty
        if not token and not reply.token:
            self._outbox.forget_before(reply.until - self._most_skew, self._theirs)

    def _follow_holder(self, reply: LeaseReply) -> None:
        """Take over the report of the holder of the lease, which has its own rules."""
        theirs = rules_in(reply.state, self.rules)
        if reply.state:  # a Redis that has come back empty has none: ours is what is left of it
            self.report = Report.of(self.rules, reply.state)
        for rule in self.rules:
            if reply.is_held and rule not in theirs:
                self.report.lacks(rule)
                if rule in self._theirs:
                    log.warning("bridge blocked rule=%r why=%r", str(rule), OTHER_RULES)
        self._theirs = theirs

    def _begin(self, token: int, until: int, state: bytes) -> None:
        self.report = Report.of(self.rules, state or self.report.write())
        self.token = token
        log.info("bridge started")
        until = until or self._until
        if until and self._complete_since() > until:
            for rule in self.rules:
                if rule.is_to_kafka:
                    self._miss(
                        rule, "unattended", until - self._most_skew, self._complete_since() - self._skew
                    )
        self._listening.reported()
        self._until = until or self._done_until()

    def _is_ours(self) -> bool:
        return bool(self.token) and monotonic() - self._renewed_at < LEASE_MS / 1000

    def _lose(self) -> None:
        self.token, self.is_held = 0, False
        log.info("bridge stopped")

    @property
    def _lacks(self) -> bool:
        """Whether this process lacks messages that it should pass on."""
        return bool(self.token) and self._listening.lacks

    def _complete_since(self) -> int:
        """Messages published since then are here or in Kafka; by Redis's clock."""
        since = now_ms() if self._listening.since is None else self._listening.since
        return max(since, self._kept_since) + self._most_skew

    def _done_until(self) -> int:
        """Messages published before then are in Kafka; by Redis's clock."""
        heard = self._listening.heard if self._listening.selection.size else now_ms()
        oldest = self._outbox.oldest
        done = heard if oldest is None else min(heard, oldest)
        if self._lacks or not done:
            return self._until
        # The two clocks are read at different times: without max() it might go back a little.
        return max(self._until, done + self._skew)

    def _leave(self) -> None:
        end = monotonic() + FLUSH
        while self.token and not self._outbox.is_empty and monotonic() < end:
            self._to_kafka.pump()
            sleep(ROUND)
        self._topics.join(max(0.0, end - monotonic()))
        if self.token:
            self._step(is_wanted=False)

    # Outcomes

    def _passed(self, message: Kept) -> None:
        self.report.passed(message.rule)

    def _missed(self, message: Kept, why: Why) -> None:
        self._miss(message.rule, why, message.at, message.at, 1)

    def _miss(self, rule: Rule, why: Why, start: int, end: int, many: int | None = None) -> None:
        self.report.miss(rule, why, unix_ms(start), unix_ms(end), many)

    def _note_troubles(self) -> None:
        before, self._unheard = self._unheard, set()
        for rule in self.rules:
            if rule.is_to_kafka:
                refused = self._listening.refused.get(rule.channel, "")
                if refused:
                    self._unheard.add(rule)
                if refused or rule in before:
                    start, end = unix_ms(self._until - self._most_skew), unix_ms(now_ms())
                    self.report.keep_missing(rule, "unattended", start, end)
                why = ("redis", refused) if refused else self._to_kafka.trouble(rule.topic)
                self.report.set_trouble(rule, *why)

    # The thread of calls that wait for Kafka

    def _work_at_kafka(self) -> None:
        looked = 0.0
        while not self._stopping.is_set():
            is_busy = False
            try:
                if self.token and monotonic() - looked > LOOK_EVERY:
                    self._to_kafka.look()
                    looked = monotonic()
                for one in self._from_kafka:
                    if self.token:
                        is_busy = one.step(self.report) or is_busy
                    else:
                        one.close(self.report)
            except NotOurs:
                pass  # the next renewal finds it out too
            except KafkaFailed:
                is_busy = False  # too many calls to Kafka run already
            except Exception:
                log.exception("bridge failed")
                is_busy = False
            if not is_busy:
                self._stopping.wait(IDLE if self.token and self._from_kafka else TICK / 2)
        for one in self._from_kafka:
            one.close(self.report)


def _commands(verb: bytes, names: Selection) -> list[Command]:
    return [(verb, name) for name in names.channels] + [(b"P" + verb, name) for name in names.patterns]
