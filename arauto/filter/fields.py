"""Fields of JSON: found by a path, and compared as the page does."""

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from math import isfinite
from typing import Any

from arauto.filter.spaces import SPACES

DEEPEST = 500  # levels of nested objects and lists that are searched

_END = object()
_INDEX = re.compile(r"[0-9]+")
_IN_LIST = re.compile(r"0|[1-9][0-9]{0,8}")
_NUMBER = re.compile(rf"[{SPACES}]*([-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)[{SPACES}]*")
_MOST_EXACT = 2**53 - 1
_LONG_INTEGER = re.compile(rf"[{SPACES}]*([-+]?[0-9]{{16,300}})[{SPACES}]*")


class Path:
    """The path of a field: ``items[0].sku``. In a list, any element may match."""

    def __init__(self, field: str) -> None:
        self._steps = list(filter(None, re.split(r"[.\[\]]+", field)))
        self._rests = [".".join(self._steps[at:]) for at in range(len(self._steps))]
        names = [step for step in self._steps if not _INDEX.fullmatch(step)]
        self.name = names[-1] if names else field
        """A name that each text with the field contains, except for escapes."""

    def leads(self, value: Any, test: Callable[[Any], bool]) -> bool:
        """Whether ``test`` holds for a value at this path."""
        left: list[tuple[Iterator[Any], int]] = [(iter((value,)), 0)]  # and how many steps are done
        while left:
            here, done = left[-1]
            if (found := next(here, _END)) is _END:
                left.pop()
            elif (within := self._within(found, done)) is not None:
                if len(left) <= DEEPEST:
                    left.append(within)
            elif done == len(self._steps) and test(found):
                return True
        return False

    def _within(self, value: Any, done: int) -> tuple[Iterator[Any], int] | None:
        """The values one step further, and how many steps are done then; ``None`` at the end."""
        is_end = done == len(self._steps)
        if isinstance(value, list):
            if not is_end and _INDEX.fullmatch(self._steps[done]):
                is_there = _IN_LIST.fullmatch(self._steps[done]) and int(self._steps[done]) < len(value)
                return iter((value[int(self._steps[done])],) if is_there else ()), done + 1
            return (iter(value), done) if value or not is_end else None
        if is_end:
            return None
        if isinstance(value, dict):
            if self._rests[done] in value:
                return iter((value[self._rests[done]],)), len(self._steps)
            if self._steps[done] in value:
                return iter((value[self._steps[done]],)), done + 1
        return iter(()), done


def number_in(found: Any) -> float | None:
    """The value as a number, also if it is a text; ``None``: it is none."""
    if isinstance(found, str):
        written = _NUMBER.fullmatch(found)
        return float(written[1]) if written else None
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None


def exactly_in(found: Any) -> float | None:
    """As :func:`number_in`, but with all digits of an integer that is a text of 16 to 300 digits."""
    written = _LONG_INTEGER.fullmatch(found) if isinstance(found, str) else None
    return int(written[1]) if written else number_in(found)


def is_exact(number: float) -> bool:
    """Whether it has the digits that were published: JSON parsers round others."""
    return not number.is_integer() or abs(number) <= _MOST_EXACT


def as_text(found: Any) -> str:
    """The value as JavaScript prints it, folded; empty for objects and lists."""
    if found is None or isinstance(found, bool):
        return {None: "null", True: "true", False: "false"}[found]
    number = number_in(found) if not isinstance(found, str) else None
    if number is None:
        return ""
    if not isfinite(number):
        return "infinity" if number > 0 else "-infinity"
    if number.is_integer() and abs(number) < 1e21:
        return str(int(number))
    written = repr(number)
    if written.endswith(("e-05", "e-06")):
        return format(Decimal(written), "f")
    return written.replace("e-0", "e-")
