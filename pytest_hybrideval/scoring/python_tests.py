"""Hidden tests in Python: pytest, run and watched by `runner.py`, which never runs tested code itself."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import PurePosixPath

from pytest_hybrideval.core.domain import Task
from pytest_hybrideval.core.errors import SandboxError
from pytest_hybrideval.sandbox.choice import Sandbox
from pytest_hybrideval.sandbox.interpreter import Interpreter
from pytest_hybrideval.sandbox.process import Job, RunResult
from pytest_hybrideval.scoring.limits import Limits
from pytest_hybrideval.scoring.outcomes import TestRun, read_run
from pytest_hybrideval.scoring.runner_command import PROGRAM, runner_command
from pytest_hybrideval.scoring.scratch import Scratch, place, place_text

_REPORT_BYTES = 64 << 20
# What the runner may take beyond the tests' own time: start, last kills, report. Then it is killed from outside.
_GRACE_SECONDS = 15.0
SHUFFLE = "HYBRIDEVAL_SHUFFLE"
_INSTEAD_OF_TESTS = b'"""The text of the hidden tests is not on disk while they run."""\n'


class PythonTests:
    """Runs a task's test files with one interpreter's pytest."""

    def __init__(self, python: Interpreter, limits: Limits) -> None:
        """`limits` are set on the tested process, and on all it starts."""
        self._python = python
        self._limits = limits

    def identity(self, task: Task) -> str:
        """The interpreter's version and our runner, whose judgement a result is."""
        return f"{self._python.version}|{_runner_digest()}"

    def place_hidden(self, task: Task, scratch: Scratch) -> None:
        """Lay down the hidden files. Of the tests only the names: their text goes to the runner."""
        for name, source in task.hidden.items():
            if _is_test(name):
                place_text(_INSTEAD_OF_TESTS, scratch.root, name)
            else:
                place(source, scratch.root, name)

    def run(
        self, sandbox: Sandbox, task: Task, scratch: Scratch, environ: Mapping[str, str], seconds: float
    ) -> tuple[RunResult, TestRun]:
        """Run all test files. Raises `SandboxError` where there is none, or the runner does not start."""
        result = sandbox.run(self._job(task, scratch, environ, seconds))
        run = read_run(result)
        if not run.ready:
            said = result.stderr.decode(errors="replace").strip()[-500:] or f"exit code {result.exit_code}"
            raise SandboxError(f"the test runner did not start in the sandbox {sandbox.name}: {said}")
        return result, run

    def _job(self, task: Task, scratch: Scratch, environ: Mapping[str, str], seconds: float) -> Job:
        tests = sorted(name for name in task.hidden if _is_test(name))
        if not tests:
            raise SandboxError(f"{task.id} has no hidden file named test_*.py or *_test.py: nothing can judge it")
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
            environ=environ,
            seconds=seconds + _GRACE_SECONDS,
            stdout_bytes=_REPORT_BYTES,
            stderr_bytes=self._limits.output_bytes,
            stdin=json.dumps(order).encode(),
            readable=(*self._python.readable, *PROGRAM),
            frozen=tuple(scratch.root / name for name in sorted(task.hidden)),
        )


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
