"""Decides a task: the agent's allowed files and the hidden tests in a fresh folder, run in a sandbox."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from sys import executable

from pytest_hybrideval.core.domain import Score, Task
from pytest_hybrideval.core.errors import SandboxError
from pytest_hybrideval.sandbox.choice import Sandbox
from pytest_hybrideval.sandbox.interpreter import interpreter
from pytest_hybrideval.sandbox.process import Job, RunResult
from pytest_hybrideval.scoring.limits import Limits
from pytest_hybrideval.scoring.outcomes import TestRun, read_run, score_of
from pytest_hybrideval.scoring.reference import ReferenceCache
from pytest_hybrideval.scoring.runner_command import PROGRAM, runner_command
from pytest_hybrideval.scoring.scratch import Scratch, fresh_scratch, place, place_text, take

_PRODUCED_BYTES = 4 << 20
_REPORT_BYTES = 64 << 20
_SHOWN_OUTPUT = 20_000
_INSTEAD_OF_TESTS = b'"""The text of the hidden tests is not on disk while they run."""\n'
# What the runner may take beyond the tests' own time: start, last kills, report. Then it is killed from outside.
_GRACE_SECONDS = 15.0


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
        key = f"{task.digest}|{self._python.version}|{self._sandbox.name}|{_runner_digest()}"
        with self._lock:
            if key in self._unjudgeable:
                raise SandboxError(self._unjudgeable[key])
            known = self._references.get(key)
            if known is None:
                known = self._find_reference(task, key)
            return known

    def _find_reference(self, task: Task, key: str) -> frozenset[str]:
        attempt = self._attempt(task, task.solution)
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

    def _attempt(self, task: Task, produced: Mapping[str, Path], shuffle: int | None = None) -> _Attempt:
        with fresh_scratch() as scratch:
            refused = _lay_down(task, produced, scratch.root)
            job = self._job(task, scratch, shuffle)
            try:
                result = self._sandbox.run(job)
            except OSError as problem:
                raise SandboxError(f"the sandbox {self._sandbox.name} cannot be started: {problem}") from problem
        run = read_run(result)
        if not run.ready:
            said = result.stderr.decode(errors="replace").strip()[-500:] or f"exit code {result.exit_code}"
            raise SandboxError(f"the test runner did not start in the sandbox {self._sandbox.name}: {said}")
        return _Attempt(run, result, refused)

    def _job(self, task: Task, scratch: Scratch, shuffle: int | None) -> Job:
        tests = sorted(name for name in task.hidden if _is_test(name))
        if not tests:
            raise SandboxError(f"{task.id} has no hidden file named test_*.py or *_test.py: nothing can judge it")
        wall = self._limits.wall_seconds
        seconds = task.scoring_seconds if wall is None else wall
        order = {
            "root": str(scratch.root),
            "tests": tests,
            "sources": {name: _text(task, name) for name in tests},
            "hidden": sorted(task.hidden),
            "secrets": _secrets(task),
            "seconds": seconds,
            "limits": self._limits.as_job(),
        }
        return Job(
            argv=runner_command(self._python.program),
            scratch=scratch.folder,
            environ=self._environ(scratch) | ({} if shuffle is None else {"HYBRIDEVAL_SHUFFLE": str(shuffle)}),
            seconds=seconds + _GRACE_SECONDS,
            stdout_bytes=_REPORT_BYTES,
            stderr_bytes=self._limits.output_bytes,
            stdin=json.dumps(order).encode(),
            readable=(*self._python.readable, *PROGRAM),
            frozen=tuple(scratch.root / name for name in sorted(task.hidden)),
        )

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
    """Fill the folder: workspace, then the agent's allowed files, then the hidden ones over all. Says what it refused.

    An allowed file that is not among `produced` keeps the workspace's content. Of the hidden tests only the names are
    laid down: their text goes to the runner, so that no tested code finds it on disk.
    """
    for name, source in task.workspace.items():
        place(source, root, name)
    taken = [name for name in task.allowed if name in produced]
    refused = tuple(filter(None, (take(produced[name], root, name, _PRODUCED_BYTES) for name in taken)))
    for name, source in task.hidden.items():
        if _is_test(name):
            place_text(_INSTEAD_OF_TESTS, root, name)
        else:
            place(source, root, name)
    return refused


def _secrets(task: Task) -> list[str]:
    """The files on this machine that say what passes: where a sandbox does not hide them, to open one is to cheat."""
    maps = (task.hidden, task.solution, *(miss.files for miss in task.near_misses))
    return sorted({str(path.resolve()) for files in maps for path in files.values()})


def _text(task: Task, name: str) -> str:
    """A hidden test file for the runner's job, byte for byte."""
    try:
        return task.hidden[name].read_bytes().decode("latin-1")
    except OSError as problem:
        raise SandboxError(f"cannot read the hidden test {name}: {problem}") from problem


def _is_test(name: str) -> bool:
    path = PurePosixPath(name)
    return path.suffix == ".py" and (path.name.startswith("test_") or path.stem.endswith("_test"))


@cache
def _runner_digest() -> str:
    """Changes with our own runner, whose judgement the cached ids are."""
    return hashlib.sha256(b"".join(path.read_bytes() for path in PROGRAM)).hexdigest()[:16]
