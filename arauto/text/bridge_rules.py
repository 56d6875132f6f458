"""Parses ARAUTO_BRIDGE, the rules of the bridge between Redis's channels and Kafka's topics (pure)."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from arauto.text.cleanup import trimmed
from arauto.text.glob import is_ambiguous, matches

_KAFKA = "kafka:"
_TOPIC = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}")
_SPECIAL = frozenset("*?[\\")
_LONGEST = 256  # bytes of a channel's name
_FORM = "rules such as alerts.* -> kafka:alerts, kafka:orders -> orders"


class Rule(NamedTuple):
    """Passes messages of ``channel`` to ``topic``, or of ``topic`` to ``channel``.

    :param channel: a name; or a glob, if ``is_to_kafka``.
    """

    channel: bytes
    topic: str
    is_to_kafka: bool

    @property
    def is_pattern(self) -> bool:
        """Whether the channel is a glob."""
        return bool(_SPECIAL & set(self.channel.decode()))

    def __str__(self) -> str:
        channel, topic = self.channel.decode(), _KAFKA + self.topic
        return f"{channel} -> {topic}" if self.is_to_kafka else f"{topic} -> {channel}"


def read_rules(text: str) -> tuple[Rule, ...]:
    """Parse rules with commas between them.

    :raise ValueError: they cannot be used; the text says what to give instead.
    """
    rules = tuple(dict.fromkeys(_read(part) for part in text.split(",") if trimmed(part)))
    if circle := _circle(rules):
        raise ValueError(
            "rules of which none gets back what another one has taken, as it does by " + " and ".join(circle)
        )
    return rules


def _read(text: str) -> Rule:
    sides = [trimmed(side) for side in text.split("->")]
    if len(sides) != 2 or not all(sides):
        raise ValueError(_FORM)
    is_topic = [side.startswith(_KAFKA) for side in sides]
    if all(is_topic) or not any(is_topic):
        raise ValueError(f"kafka: before the topic, and not before the channel, of {trimmed(text)}")
    is_to_kafka = is_topic[1]
    channel, topic = sides if is_to_kafka else reversed(sides)
    topic = topic.removeprefix(_KAFKA)
    if not _TOPIC.fullmatch(topic):
        raise ValueError(
            "the exact name of one topic, of letters and digits of ASCII, dots, _ and -, "
            f"in place of {_KAFKA}{topic}"
        )
    if len(channel.encode()) > _LONGEST or not channel.isprintable():
        raise ValueError(f"the name of a channel of at most {_LONGEST} bytes, and in one line")
    if channel.startswith("arauto:"):
        raise ValueError(
            f"another channel than {channel}: those that begin with arauto: are the program's own"
        )
    if is_ambiguous(channel.encode()):
        raise ValueError("each letter by itself where a range goes from ASCII to beyond, as [a-é] does")
    rule = Rule(channel.encode(), topic, is_to_kafka)
    if not is_to_kafka and rule.is_pattern:
        raise ValueError(f"the exact name of one channel in place of {channel}, to which {topic} is to go")
    return rule


def _circle(rules: Iterable[Rule]) -> list[str]:
    """Two rules by which messages would return to the topic that they come from; or none."""
    steps = [
        (taken, given)
        for taken in rules
        for given in rules
        if not taken.is_to_kafka and given.is_to_kafka and matches(given.channel, taken.channel)
    ]
    after: dict[str, set[str]] = {}
    for taken, given in steps:
        after.setdefault(taken.topic, set()).add(given.topic)
    for taken, given in steps:
        seen: set[str] = set()
        ways = {given.topic}
        while ways - seen:
            seen |= ways
            ways = {topic for one in ways for topic in after.get(one, ())}
        if taken.topic in seen:
            return [str(taken), str(given)]
    return []
