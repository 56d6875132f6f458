"""The page and the server filter alike: both get the same random filters and messages."""

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

from arauto.filter.problem import Problem
from arauto.filter.query import read_filter
from tests.support.servers import ROOT

FOR_THE_PAGE = ("regex", "filter_long")  # filters that the server leaves to the page, whatever else is wrong
SEED = 7
FILTERS, MESSAGES = 1_000, 200
NODE = Path(sys.executable).with_name("node")

CHANNELS = ["news.eu", "joão", "a"]
NAMES = [
    "level", "severity", "ms", "user", "user.name", "items", "items[0].sku", "a.b", "a", "x[1]", "priority",
    "joão", "$e", "0",
]  # fmt: skip
WORDS = [
    "error", "WARN", "crit", "debug", "ana", "João", "joa\u0303o", "disk", "\u0301", "ſ", "ẞ", "ß", "ss",
    "K", "k", "İ", "i", "ŉ", "ﬀ", "Ω", "ς", "Σ", "a-1", "a.b", "C:\\temp", "http://x", "12", "1.5", "-3",
    "1e3", "0x10", "12345678901234567890", "9007199254740993", "-12345678901234567891", "-1" + "0" * 299,
    "1e-7", "0.00001", "true", "null", "OR", "AND", "NOT", "a>b",
    "=", "!", "-", "|", "(", ")", "*", "?", "a*", "*n*", "?na", "\u00a0", "😀", "日本", "\x1b[1m",
    "\ufeff", "/x/i", "/var", "has:", "has:user", '"', "“", "has:a|b", "\\u00e3", "status=500",
    'level: "error"',
]  # fmt: skip
SIGNS = [":", "=", "!=", ">", "<", ">=", "<=", "==", " = ", " > ", " >= ", " !=", "> "]
NUMBERS = [
    0, -0.0, 1, 1.5, 3000, -3, 1e3, 12345678901234567890, -12345678901234567891, 2**53, 2**53 + 1,
    "9007199254740993", " +9007199254740993 ", -(10**299), 10**300, 1e21, 1e-7, 0.00001, 2.5e-6, 1.7e308,
]  # fmt: skip


class Maker:
    """Makes filters and messages, mostly of meaningful parts."""

    def __init__(self, seed: int) -> None:
        self.of = random.Random(seed)

    def filter(self, depth: int = 0) -> str:
        parts = [self.term(depth) for _ in range(self.of.choice((1, 1, 1, 2, 2, 3)))]
        return self.of.choice((" ", " ", " OR ", "|", " AND ", "")).join(parts)

    def term(self, depth: int) -> str:
        before = self.of.choice(("", "", "", "", "-", "!", "NOT "))
        kind = self.of.randrange(10)
        if kind < 2 and depth < 3:
            return f"{before}({self.filter(depth + 1)}{self.of.choice((')', ')', ')', ''))}"
        if kind < 7:
            return before + self.of.choice(NAMES) + self.of.choice(SIGNS) + self.values(depth)
        return before + self.value()

    def values(self, depth: int) -> str:
        kind = self.of.randrange(8)
        if kind == 0 and depth < 3:
            return f"({self.filter(depth + 1)})"
        return "|".join(self.value() for _ in range(2)) if kind == 1 else self.value()

    def value(self) -> str:
        word = self.of.choice(WORDS)
        kind = self.of.randrange(6)
        return f'"{word}"' if kind == 0 else f'"{word} {self.of.choice(WORDS)}"' if kind == 1 else word

    def message(self) -> str:
        kind = self.of.randrange(10)
        if kind < 3:
            signs = (" ", " ", "=", ": ", " = ", ":")
            return "".join(self.of.choice(WORDS + NAMES) + self.of.choice(signs) for _ in range(4))
        text = json.dumps(self.json(), ensure_ascii=self.of.random() < 0.5)
        if kind == 3:
            return json.dumps(text, ensure_ascii=self.of.random() < 0.5)
        if kind == 4:
            return text + self.of.choice(("", "\n", "\u00a0", ",")) + json.dumps(self.json())
        if kind == 5:
            return text[: self.of.randrange(len(text))]
        return self.of.choice(("", "", "", "\ufeff", "\x1b[31m", " ")) + text

    def json(self, depth: int = 0) -> Any:
        kind = self.of.randrange(3) if depth < 3 else 3
        if kind == 0 and depth:
            return [self.leaf(depth) for _ in range(self.of.randrange(3))]
        if kind == 3:
            return self.leaf(depth)
        return {self.name(): self.leaf(depth) for _ in range(self.of.randrange(4))}

    def name(self) -> str:
        return self.of.choice(
            self.of.choice((NAMES, ["level", "user", "name", "items", "sku", "x", "b", "length"]))
        )

    def leaf(self, depth: int) -> Any:
        leaves = (
            self.of.choice(WORDS),
            self.of.choice(NUMBERS),
            self.of.choice((True, False, None, "", "\ud83d")),
        )
        return self.json(depth + 1) if depth < 3 and self.of.random() < 0.4 else self.of.choice(leaves)


def test_the_page_and_the_server_find_the_same() -> None:
    maker = Maker(SEED)
    filters = [maker.filter() for _ in range(FILTERS)]
    messages = [[maker.of.choice(CHANNELS), maker.message()] for _ in range(MESSAGES)]
    messages = [[channel, data] for channel, data in messages if data.isascii() or "\ud83d" not in data]
    given = json.dumps({"folder": str(ROOT), "messages": messages, "filters": filters})
    ran = subprocess.run(
        [NODE, "--no-warnings", Path(__file__).with_name("page_filter.mjs")],
        input=given,
        capture_output=True,
        text=True,
        check=True,
    )
    found = 0
    for text, answer in zip(filters, json.loads(ran.stdout), strict=True):
        if answer not in FOR_THE_PAGE and (ours := server_finds(text, messages)) not in FOR_THE_PAGE:
            assert ours == answer, text
        found += isinstance(answer, list) and 0 < len(answer) < len(messages)
    assert found > FILTERS / 4


def server_finds(text: str, messages: list[list[str]]) -> list[int] | str:
    try:
        wanted = read_filter(text)
    except Problem as problem:
        return problem.word
    return [n for n, (channel, data) in enumerate(messages) if wanted.passes(channel, data.encode())]
