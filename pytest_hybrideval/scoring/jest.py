"""Hidden tests in JavaScript: jest, as Exercism's track and aider's polyglot benchmark use it.

jest runs the tests and the tested code in one process, and its report is a file that this process could write, too: a
solution that is out to deceive can. Of Python's tests the runner is another process; see `runner.py`.
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pytest_hybrideval.core.domain import Task
from pytest_hybrideval.core.errors import SandboxError
from pytest_hybrideval.sandbox.choice import Sandbox
from pytest_hybrideval.sandbox.process import Job, RunResult
from pytest_hybrideval.scoring.limits import MIB, Limits
from pytest_hybrideval.scoring.outcomes import TestRun
from pytest_hybrideval.scoring.scratch import Scratch, place, place_text

MODULES = "node_modules"
_SPEC = re.compile(r"\.(spec|test)\.[cm]?js$")
# All tests but the first of an exercise are switched off for students, who switch them on one by one.
_OFF = re.compile(r"\bx(test|it|describe)(?=[.(])")
_OUTCOMES = {"passed": "passed", "failed": "failed"}
_NOT_STARTED = (125, 126, 127)
_SUMMARY, _TEXT = 300, 4000
# jest's own 5 s would fail slow machines; the whole run has its limit anyway.
_TEST_MILLISECONDS = 30_000
_BLOCK = 512  # bytes in which a POSIX shell counts file sizes


class Jest:
    """Runs a task's spec files with the jest of `Task.tools`, a `node_modules` folder."""

    def __init__(self, limits: Limits) -> None:
        """`limits` hold as for Python, but memory is node's heap: it reserves far more address space than it uses."""
        self._limits = limits

    def identity(self, task: Task) -> str:
        """The versions on which a result depends."""
        package = json.loads((self._modules(task) / "jest" / "package.json").read_text(encoding="utf-8"))
        return f"jest {package['version']}"

    def place_hidden(self, task: Task, scratch: Scratch) -> None:
        """Lay down the hidden files with all tests switched on, and show the modules beside them."""
        for name, source in task.hidden.items():
            if _SPEC.search(name):
                text = source.read_text(encoding="utf-8")
                place_text(_OFF.sub(r"\1", text).encode(), scratch.root, name)
            else:
                place(source, scratch.root, name)
        (scratch.root / MODULES).symlink_to(self._modules(task))

    def run(
        self, sandbox: Sandbox, task: Task, scratch: Scratch, environ: Mapping[str, str], seconds: float
    ) -> tuple[RunResult, TestRun]:
        """Run all spec files. Raises `SandboxError` where there is none, or no node, `OSError` as the sandbox does."""
        report = scratch.tmp / f"{secrets.token_hex(16)}.json"
        result = sandbox.run(self._job(task, scratch, environ, seconds, report))
        return result, _read(result, report, scratch.root)

    def _job(self, task: Task, scratch: Scratch, environ: Mapping[str, str], seconds: float, report: Path) -> Job:
        specs = sorted(filter(_SPEC.search, task.hidden))
        node = shutil.which("node")
        if not specs or node is None:
            raise SandboxError(f"{task.id}: {'node is not on PATH' if specs else 'no hidden file is named *.spec.js'}")
        limits = self._limits
        ulimits = f"ulimit -c 0 -n {limits.open_files} -f {limits.file_bytes // _BLOCK}"
        program = Path(node).resolve()
        return Job(
            argv=[
                *("/bin/sh", "-c", " && ".join(_each(ulimits)) + ' && cd "$0" && exec "$@"', str(scratch.root)),
                *(str(program), f"--max-old-space-size={limits.memory_bytes // MIB}"),
                *(str(scratch.root / MODULES / "jest/bin/jest.js"), "--ci", "--json", f"--outputFile={report}"),
                *(
                    "--runInBand",
                    "--forceExit",
                    f"--rootDir={scratch.root}",
                    f"--cacheDirectory={scratch.tmp / 'jest'}",
                    f"--testTimeout={_TEST_MILLISECONDS}",
                ),
                *("--runTestsByPath", *(str(scratch.root / name) for name in specs)),
            ],
            scratch=scratch.folder,
            environ={**environ, "NODE_ENV": "test", "PWD": str(scratch.root)},
            seconds=seconds,
            stderr_bytes=limits.output_bytes,
            readable=(program.parent.parent if program.parent.name == "bin" else program.parent, self._modules(task)),
            frozen=tuple(scratch.root / name for name in sorted(task.hidden)),
        )

    def _modules(self, task: Task) -> Path:
        if task.tools is None:
            raise SandboxError(f"{task.id}: no {MODULES} with jest was found for it")
        return task.tools.resolve()


def _read(result: RunResult, report: Path, root: Path) -> TestRun:
    try:
        told = json.loads(report.read_text(encoding="utf-8"))
        tests = list(_tests(told, root))
    except (OSError, ValueError, LookupError, TypeError):
        started = result.timed_out or result.exit_code not in _NOT_STARTED
        return TestRun(ready=started, timed_out=result.timed_out, exit_code=result.exit_code)
    failed = {test: text for test, outcome, text, _ in tests if outcome == "failed"}
    return TestRun(
        ready=True,
        reported=True,
        exit_code=result.exit_code,
        timed_out=result.timed_out,
        tests={test: outcome for test, outcome, _, _ in tests},
        summaries={test: _first_line(text) for test, text in failed.items()},
        texts={test: text[-_TEXT:] for test, text in failed.items()},
        problems=dict(_problems(told, root)),
        test_seconds=sum(seconds for *_, seconds in tests),
    )


def _each(ulimits: str) -> Iterator[str]:
    """A limit per call, as POSIX shells want it."""
    command, *words = ulimits.split()
    for at in range(0, len(words), 2):
        yield f"{command} {words[at]} {words[at + 1]}"


def _tests(told: Mapping[str, Any], root: Path) -> Iterator[tuple[str, str, str, float]]:
    """Each test's id, outcome, failure text and seconds. Tests of one name are numbered."""
    seen: dict[str, int] = {}
    for file in told["testResults"]:
        for test in file["assertionResults"]:
            name = f"{_relative(file['name'], root)}::{test['fullName']}"
            seen[name] = seen.get(name, 0) + 1
            number = f" ({seen[name]})" if seen[name] > 1 else ""
            text = "\n".join(map(str, test.get("failureMessages") or ()))
            yield name + number, _OUTCOMES.get(test["status"], "skipped"), text, (test.get("duration") or 0) / 1000


def _problems(told: Mapping[str, Any], root: Path) -> Iterator[tuple[str, str]]:
    """Files whose tests could not be begun."""
    for file in told["testResults"]:
        if file["status"] == "failed" and not file["assertionResults"]:
            yield _relative(file["name"], root), _first_line(file["message"])


def _relative(name: str, root: Path) -> str:
    path = Path(name)
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else name


def _first_line(text: str) -> str:
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    return next((line.strip() for line in plain.splitlines() if line.strip()), "")[:_SUMMARY]
