"""Every sandbox level that works here keeps to what a sandbox must keep to, and the checks find one that does not."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from pytest_hybrideval.core.errors import ConfigurationError
from pytest_hybrideval.sandbox.choice import LEVELS, choose
from pytest_hybrideval.sandbox.plain import PlainProcess
from pytest_hybrideval.sandbox.process import Job, RunResult, run_process
from pytest_hybrideval.scoring.warm import WarmNamespaces, choose_warm
from pytest_hybrideval.testing import SANDBOX_CHECKS, SandboxCheck, check_sandbox


@pytest.mark.parametrize("check", SANDBOX_CHECKS, ids=str)
@pytest.mark.parametrize("name", LEVELS)
def test_a_level_conforms(name: str, check: SandboxCheck, tmp_path: Path) -> None:
    try:
        sandbox = choose(name)
    except ConfigurationError as problem:
        pytest.skip(str(problem))
    check(sandbox, tmp_path)


def test_the_warm_level_conforms_with_what_it_does_not_fork(tmp_path: Path) -> None:
    warm: WarmNamespaces | None = choose_warm("auto", sys.executable)
    if warm is None:
        pytest.skip("Linux namespaces do not work here, and warm scoring needs them")
    check_sandbox(warm, tmp_path)


class Leaky(PlainProcess):
    """Gives its own environment, and leaves processes alone."""

    def run(self, job: Job) -> RunResult:
        """Run with too much."""
        return run_process([sys.executable, "-c", _LEAKS, *job.argv], job)


_LEAKS = "import os, sys; os.environ['TOO_MUCH'] = '1'; os.execv(sys.argv[1], sys.argv[1:])"


def test_a_sandbox_that_does_not_conform_is_told_why(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"environment: .*TOO_MUCH"):
        check_sandbox(Leaky(), tmp_path)
    assert os.environ.get("TOO_MUCH") is None
