"""Decides a task: the agent's allowed files and the hidden tests in a fresh folder, run in a sandbox."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from sys import executable
from typing import Protocol

from pytest_hybrideval.core.domain import JEST, PYTEST, SCRIPT, Score, Task
from pytest_hybrideval.core.errors import SandboxError
from pytest_hybrideval.sandbox.choice import Sandbox
from pytest_hybrideval.sandbox.interpreter import interpreter
from pytest_hybrideval.sandbox.process import RunResult
from pytest_hybrideval.scoring.jest import Jest
from pytest_hybrideval.scoring.limits import Limits
from pytest_hybrideval.scoring.outcomes import TestRun, score_of
from pytest_hybrideval.scoring.python_tests import SHUFFLE, PythonTests
from pytest_hybrideval.scoring.reference import ReferenceCache
from pytest_hybrideval.scoring.scratch import Scratch, fresh_scratch, place, take
from pytest_hybrideval.scoring.script import Script

_PRODUCED_BYTES = 4 << 20
_SHOWN_OUTPUT = 20_000


class Harness(Protocol):
    """Runs the hidden tests of tasks of one kind."""

    def identity(self, task: Task) -> str:
        """Versions of what a result depends on beside the task."""
        ...

    def place_hidden(self, task: Task, scratch: Scratch) -> None:
        """Lay down the hidden files over what is there."""
        ...

    def run(
        self, sandbox: Sandbox, task: Task, scratch: Scratch, environ: Mapping[str, str], seconds: float
    ) -> tuple[RunResult, TestRun]:
        """Run the tests within so many seconds of wall time.

        Raises `SandboxError` where they cannot be run here, `OSError` where the sandbox cannot be started.
        """
        ...


@dataclass(frozen=True)
class _Attempt:
    """One run of a task's hidden tests over some files."""

    run: TestRun
    result: RunResult
    refused: tuple[str, ...]


class HiddenTestScorer:
    """A `Scorer` that runs a task's hidden tests in a sandbox and compares with what the reference solution passes."""

    def __init__(self, sandbox: Sandbox, limits: Limits, cache_dir: Path | None, python: str = executable) -> None:
        """`python` runs the tests and must have pytest; `cache_dir` keeps reference ids between runs and processes.

        Raises `ConfigurationError` where `python` does not run or has no pytest.
        """
        self._sandbox = sandbox
        self._limits = limits
        self._python = interpreter(python)
        self._script = Script(limits)
        self._runners: Mapping[str, Harness] = {
            PYTEST: PythonTests(self._python, limits),
            JEST: Jest(limits),
            SCRIPT: self._script,
        }
        self._references = ReferenceCache(cache_dir)
        self._unjudgeable: dict[str, str] = {}
        self._lock = threading.Lock()

    @property
    def label(self) -> str:
        """The sandbox in use and what it blocks."""
        return self._sandbox.label

    def score(
        self, task: Task, produced: Mapping[str, Path], report: Path | None = None, *, shuffle: int | None = None
    ) -> Score:
        """Run the hidden tests over the allowed files in `produced` (workspace-relative -> file on disk).

        `report` is where a test report goes as JSON: outcomes, short failure texts, the end of the output. `shuffle`
        is the seed of a random order of the tests; None leaves them as they stand. Raises `SandboxError` where the
        tests could not be run at all, or not even the task's own solution passes them here.
        """
        expected = self.reference_ids(task)
        attempt = self._attempt(task, produced, shuffle)
        score = score_of(attempt.run, expected, task.hidden.keys(), attempt.result.seconds)
        if report is not None:
            report.parent.mkdir(parents=True, exist_ok=True)
            report.write_text(json.dumps(self._told(task, score, attempt), indent=2) + "\n", encoding="utf-8")
        return score

    def reference_ids(self, task: Task) -> frozenset[str]:
        """The ids of the tests that the task's own solution passes: what every solution must pass.

        Found once per task, Python and sandbox. Raises `SandboxError` naming the tests that do not pass.
        """
        key = f"{task.digest}|{self._sandbox.name}|{self._runners[task.runner].identity(task)}"
        with self._lock:
            if key in self._unjudgeable:
                raise SandboxError(self._unjudgeable[key])
            known = self._references.get(key)
            if known is None:
                known = self._find_reference(task, key)
            return known

    def _find_reference(self, task: Task, key: str) -> frozenset[str]:
        attempt = self._attempt(task, task.solution, solve=True)
        # A test that skips itself or is marked to fail says nothing here, and nothing is expected of it.
        ids = frozenset(test for test, outcome in attempt.run.tests.items() if outcome not in ("skipped", "xfailed"))
        score = score_of(attempt.run, ids, task.hidden.keys(), attempt.result.seconds)
        if not score.passed:
            why = "; ".join((score.detail, *attempt.refused))
            self._unjudgeable[key] = f"{task.id} cannot be judged here, its own solution does not pass: {why}"
            raise SandboxError(self._unjudgeable[key])
        try:
            self._references.put(key, ids)
        except OSError as problem:
            raise SandboxError(f"cannot keep the reference ids of {task.id}: {problem}") from problem
        return ids

    def _attempt(
        self, task: Task, produced: Mapping[str, Path], shuffle: int | None = None, *, solve: bool = False
    ) -> _Attempt:
        """One run; with `solve` over what the task's own solution makes of it, where that is a script."""
        runner, wall = self._runners[task.runner], self._limits.wall_seconds
        seconds = task.scoring_seconds if wall is None else wall
        with fresh_scratch() as scratch:
            refused = _lay_down(task, produced, scratch.root)
            environ = self._environ(scratch) | ({} if shuffle is None else {SHUFFLE: str(shuffle)})
            try:
                if solve and task.terminal is not None:
                    self._script.solve(self._sandbox, task, scratch, environ, seconds)
                runner.place_hidden(task, scratch)
                result, run = runner.run(self._sandbox, task, scratch, environ, seconds)
            except OSError as problem:
                raise SandboxError(f"the sandbox {self._sandbox.name} cannot be started: {problem}") from problem
        return _Attempt(run, result, refused)

    def _environ(self, scratch: Scratch) -> dict[str, str]:
        folder = os.path.dirname(self._python.program)
        return {
            "PATH": ":".join(dict.fromkeys((folder, "/usr/local/bin", "/usr/bin", "/bin"))),
            "HOME": str(scratch.home),
            "TMPDIR": str(scratch.tmp),
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONHASHSEED": "0",
        }

    def _told(self, task: Task, score: Score, attempt: _Attempt) -> dict[str, object]:
        run, result = attempt.run, attempt.result
        return {
            "task": task.id,
            "sandbox": self.label,
            "python": self._python.version,
            "passed": score.passed,
            "detail": score.detail,
            "exit_code": score.exit_code,
            "timed_out": score.timed_out,
            "seconds": round(score.seconds, 3),
            "expected": score.expected,
            "refused_files": list(attempt.refused),
            "tests": [
                {"id": test, "outcome": outcome, "text": run.texts.get(test, run.summaries.get(test, ""))}
                for test, outcome in score.tests.items()
            ],
            "collection_errors": [{"id": name, "text": run.texts.get(name, why)} for name, why in run.problems.items()],
            "output": result.stderr[-_SHOWN_OUTPUT:].decode(errors="replace"),
            "output_bytes_dropped": result.dropped,
        }


def _lay_down(task: Task, produced: Mapping[str, Path], root: Path) -> tuple[str, ...]:
    """Fill the folder: workspace, then the agent's files that count. Says what it refused of them.

    An allowed file that is not among `produced` keeps the workspace's content.
    """
    for name, source in task.workspace.items():
        place(source, root, name)
    taken = [name for name in (produced if task.open else task.allowed) if name in produced]
    return tuple(filter(None, (take(produced[name], root, name, _PRODUCED_BYTES) for name in taken)))
