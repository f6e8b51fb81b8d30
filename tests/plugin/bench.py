"""A folder of tiny tasks, and pytest runs over it. What runs is real but for the agent: `ScriptedAgent`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

TASK_YAML = """\
title: Add two numbers
class: {task_class}
difficulty: easy
topics: [{topic}]
instruction: Make `add(a, b)` return the sum of its arguments.
files:
  edit: [calc.py]
near_misses:
  minus: Subtracts.
"""
CLOCKS = frozenset({"stages", "started_at", "worker", "local_seconds"})
CALL_CLOCKS = frozenset({"started", "seconds", "first_byte"})


class Bench:
    """Makes suites in pytester's folder, runs pytest on them, and reads what the run has written."""

    def __init__(self, pytester: pytest.Pytester, cache: Path) -> None:
        """`cache` is pytest's cache folder for all benches of a session: reference ids are found once."""
        self.pytester = pytester
        self.path = pytester.path
        self._cache = cache

    def native(
        self, name: str = "add", suite: str = "small", task_class: str = "D1", topic: str = "arithmetic"
    ) -> Path:
        """A task of our own format: the solution adds, its near miss subtracts."""
        files = {
            "task.yaml": TASK_YAML.format(task_class=task_class, topic=topic),
            "workspace/calc.py": "def add(a, b):\n    return 0\n",
            "workspace/test_visible.py": "def test_visible():\n    assert False, 'no ordinary test'\n",
            "hidden/test_calc.py": "from calc import add\n\n\ndef test_add():\n    assert add(2, 3) == 5\n",
            "solution/calc.py": "def add(a, b):\n    return a + b\n",
            "near_misses/minus/calc.py": "def add(a, b):\n    return a - b\n",
        }
        return self._write(suite, name, files)

    def exercism(self, name: str = "leap", suite: str = "exercism") -> Path:
        """An exercise in Exercism's layout."""
        stub = f"{name}.py"
        test = f"{name}_test.py"
        config = {"files": {"solution": [stub], "test": [test], "example": [".meta/example.py"]}, "blurb": "Leap years"}
        files = {
            ".meta/config.json": json.dumps(config),
            ".meta/example.py": "def leap(year):\n    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)\n",
            f".meta/near_misses/always/{stub}": "# Knows no common year.\ndef leap(year):\n    return True\n",
            ".docs/instructions.md": "Make `leap(year)` tell whether a year is a leap year.\n",
            stub: "def leap(year):\n    pass\n",
            test: f"from {name} import leap\n\n\ndef test_1900():\n    assert not leap(1900)\n",
        }
        return self._write(suite, name, files)

    def agent(self, script: str = "ScriptedAgent()", **of_task: str) -> None:
        """A conftest whose `agent` follows the script; `of_task` are the scripts of tasks by name."""
        self.conftest(f"""
            @pytest.fixture
            def agent(trial):
                scripts = {{{", ".join(f"{name!r}: lambda: {code}" for name, code in of_task.items())}}}
                return scripts.get(trial.task.name, lambda: {script})()
        """)

    def conftest(self, code: str) -> None:
        """Append to the conftest; it has imported os, signal, pytest and ScriptedAgent."""
        path = self.path / "conftest.py"
        if not path.exists():
            head = "import os\nimport signal\n\nimport pytest\n\n"
            path.write_text(head + "from pytest_hybrideval.testing.scripted_agent import ScriptedAgent\n")
        with path.open("a") as file:
            file.write("\n\n" + dedent(code).strip() + "\n")

    def run(self, *args: str, run_id: str = "r", new_process: bool = False) -> pytest.RunResult:
        """Run trials in which the simulated cloud model answers right, hidden tests without a sandbox.

        `args` go over that. `-n` and what ends a process need `new_process`.
        """
        return self.pytest(*self.usual, "--hybrid-run-id", run_id, *args, new_process=new_process)

    def resume(self, run_id: str, *args: str, new_process: bool = False) -> pytest.RunResult:
        """Go on with a run, otherwise as `run`."""
        return self.pytest(*self.usual, f"--hybrid-resume={run_id}", *args, new_process=new_process)

    @property
    def usual(self) -> tuple[str, ...]:
        """The arguments of `run`, without a run's name."""
        return "-o", f"cache_dir={self._cache}", "--strategy", "always-cloud", "--hybrid-sandbox", "none"

    def pytest(self, *args: str, new_process: bool = False) -> pytest.RunResult:
        """Run pytest with these arguments and no others."""
        start = self.pytester.runpytest_subprocess if new_process else self.pytester.runpytest_inprocess
        return start(*args)

    def collected(self, *args: str, new_process: bool = False) -> list[str]:
        """The node ids that would run, in their order."""
        result = self.pytest("--collect-only", "-q", *args, new_process=new_process)
        return [line for line in result.outlines if "::" in line and not line.startswith("ERROR")]

    def directory(self, run_id: str = "r") -> Path:
        """A run's directory."""
        return self.path / "results" / run_id

    def records(self, run_id: str = "r") -> list[dict[str, Any]]:
        """The lines of `raw.jsonl`."""
        return self._lines(run_id, "raw.jsonl")

    def record(self, run_id: str = "r") -> dict[str, Any]:
        """The only line of `raw.jsonl`."""
        (record,) = self.records(run_id)
        return record

    def calls(self, run_id: str = "r") -> list[dict[str, Any]]:
        """The lines of `calls.jsonl`."""
        return self._lines(run_id, "calls.jsonl")

    def json(self, name: str, run_id: str = "r") -> Any:
        """A JSON file of a run's directory."""
        return json.loads((self.directory(run_id) / name).read_text())

    def _lines(self, run_id: str, name: str) -> list[dict[str, Any]]:
        path = self.directory(run_id) / name
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def _write(self, suite: str, name: str, files: dict[str, str]) -> Path:
        folder = self.path / suite / name
        for relative, text in files.items():
            path = folder / relative
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return folder


def timeless(rows: Iterable[dict[str, Any]], clocks: frozenset[str] = CLOCKS) -> list[dict[str, Any]]:
    """Records or calls in the order of their trials, without what a clock or the number of workers decides."""
    kept = [{key: value for key, value in row.items() if key not in clocks} for row in rows]
    return sorted(kept, key=lambda row: (row["trial"], row.get("index", 0)))


def outcomes(rows: Iterable[dict[str, Any]]) -> dict[str, str]:
    """Each trial's outcome with its cause: `passed`, `failed tests_failed`, `error backend`."""
    return {
        row["trial"]: " ".join(filter(None, (row["outcome"], row["failure_mode"], row["error_kind"]))) for row in rows
    }


def one_line(result: pytest.RunResult) -> str:
    """The single line that a refused command line is answered with. Fails where a traceback stands there."""
    lines = [line for line in (*result.outlines, *result.errlines) if line.strip()]
    assert not any("Traceback" in line or "INTERNALERROR" in line for line in lines), "\n".join(lines)
    errors = [line for line in lines if line.startswith("ERROR: ")]
    assert len(errors) == 1, "\n".join(lines)
    return errors[0].removeprefix("ERROR: ")
