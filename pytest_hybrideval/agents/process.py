"""Run a command as its own process group, with its output in a file, and leave none of it behind."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_GRACE_SECONDS = 2.0


@dataclass(frozen=True)
class ProcessResult:
    """How a command ended. `exit_code` is None where it was killed at its time-out."""

    exit_code: int | None
    seconds: float

    @property
    def timed_out(self) -> bool:
        """Whether the time limit ended it."""
        return self.exit_code is None


def run_process(
    argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], timeout: float, output: Path
) -> ProcessResult:
    """Run `argv` without a terminal or standard input; stdout and stderr go to the file `output`, appended.

    At the time-out, and on any exception (Ctrl-C, pytest-timeout), the whole process group is ended: SIGTERM, then
    SIGKILL. Raises `OSError` where the command cannot be started.
    """
    started = time.monotonic()
    with output.open("ab") as sink:
        process = subprocess.Popen(
            argv, cwd=cwd, env=dict(env), stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, start_new_session=True
        )
        try:
            exit_code: int | None = process.wait(timeout)
        except subprocess.TimeoutExpired:
            exit_code = None
        finally:
            end_group(process)
    return ProcessResult(exit_code, time.monotonic() - started)


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End a process and everything left in its group, politely first. Waits for the process itself."""
    if process.poll() is None:
        _signal_group(process.pid, signal.SIGTERM)
        try:
            process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            pass
    _signal_group(process.pid, signal.SIGKILL)
    process.wait()


def _signal_group(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        pass  # everyone in it has ended already
