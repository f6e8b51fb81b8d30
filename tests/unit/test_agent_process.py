"""A command is given its time, and what it waited in the queue for a model on top of it."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from pytest_hybrideval.agents.process import run_process, time_left


def test_a_command_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    result = run_process(["sleep", "30"], cwd=tmp_path, env={}, timeout=0.2, output=tmp_path / "out")
    assert result.timed_out
    assert 0.2 <= result.seconds < 10


def test_time_in_the_queue_comes_on_top(tmp_path: Path) -> None:
    started = time.monotonic()

    def queued() -> float:
        return min(0.6, time.monotonic() - started)  # it waits for the first .6 s

    code = "import time; time.sleep(0.5)"
    command = [sys.executable, "-I", "-S", "-c", code]
    result = run_process(command, cwd=tmp_path, env={}, timeout=0.3, output=tmp_path / "out", queued=queued)
    assert result.exit_code == 0


def test_no_time_is_left_once_the_wait_is_over() -> None:
    assert list(time_left(-1.0, lambda: 0.5)) == []
    assert next(iter(time_left(-1.0, lambda: 1.5))) <= 0.5
