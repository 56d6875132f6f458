"""The bridge's counters and gaps: stored with the lease, so that its next holder continues them."""

import json
import logging
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Literal

from arauto.text.bridge_rules import Rule

MOST = 20  # gaps
REST = 1000  # milliseconds without another missed message, after which a gap is over

Why = Literal["unattended", "full", "too large", "refused", "retention", "replaced", "truncated"]

log = logging.getLogger("arauto")


def rules_in(state: bytes, rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """The rules that the process which wrote ``state`` has too; all if it is empty or of another version."""
    try:
        written = json.loads(state)["rules"]
        return tuple(rule for rule in rules if str(rule) in written)
    except (ValueError, TypeError, KeyError):
        return tuple(rules)


@dataclass
class Missed:
    """Messages that were not passed on, or may not have been; ``start`` and ``end`` in Unix milliseconds.

    :param many: how many, at most; ``None``: unknown.
    """

    rule: str
    why: Why
    start: int
    end: int
    many: int | None


@dataclass
class Progress:
    """Counters of one rule.

    :param passed: messages that were passed on; some of them twice.
    :param own: messages that this bridge itself produced, which are not passed back.
    :param empty: messages without data.
    :param trouble: why it is blocked: source, kind, words; empty: it is not.
    """

    passed: int = 0
    own: int = 0
    empty: int = 0
    missed: int = 0
    trouble: tuple[str, ...] = ()


@dataclass
class Report:
    """The report of this process, or as another one has written it."""

    rules: dict[str, Progress] = field(default_factory=dict)
    missed: list[Missed] = field(default_factory=list)
    waiting: int = 0

    @classmethod
    def of(cls, rules: Iterable[Rule], state: bytes = b"") -> "Report":
        """Read what ``state`` has of these rules; the others begin at zero."""
        made = cls({str(rule): Progress() for rule in rules})
        try:
            written = json.loads(state or b"{}")
            made.missed = [Missed(**one) for one in written.get("missed", [])]
            for name, one in written.get("rules", {}).items():
                if name in made.rules:
                    made.rules[name] = Progress(**one | {"trouble": tuple(one["trouble"])})
            made.waiting = int(written.get("waiting", 0))
        except (ValueError, TypeError, KeyError, AttributeError):
            pass  # another version wrote it
        return made

    def write(self) -> bytes:
        """Serialize, for :meth:`of`."""
        return json.dumps(asdict(self), separators=(",", ":")).encode()

    def lacks(self, rule: Rule) -> None:
        """The holder of the lease has no such rule."""
        self.rules[str(rule)].trouble = ("rules",)

    def passed(self, rule: Rule, many: int = 1) -> None:
        self.rules[str(rule)].passed += many

    def miss(self, rule: Rule, why: Why, start: int, end: int, many: int | None = None) -> None:
        """Add a gap and log it; messages missed one by one make one gap, logged when it begins."""
        name = str(rule)
        self.rules[name].missed += many or 0
        last = self._last(name, why)
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

    def keep_missing(self, rule: Rule, why: Why, start: int, end: int) -> None:
        """Extend the last gap, if ``start`` is in it; else add one."""
        last = self._last(str(rule), why)
        if last is None or last.end < start:
            self.miss(rule, why, start, end)
        else:
            last.end = max(last.end, end)

    def _last(self, name: str, why: Why) -> Missed | None:
        return next((one for one in reversed(self.missed) if (one.rule, one.why) == (name, why)), None)

    def set_trouble(self, rule: Rule, *trouble: str) -> None:
        """Set why the rule is blocked; no words: it is not."""
        progress = self.rules[str(rule)]
        if trouble and trouble != progress.trouble:
            log.warning("bridge blocked rule=%r why=%r", str(rule), trouble[-1])
        progress.trouble = trouble
