"""The messages that the bridge receives from Redis, and since when it has missed none (pure)."""

from functools import lru_cache

from arauto.bridge.outbox import Kept
from arauto.protocol.events import Item, Lost, Refused
from arauto.protocol.selection import Change, Selection
from arauto.recording_core.log_keys import is_recordable
from arauto.text.bridge_rules import Rule
from arauto.text.glob import matches


class Listening:
    """Takes the items of one subscriber; all times in milliseconds by a clock that nobody sets.

    :param rules: those that take from channels.
    """

    def __init__(self, rules: list[Rule]) -> None:
        self.since: int | None = None if rules else 0
        """All messages published since then were received; ``None``: not all are received now."""
        self.lacks = False
        """Whether messages are missing that nobody has reported."""
        self.heard = 0
        """All messages published between ``since`` and then were received; 0: not known yet."""
        self.outage = ""
        """Why not all are received now, in Redis's words, if known."""
        self.refused: dict[bytes, str] = {}
        """Redis's error for each name that it refuses; the empty name: the login."""
        self._rules = rules
        names = dict.fromkeys(rule.channel for rule in rules if not rule.is_pattern)
        patterns = dict.fromkeys(rule.channel for rule in rules if rule.is_pattern)
        self.selection = Selection(tuple(names), tuple(patterns))
        self._wanted = {*names, *patterns}
        self._confirmed: set[bytes] = set()
        self._asked: int | None = None  # when the PING was sent that is not answered yet
        self._rules_of = lru_cache(4096)(self._find_rules)

    def take(self, item: Item, now: int) -> list[Kept]:
        """The messages for topics in an item."""
        if isinstance(item, list):
            return self._take(item, now)
        if isinstance(item, Lost):
            self.lose()
            self.outage = item.detail if self._rules else ""
        elif isinstance(item, Refused):
            self.refused[item.name] = item.error
            self._rules_of.cache_clear()
            if item.name:
                self._check(now)
            else:
                self.lose()
        return []

    def lose(self) -> None:
        """Messages may be missing, until all names are confirmed again."""
        if self._rules and self.since is not None:
            self.since = None
            self.lacks = True
        self._confirmed.clear()
        self._asked = None

    def asks(self, now: int) -> None:
        """A PING is sent: its answer comes after all messages that were published before."""
        if self._asked is None:
            self._asked = now

    def reported(self) -> None:
        """What is missing until now has been reported."""
        self.lacks = False

    def retry(self) -> Change:
        """The refused names, to subscribe to again: Redis may allow them by now."""
        there = self.refused.keys()
        return Change(
            subscribe=tuple(one for one in self.selection.channels if one in there),
            psubscribe=tuple(one for one in self.selection.patterns if one in there),
        )

    def _take(self, push: list[bytes], now: int) -> list[Kept]:
        kind = push[0]
        if kind == b"message":
            return [
                Kept(now, rule, push[1], push[2], self.heard) for rule in self._rules_of(push[1], push[1])
            ]
        if kind == b"pmessage":
            return [
                Kept(now, rule, push[2], push[3], self.heard) for rule in self._rules_of(push[1], push[2])
            ]
        if kind in (b"subscribe", b"psubscribe"):
            self.refused.pop(b"", None)
            if self.refused.pop(push[1], None) is not None and self.since is not None:
                self.since = now
            self._confirmed.add(push[1])
            self._rules_of.cache_clear()
            self._check(now)
        if kind == b"pong" and self._asked is not None:
            self.heard, self._asked = self._asked, None
        return []

    def _check(self, now: int) -> None:
        if self.since is None and self._wanted <= self._confirmed | self.refused.keys():
            self.since = now
            self.outage = ""

    def _find_rules(self, source: bytes, channel: bytes) -> tuple[Rule, ...]:
        """The rules of ``source`` for a channel; where two match, a topic gets the message by the first."""
        if not is_recordable(channel) and not source.startswith(b"__key"):
            return ()
        first: dict[str, Rule] = {}
        for rule in self._rules:
            is_source = matches(rule.channel, channel) if rule.is_pattern else rule.channel == channel
            if is_source and rule.channel not in self.refused:
                first.setdefault(rule.topic, rule)
        return tuple(rule for rule in first.values() if rule.channel == source)
