"""``python -m tests.simulator --seeds 10000``: play schedules; a failing one is shrunk and printed."""

import argparse
import sys
from time import perf_counter

from tests.simulator.protocol import Protocol
from tests.simulator.schedule import play, shrink


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.simulator", description=__doc__)
    parser.add_argument("--seeds", type=int, default=10_000, help="how many schedules to play")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    given = parser.parse_args()
    began = perf_counter()
    protocol = Protocol()
    gaps = rows = 0
    for seed in range(given.first, given.first + given.seeds):
        try:
            world = play(seed, protocol)
        except Exception as error:
            print(f"seed {seed}: {type(error).__name__}: {error}")
            acts = shrink(seed, protocol)
            for act in acts:
                print(f"  {act}")
            try:
                play(seed, protocol, acts)
            except Exception as less:
                print(f"  {type(less).__name__}: {less}")
            sys.exit(1)
        for tab in world.tabs:
            rows += len(tab.page.rows)
            gaps += sum(hasattr(row, "reason") for row in tab.page.rows)
    took = perf_counter() - began
    print(f"{given.seeds} schedules kept every promise in {took:.1f} s: {rows} rows, {gaps} of them gaps.")


if __name__ == "__main__":
    main()
