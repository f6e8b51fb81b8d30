"""Run a command as its own process group, with its output in a file, and leave none of it behind."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pytest_hybrideval.sandbox.process import descendants

GRACE_SECONDS = 2.0


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
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    timeout: float,
    output: Path,
    queued: Callable[[], float] = float,
    doorway: int | None = None,
) -> ProcessResult:
    """Run `argv` without a terminal or standard input; stdout and stderr go to the file `output`, appended.

    `queued` tells the seconds up to now that come on top of `timeout`. `doorway` is the descriptor that it inherits
    where it runs in an enclosure. At the time-out, and on any exception (Ctrl-C, pytest-timeout), what is enclosed is
    killed, and the whole process group is ended: SIGTERM, then SIGKILL. Raises `OSError` where the command cannot be
    started.
    """
    started = time.monotonic()
    with output.open("ab") as sink:
        process = subprocess.Popen(
            argv,
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            pass_fds=() if doorway is None else (doorway,),
            start_new_session=True,
        )
        try:
            with _watched(process.pid):
                exit_code = _wait(process, timeout, queued)
        finally:
            if doorway is not None and process.poll() is None:
                _kill_enclosed(process.pid)
            end_group(process)
    return ProcessResult(exit_code, time.monotonic() - started)


def _wait(process: subprocess.Popen[bytes], timeout: float, queued: Callable[[], float]) -> int | None:
    """The exit code, None where the process takes too long."""
    for left in time_left(timeout, queued):
        try:
            return process.wait(left)
        except subprocess.TimeoutExpired:
            pass
    return None


def time_left(timeout: float, queued: Callable[[], float]) -> Iterator[float]:
    """Seconds that are left from now on, again and again until none are: `queued` seconds come on top of `timeout`."""
    started = time.monotonic()
    while (left := started + timeout + queued() - time.monotonic()) > 0:
        yield left


@contextmanager
def _watched(group: int) -> Iterator[None]:
    """A shell stands by that ends the group should we be killed ourselves: then its standard input closes."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb"):
        watchdog = subprocess.Popen(
            ["/bin/sh", "-c", 'read _; kill -s KILL -- "-$1"', "sh", str(group)],
            stdin=reading,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(reading)
        try:
            yield
        finally:
            watchdog.kill()
            watchdog.wait()


def _kill_enclosed(outer: int) -> None:
    """Kill what an enclosure holds before its outer half, which waits for all of it to be gone and then ends."""
    for pid in descendants(outer):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:  # with process 1 of the enclosure, all others have ended
            pass


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End a process and everything left in its group, politely first. Waits for the process itself."""
    if process.poll() is None:
        signal_group(process.pid, signal.SIGTERM)
        try:
            process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        finally:  # also where a second Ctrl-C interrupts the waiting
            signal_group(process.pid, signal.SIGKILL)
    signal_group(process.pid, signal.SIGKILL)
    process.wait()


def signal_group(group: int, number: signal.Signals) -> None:
    """Send a signal to a process group; nothing happens where it has ended."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        pass
