"""make flaky: run tests again and again, in random order, beside two busy loops, and report failures.

A test that passes only by luck, speed or the order of two events does not pass twenty times like this.
"""

import argparse
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# The loop ends with this process, however that ends.
BUSY = "import os, sys\nwhile os.getppid() == int(sys.argv[1]): pass"
LOOPS = 2


def main() -> None:
    parser = argparse.ArgumentParser(prog="make flaky", description=__doc__)
    parser.add_argument("--count", type=int, default=20, help="how often each test runs (default 20)")
    parser.add_argument(
        "--seed", type=int, default=random.randrange(2**32), help="as a run before printed it"
    )
    parser.add_argument("--jobs", type=int, default=4, help="tests at a time (default 4)")
    parser.add_argument("tests", nargs="+", help="files, directories or single tests")
    given = parser.parse_args()
    with busy_machine():
        status = repeat(given.tests, given.count, given.seed, given.jobs)
    print(f"{'Green' if status == 0 else 'Red'}. Seed {given.seed}.")
    sys.exit(status)


@contextmanager
def busy_machine() -> Iterator[list[int]]:
    loops = [subprocess.Popen([sys.executable, "-c", BUSY, str(os.getpid())]) for _ in range(LOOPS)]
    try:
        yield [loop.pid for loop in loops]
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def repeat(tests: list[str], count: int, seed: int, jobs: int) -> int:
    """Run the tests and return the exit status. Tests of time limits are left out: they must run alone."""
    order = ["-p", "randomly", f"--randomly-seed={seed}"]
    often = [f"--count={count}", "--repeat-scope=session"]
    spread = ["-n", str(jobs), "--dist", "worksteal", "-m", "not alone"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *order, *often, *spread, *tests], check=False
    ).returncode


if __name__ == "__main__":
    main()
