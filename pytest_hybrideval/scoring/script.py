"""Hidden tests that are a shell script which writes a reward, as Harbor's verifiers do.

The script, the tested code and the reward share a sandbox, so a solution that is out to deceive can write the reward
itself. Of Python's tests the runner is another process; see `runner.py`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path

from pytest_hybrideval.core.domain import Task
from pytest_hybrideval.core.errors import SandboxError
from pytest_hybrideval.sandbox.choice import Sandbox
from pytest_hybrideval.sandbox.plain import PlainProcess
from pytest_hybrideval.sandbox.process import Job, RunResult
from pytest_hybrideval.scoring.limits import Limits
from pytest_hybrideval.scoring.outcomes import TestRun
from pytest_hybrideval.scoring.scratch import Scratch, place

TEST = "tests/test.sh"
_SHOWN = 4000


class Script:
    """Runs `tests/test.sh` where the task's files lie at the path that they have in its container."""

    def __init__(self, limits: Limits) -> None:
        """Of the limits, those for output and time hold."""
        self._limits = limits

    def identity(self, task: Task) -> str:
        """Nothing but the task's own files has a part in it."""
        return TEST

    def place_hidden(self, task: Task, scratch: Scratch) -> None:
        """Lay down the tests beside the task's files, not among them."""
        for name, source in task.hidden.items():
            place(source, scratch.folder, name)

    def run(
        self, sandbox: Sandbox, task: Task, scratch: Scratch, environ: Mapping[str, str], seconds: float
    ) -> tuple[RunResult, TestRun]:
        """Run the script and read the reward: 1 or more has passed.

        Raises `SandboxError` where files cannot be shown at other paths, `OSError` as the sandbox does.
        """
        if isinstance(sandbox, PlainProcess):
            raise SandboxError(f"{task.id} has files at fixed paths; that takes an enclosing sandbox, not 'none'")
        logs, tests = scratch.folder / "logs", scratch.folder / "tests"
        (logs / "verifier").mkdir(parents=True)
        shown = ((tests, Path("/tests")), (logs, Path("/logs")))
        result = sandbox.run(self._job(task, scratch, environ, seconds, "/tests/test.sh", shown))
        return result, _read(result, logs / "verifier")

    def solve(
        self, sandbox: Sandbox, task: Task, scratch: Scratch, environ: Mapping[str, str], seconds: float
    ) -> RunResult | None:
        """Run the task's own solution over its files; None where it has none."""
        if task.terminal is None or task.terminal.solver is None:
            return None
        folder = scratch.folder / "solution"
        for path in sorted(task.terminal.solver.parent.rglob("*")):
            if path.is_file():
                place(path, folder, path.relative_to(task.terminal.solver.parent).as_posix())
        shown = ((folder, Path("/solution")),)
        return sandbox.run(self._job(task, scratch, environ, seconds, "/solution/solve.sh", shown))

    def _job(
        self,
        task: Task,
        scratch: Scratch,
        environ: Mapping[str, str],
        seconds: float,
        script: str,
        shown: tuple[tuple[Path, Path], ...],
    ) -> Job:
        assert task.terminal is not None, "only tasks in Harbor's layout have a script"
        return Job(
            argv=["/bin/bash", script],
            scratch=scratch.root,
            shown_at=Path(task.terminal.workdir),
            writable=(*shown, (scratch.tmp, Path("/tmp"))),
            environ={**environ, "HOME": "/tmp", "TMPDIR": "/tmp"},
            seconds=seconds,
            stdout_bytes=self._limits.output_bytes,
            stderr_bytes=self._limits.output_bytes,
        )


def _read(result: RunResult, verifier: Path) -> TestRun:
    reward = _reward(verifier)
    passed = reward is not None and reward >= 1.0
    said = (result.stdout + result.stderr)[-_SHOWN:].decode(errors="replace").strip()
    last = said.splitlines()[-1] if said else f"exit code {result.exit_code}"
    return TestRun(
        ready=True,
        reported=reward is not None,
        # The reward decides; a verifier may end with any exit code.
        exit_code=0 if passed else result.exit_code,
        timed_out=result.timed_out,
        tests={TEST: "passed" if passed else "failed"},
        summaries={} if passed else {TEST: f"reward {reward:g}: {last}" if reward is not None else last},
        texts={} if passed else {TEST: said},
        test_seconds=result.seconds,
    )


def _reward(verifier: Path) -> float | None:
    """The number in `reward.txt`, or under `reward` in `reward.json`; None where there is none."""
    try:
        value = float((verifier / "reward.txt").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        try:
            value = float(json.loads((verifier / "reward.json").read_text(encoding="utf-8"))["reward"])
        except (OSError, ValueError, LookupError, TypeError):
            return None
    return value if math.isfinite(value) else None
