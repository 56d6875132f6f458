"""The bridge's counters and gaps: stored with the lease, so that its next holder continues them."""

import json
import logging
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, TypeGuard, TypeVar, get_args

from arauto.text.bridge_rules import Rule

MOST = 20  # gaps
REST = 1000  # milliseconds without another missed message, after which a gap is over

Why = Literal["unattended", "full", "too large", "refused", "retention", "replaced", "truncated"]

KnownPlace = tuple[int, str, int | None]
"""An offset, the topic's id, and the epoch of the partition's leader."""

log = logging.getLogger("arauto")


def rules_in(state: bytes, rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """The rules that the process which wrote ``state`` has too; all if it is empty or of another version."""
    written = _read(state).get("rules")
    return tuple(rule for rule in rules if not isinstance(written, dict) or str(rule) in written)


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
    places: dict[str, dict[str, KnownPlace]] = field(default_factory=dict)
    """Where the bridge was in each topic, by partition: Kafka forgets it with the topic, or after days."""

    @classmethod
    def of(cls, rules: Collection[Rule], state: bytes = b"") -> "Report":
        """Read what ``state`` has of these rules; the others begin at zero."""
        made = cls({str(rule): Progress() for rule in rules})
        written = _read(state)
        with suppress(ValueError, TypeError, KeyError, AttributeError):  # another version wrote it
            made.missed = [_checked(Missed(**one)) for one in written["missed"]]
        with suppress(ValueError, TypeError, KeyError, AttributeError):
            for name, one in written["rules"].items():
                if name in made.rules:
                    made.rules[name] = _checked(Progress(**one | {"trouble": tuple(one["trouble"])}))
        topics = {rule.topic for rule in rules if not rule.is_to_kafka}
        with suppress(ValueError, TypeError, KeyError, AttributeError):
            for topic in topics & written["places"].keys():
                made.places[topic] = {
                    str(int(one)): _place(*at) for one, at in written["places"][topic].items()
                }
        made.waiting = waiting if _is_number(waiting := written.get("waiting")) else 0
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


Part = TypeVar("Part", Missed, Progress)


def _read(state: bytes) -> dict[str, Any]:
    """The JSON object in ``state``; empty if there is none."""
    try:
        read = json.loads(state)
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}


def _checked(part: Part) -> Part:
    """:raise ValueError: a field has another type than it is declared with."""
    for one in fields(part):
        value = getattr(part, one.name)
        match one.name:
            case "rule":
                fits = isinstance(value, str)
            case "why":
                fits = value in get_args(Why)
            case "trouble":
                fits = all(isinstance(word, str) for word in value)
            case _:
                fits = _is_number(value) or (one.name == "many" and value is None)
        if not fits:
            raise ValueError(one.name)
    return part


def _place(offset: int, epoch: str, leader: int | None) -> KnownPlace:
    if not (_is_number(offset) and isinstance(epoch, str) and (leader is None or _is_number(leader))):
        raise ValueError(offset, epoch, leader)
    return offset, epoch, leader


def _is_number(value: object) -> TypeGuard[int]:
    """Whether it is a whole number that is not absurd, such as a count or a time in milliseconds."""
    return isinstance(value, int) and 0 <= value < 1 << 53
