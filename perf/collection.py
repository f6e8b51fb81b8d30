"""What collecting a large matrix costs beside a plain `parametrize` of the same size.

    python perf/collection.py [--tasks N] [--seeds N] [--rounds N]

Every run is `pytest --collect-only -q` in a fresh process with plugins loaded as in real life; the two ways take turns.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tabulate import tabulate

STRATEGIES = ("always-cloud", "always-local", "heuristic", "cascade")

_MANIFEST = """\
title: Task {index}
class: D5
difficulty: easy
instruction: Make `add` add.
files: {{edit: [calc.py]}}
"""


def make_suite(root: Path, tasks: int) -> None:
    """A suite of that many small task folders below `root`, and a configuration file that makes it the root."""
    (root / "pytest.ini").write_text("[pytest]\n")
    for index in range(tasks):
        folder = root / "suite" / f"task-{index:03}"
        for name in ("workspace", "hidden", "solution"):
            (folder / name).mkdir(parents=True)
        (folder / "task.yaml").write_text(_MANIFEST.format(index=index))
        (folder / "workspace" / "calc.py").write_text("def add(a, b):\n    return a - b\n")
        (folder / "solution" / "calc.py").write_text("def add(a, b):\n    return a + b\n")
        (folder / "hidden" / "test_calc.py").write_text(
            "from calc import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n"
        )


def make_plain(root: Path, tests: int) -> None:
    """One test file with that many parametrized tests."""
    (root / "pytest.ini").write_text("[pytest]\n")
    (root / "test_plain.py").write_text(
        f"import pytest\n\n\n@pytest.mark.parametrize('number', range({tests}))\ndef test_it(number):\n    pass\n"
    )


def measured(command: list[str], folder: Path) -> tuple[float, float, str]:
    """Seconds, peak MiB and the last line of output of a command that must succeed."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(Path(tempfile.gettempdir()) / "hybrideval-perf-bytecode")
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        lines = output.read().decode().splitlines()
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n" + "\n".join(lines[-20:]))
    return seconds, usage.ru_maxrss / 1024, lines[-1]


def measure(tasks: int = 100, seeds: int = 125, rounds: int = 3) -> list[dict[str, float | str]]:
    """A row per case: what was collected, ours and plain parametrize in median seconds and peak MiB, and ratios."""
    collect = [sys.executable, "-m", "pytest", "--collect-only", "-q"]
    matrix = ["--strategy", ",".join(STRATEGIES), "--seeds", ",".join(map(str, range(seeds)))]
    total = tasks * len(STRATEGIES) * seeds
    with tempfile.TemporaryDirectory() as ours, tempfile.TemporaryDirectory() as plain:
        make_suite(Path(ours), tasks)
        make_plain(Path(plain), total)
        cases = {
            f"all {total:,}": ([], []),
            # One task of a hundred, and the numbers that end in 77.
            "-k, 1 %": (["-k", "task-000"], ["-k", "77]"]),
        }
        found: dict[tuple[str, str], list[tuple[float, float, str]]] = {
            (case, way): [] for case in cases for way in ("ours", "plain")
        }
        measured([*collect, *matrix[:2], "suite/task-000"], Path(ours))  # compiles what the others import
        for _ in range(rounds):
            for case, (our_choice, plain_choice) in cases.items():
                found[case, "ours"].append(measured([*collect, *matrix, *our_choice], Path(ours)))
                found[case, "plain"].append(measured([*collect, *plain_choice], Path(plain)))
    return [_row(case, found[case, "ours"], found[case, "plain"]) for case in cases]


def _row(
    case: str, ours: list[tuple[float, float, str]], plain: list[tuple[float, float, str]]
) -> dict[str, float | str]:
    (our_s, our_mib), (plain_s, plain_mib) = (
        [statistics.median(run[column] for run in runs) for column in (0, 1)] for runs in (ours, plain)
    )
    return {
        "collected": case,
        "ours s": our_s,
        "parametrize s": plain_s,
        "s ratio": our_s / plain_s,
        "ours MiB": our_mib,
        "parametrize MiB": plain_mib,
        "MiB ratio": our_mib / plain_mib,
    }


def table(rows: list[dict[str, float | str]]) -> str:
    """The rows for people."""
    formats = ("", ".2f", ".2f", ".2f", ".0f", ".0f", ".2f")
    return tabulate([list(row.values()) for row in rows], headers=list(rows[0]), floatfmt=formats)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=100)
    parser.add_argument("--seeds", type=int, default=125)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print(table(measure(options.tasks, options.seeds, options.rounds)))


if __name__ == "__main__":
    main()
