"""Our side of the warm parent: start it, give it jobs, end what runs too long, start it anew when it has died."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_hybrideval.agents.process import GRACE_SECONDS, ProcessResult, signal_group, time_left
from pytest_hybrideval.core.errors import AgentUnavailable
from pytest_hybrideval.core.protocols import AgentJob

_PROGRAM = Path(__file__).with_name("warm_parent.py")
_WARM_UP_SECONDS = 120.0
_FORK_SECONDS = 20.0
_STOP_SECONDS = 5.0
_MESSAGE_BYTES = 1 << 18


@dataclass(frozen=True)
class Enclosed:
    """How a job is enclosed: the plan of `enclosure.py`, and the port of a doorway behind a descriptor."""

    plan: Mapping[str, Any]
    descriptor: int
    port: int


class WarmParent:
    """Runs aider's command line in children forked from a process that has imported aider already.

    One job at a time, from one thread. It is started by `start`, or by the first job, and warms up in the background.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: _Channel | None = None
        self._home: tempfile.TemporaryDirectory[str] | None = None
        self._ready = False

    def start(self) -> None:
        """Begin to warm up and return at once. Does nothing where it has begun already."""
        if self._process is not None:
            return
        self._home = tempfile.TemporaryDirectory(prefix="hybrideval-warm-", ignore_cleanup_errors=True)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, str(_PROGRAM), str(theirs.fileno())],
                cwd=self._home.name,
                env=_environment(self._home.name),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        self._channel = _Channel(ours)

    @property
    def pid(self) -> int | None:
        """The parent's process id, None where none runs."""
        return self._process.pid if self._process else None

    def run(
        self, arguments: Sequence[str], job: AgentJob, env: Mapping[str, str], enclosed: Enclosed | None = None
    ) -> ProcessResult:
        """As `run_process` of aider with these arguments, to the same effect.

        Raises `AgentUnavailable` where the parent cannot warm up, or dies; the next run starts another.
        """
        message: dict[str, Any] = {"argv": list(arguments), "cwd": str(job.workspace), "env": dict(env)}
        if enclosed:
            message |= {"plan": enclosed.plan, "port": enclosed.port}
        try:
            with job.transcript.open("ab") as output:
                descriptors = [output.fileno(), *((enclosed.descriptor,) if enclosed else ())]
                return self._run(message, descriptors, job.timeout, job.queued)
        except _ParentDied as died:
            self.stop()
            raise AgentUnavailable(f"the warm aider process died ({died}); the next trial starts another") from None

    def stop(self) -> None:
        """End the parent and what it has forked. Safe to call twice, and where it has died."""
        if self._process is None or self._channel is None or self._home is None:
            return
        self._channel.close()
        signal_group(self._process.pid, signal.SIGKILL)
        self._process.wait(_STOP_SECONDS)
        self._home.cleanup()
        self._process, self._channel, self._home, self._ready = None, None, None, False

    def _run(
        self, job: Mapping[str, Any], descriptors: Sequence[int], timeout: float, queued: Callable[[], float]
    ) -> ProcessResult:
        channel = self._warmed_up()
        started = time.monotonic()
        channel.write(job, descriptors)
        child = int(channel.must_read(_FORK_SECONDS, "it did not fork")["pid"])
        ended: dict[str, Any] | None = None
        try:
            for left in time_left(timeout, queued):
                if (ended := channel.read(left)) is not None:
                    break
            timed_out = ended is None
        finally:
            if ended is None:  # too long, or interrupted: the answer must not be taken for the next job's
                _end(channel, child)
            signal_group(child, signal.SIGKILL)
        exit_code = None if timed_out or ended is None else int(ended["exit"])
        return ProcessResult(exit_code, time.monotonic() - started)

    def _warmed_up(self) -> _Channel:
        self.start()
        assert self._channel is not None
        if not self._ready:
            answer = self._channel.must_read(_WARM_UP_SECONDS, f"it did not warm up in {_WARM_UP_SECONDS:.0f} s")
            if "broken" in answer:
                self.stop()
                raise AgentUnavailable(
                    f"aider cannot be kept warm here: {answer['broken'].strip().splitlines()[-1]}; "
                    f"'--hybrid-aider-warm off' runs it as a plain command"
                )
            self._ready = True
        return self._channel


class _ParentDied(Exception):
    """The other side of the channel is gone, or does not answer."""


class _Channel:
    """JSON messages over a socket that keeps them apart."""

    def __init__(self, end: socket.socket) -> None:
        self._socket = end

    def write(self, message: Mapping[str, Any], descriptors: Sequence[int]) -> None:
        try:
            socket.send_fds(self._socket, [json.dumps(message).encode()], list(descriptors))
        except OSError as error:
            raise _ParentDied(error.strerror or str(error)) from None

    def read(self, timeout: float) -> dict[str, Any] | None:
        """The next message, None where none came in time."""
        if not select.select([self._socket], [], [], max(0.0, timeout))[0]:
            return None
        received = self._received()
        if not received:
            raise _ParentDied("it closed its connection")
        message: dict[str, Any] = json.loads(received)
        return message

    def must_read(self, timeout: float, otherwise: str) -> dict[str, Any]:
        message = self.read(timeout)
        if message is None:
            raise _ParentDied(otherwise)
        return message

    def close(self) -> None:
        self._socket.close()

    def _received(self) -> bytes:
        try:
            return self._socket.recv(_MESSAGE_BYTES)
        except OSError as error:
            raise _ParentDied(error.strerror or str(error)) from None


def _end(channel: _Channel, child: int) -> None:
    """End a child and its group, politely first, and take its exit message off the channel."""
    signal_group(child, signal.SIGTERM)
    if channel.read(GRACE_SECONDS) is None:
        signal_group(child, signal.SIGKILL)
        channel.must_read(_STOP_SECONDS, "its child would not end")


def _environment(home: str) -> dict[str, str]:
    """Of the caller's environment only PATH; one thread for numpy's library, because threads do not survive a fork."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": home,
        "TMPDIR": home,
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "ignore",
        "PYTHONHASHSEED": "0",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
