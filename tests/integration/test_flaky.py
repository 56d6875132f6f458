"""``make flaky`` finds a test that passes by luck, prints how to repeat the run, and leaves no load."""

import subprocess
import sys
from pathlib import Path

import psutil

from tests.support.servers import ROOT
from tests.support.waiting import PATIENCE, eventually

EVERY_SECOND_TIME = """
from pathlib import Path

def test_luck():
    times = Path(__file__).with_suffix(".times")
    with times.open("a") as file:
        file.write("x")
    assert len(times.read_text()) % 2

def test_no_luck():
    pass
"""


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.flaky", "--count", "2", "--jobs", "0", *arguments]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=5 * PATIENCE, check=False
    )


def test_what_passes_by_luck_is_named_with_the_seed_to_repeat_it(tmp_path: Path) -> None:
    lucky = tmp_path / "test_lucky.py"
    lucky.write_text(EVERY_SECOND_TIME)
    done = run("--seed", "7", str(lucky))
    assert done.returncode == 1, done
    assert "::test_luck[" in done.stdout
    assert "::test_no_luck[" not in done.stdout
    assert "1 failed, 3 passed" in done.stdout
    assert done.stdout.endswith("Red. Seed 7.\n")


def test_the_load_ends_with_its_maker() -> None:
    make = "import tests.flaky as f\nwith f.busy_machine() as pids: print(*pids, flush=True); input()"
    command = [sys.executable, "-c", make]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        pids = [int(pid) for pid in process.stdout.readline().split()]
        assert len(pids) == 2
        assert all(map(psutil.pid_exists, pids))
        process.kill()
    eventually(lambda: not any(map(psutil.pid_exists, pids)))


def test_what_needs_no_luck_is_green() -> None:
    done = run("tests/unit/text/test_glob.py::test_a_pattern_of_many_stars_takes_no_time")
    assert done.returncode == 0, done
    assert "2 passed" in done.stdout
    assert "\nGreen. Seed " in done.stdout
