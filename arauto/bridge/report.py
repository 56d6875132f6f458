"""What the bridge has done and missed: kept beside the lease, so that whoever is at work goes on with it."""

import json
import logging
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Literal

from arauto.text.bridge_rules import Rule

MOST = 20  # spans
REST = 1000  # milliseconds without another one, after which a span is over

Why = Literal["unattended", "full", "too large", "refused", "retention", "replaced", "truncated"]

log = logging.getLogger("arauto")


def rules_in(state: bytes, rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """Those that whoever wrote ``state`` has too; all where nobody wrote any, or another version."""
    try:
        told = json.loads(state)["rules"]
        return tuple(rule for rule in rules if str(rule) in told)
    except (ValueError, TypeError, KeyError):
        return tuple(rules)


@dataclass
class Missed:
    """Messages that were not passed on, or may not have been; ``start`` and ``end`` in Unix milliseconds.

    :param many: how many, at most; ``None``: nobody knows.
    """

    rule: str
    why: Why
    start: int
    end: int
    many: int | None


@dataclass
class Progress:
    """Of one rule.

    :param passed: messages that were passed on; some of them twice.
    :param own: messages of this bridge, which are not brought back; ``empty``: those without data.
    :param trouble: why it stands still: of whom, of what kind, in which words; empty: it does not.
    """

    passed: int = 0
    own: int = 0
    empty: int = 0
    missed: int = 0
    trouble: tuple[str, ...] = ()


@dataclass
class Report:
    """Of this process, or what another one has written."""

    rules: dict[str, Progress] = field(default_factory=dict)
    missed: list[Missed] = field(default_factory=list)
    waiting: int = 0

    @classmethod
    def of(cls, rules: Iterable[Rule], state: bytes = b"") -> "Report":
        """What ``state`` says of these rules; what it does not say begins anew."""
        made = cls({str(rule): Progress() for rule in rules})
        try:
            told = json.loads(state or b"{}")
            made.missed = [Missed(**one) for one in told.get("missed", [])]
            for name, one in told.get("rules", {}).items():
                if name in made.rules:
                    made.rules[name] = Progress(**one | {"trouble": tuple(one["trouble"])})
            made.waiting = int(told.get("waiting", 0))
        except (ValueError, TypeError, KeyError, AttributeError):
            pass  # another version wrote it
        return made

    def write(self) -> bytes:
        """As :meth:`of` reads it."""
        return json.dumps(asdict(self), separators=(",", ":")).encode()

    def lacks(self, rule: Rule) -> None:
        """Who is at work has no such rule."""
        self.rules[str(rule)].trouble = ("rules",)

    def passed(self, rule: Rule, many: int = 1) -> None:
        self.rules[str(rule)].passed += many

    def miss(self, rule: Rule, why: Why, start: int, end: int, many: int | None = None) -> None:
        """Note a span, and log it; what is missed one by one is one span, logged when it is over."""
        name = str(rule)
        self.rules[name].missed += many or 0
        last = next((one for one in reversed(self.missed) if (one.rule, one.why) == (name, why)), None)
        if many == 1 and last and last.many is not None and start <= last.end + REST:
            last.end, last.many = max(last.end, end), last.many + 1
            return
        found = Missed(name, why, start, end, many)
        self.missed.append(found)
        del self.missed[:-MOST]
        log.warning(
            "bridge missed rule=%r why=%r from=%d to=%d messages=%s",
            name, why, start, end, "unknown" if many is None else many,
        )  # fmt: skip

    def stand_still(self, rule: Rule, *trouble: str) -> None:
        """Say why the rule does not go on; nothing: it does."""
        progress = self.rules[str(rule)]
        if trouble and trouble != progress.trouble:
            log.warning("bridge blocked rule=%r why=%r", str(rule), trouble[-1])
        progress.trouble = trouble
