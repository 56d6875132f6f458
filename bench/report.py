"""The table and the picture of one run of the benchmark."""

import statistics
from collections.abc import Sequence
from html import escape
from typing import Protocol

from bench.servers import ROOT

FIGURES = ("delivered/s", "fan-out p50, ms", "fan-out p99, ms", "one tab p50, ms")
LIMIT = "Redis alone"


class Measured(Protocol):
    name: str
    set_up: str
    missing: str
    figures: dict[str, list[float]]


def write_report(
    peers: Sequence[Measured],
    growth: list[dict[str, float]],
    page: dict[str, float],
    memory: dict[str, list[float]],
    machine: str,
    rounds: int,
    save: bool,
) -> None:
    """Print the tables; with ``save`` write ``docs/benchmark.md`` and ``docs/benchmark.svg``."""
    parts = [
        "# Benchmark",
        f"Written by `make bench`. {machine}. Medians of {rounds} rounds, "
        "in brackets the least and the most. "
        "No loss, no duplicate and no wrong order in any figure: the load client checks every number.",
        _table(peers),
        "![Delivered messages a second](benchmark.svg)",
    ]
    if growth:
        parts += ["## Arauto with more sockets", _rows(growth)]
    if page:
        parts += ["## One tab at 5,000 messages a second, 30 seconds", _rows([page])]
    if memory:
        parts += ["## A recorded channel", list_figures(memory)]
    parts += ["## Set-ups", "\n".join(f"- **{peer.name}**: {peer.missing or peer.set_up}" for peer in peers)]
    text = "\n\n".join(parts) + "\n"
    print(f"\n{text}")
    if save:
        (ROOT / "docs" / "benchmark.md").write_text(text)
        (ROOT / "docs" / "benchmark.svg").write_text(_picture(peers))


def _table(peers: Sequence[Measured]) -> str:
    limit = next((peer for peer in peers if peer.name == LIMIT), None)
    rows = ["| server | " + " | ".join(FIGURES) + " | of Redis alone |", "|---" * (len(FIGURES) + 2) + "|"]
    for peer in peers:
        if peer.missing:
            continue
        share = _median(peer, FIGURES[0]) / _median(limit, FIGURES[0]) if limit else float("nan")
        cells = [_cell(peer.figures[figure]) for figure in FIGURES]
        rows.append(f"| {peer.name} | {' | '.join(cells)} | {share:.2f} |")
    return "\n".join(rows)


def list_figures(figures: dict[str, list[float]]) -> str:
    """One row a figure."""
    rows = ["| figure | median (least…most) |", "|---|---|"]
    return "\n".join(rows + [f"| {name} | {_cell(values)} |" for name, values in figures.items()])


def _median(peer: Measured, figure: str) -> float:
    return statistics.median(peer.figures[figure])


def _cell(values: list[float]) -> str:
    return f"{_number(statistics.median(values))} ({_number(min(values))}…{_number(max(values))})"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _rows(measured: list[dict[str, float]]) -> str:
    names = list(measured[0])
    rows = ["| " + " | ".join(names) + " |", "|---" * len(names) + "|"]
    rows += ["| " + " | ".join(_number(row[name]) for name in names) + " |" for row in measured]
    return "\n".join(rows)


def _picture(peers: Sequence[Measured]) -> str:
    """Horizontal bars; the file needs nothing but itself."""
    shown = [(peer.name, _median(peer, FIGURES[0])) for peer in peers if not peer.missing]
    most = max(value for _, value in shown)
    height = 40 + 34 * len(shown)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 {height}" '
        'font-family="system-ui, sans-serif" font-size="14" role="img">',
        "<title>Messages delivered a second, 1,000 sockets</title>",
        f'<rect width="760" height="{height}" fill="#fff"/>',
        '<text x="12" y="24" font-weight="600" fill="#222">Messages delivered a second, 1,000 sockets</text>',
    ]
    for place, (name, value) in enumerate(shown):
        y = 40 + 34 * place
        width = max(1, 400 * value / most)
        colour = "#b4450f" if name.startswith("Arauto") else "#9aa3ad"
        lines += [
            f'<text x="218" y="{y + 19}" text-anchor="end" fill="#222">{escape(name)}</text>',
            f'<rect x="228" y="{y + 4}" width="{width:.0f}" height="22" rx="3" fill="{colour}"/>',
            f'<text x="{236 + width:.0f}" y="{y + 20}" fill="#222">{value:,.0f}</text>',
        ]
    return "\n".join([*lines, "</svg>"]) + "\n"
