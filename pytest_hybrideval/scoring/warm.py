"""The namespaces level, warm: hidden tests run in a child forked from a process that has imported pytest already."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from pathlib import Path

from pytest_hybrideval.core.errors import SandboxError
from pytest_hybrideval.sandbox.choice import tried
from pytest_hybrideval.sandbox.namespaces import Namespaces
from pytest_hybrideval.sandbox.process import Job, Running, RunResult, follow
from pytest_hybrideval.scoring.runner_command import runner_command

_PROGRAM = Path(__file__).with_name("warm_parent.py")
_START_SECONDS = 60.0
_ANSWER_SECONDS = 20.0
_MESSAGE_BYTES = 4096


class WarmNamespaces(Namespaces):
    """As `Namespaces`, to the same effect: a job that is the runner is forked, any other is started.

    One job at a time, from one thread. `start` begins to warm up, `stop` ends the process; a dead one is an error of
    the job that meets it, and the next job starts another.
    """

    label = Namespaces.label + "; Python tests are forked from a warm runner"

    def __init__(self, python: str) -> None:
        """`python` is the interpreter whose pytest runs the hidden tests."""
        self._python = python
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._ready = False

    def start(self) -> None:
        """Begin to warm up and return at once. Does nothing where it has begun already."""
        if self._process is not None:
            return
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [self._python, "-s", "-B", str(_PROGRAM), str(theirs.fileno())],
                cwd="/",
                env={"PATH": os.defpath, "LANG": "C.UTF-8", "TZ": "UTC", "PYTHONHASHSEED": "0"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        self._control = ours

    @property
    def pid(self) -> int | None:
        """The warm process's id, None where none runs."""
        return self._process.pid if self._process else None

    def stop(self) -> None:
        """End the warm process and what it has forked. Safe to call twice."""
        if self._process is None or self._control is None:
            return
        self._control.close()
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._process.wait()
        self._process, self._control, self._ready = None, None, False

    def run(self, job: Job) -> RunResult:
        """Run the job to its end. See `Sandbox.run`. Raises `SandboxError` where the warm process has died."""
        if list(job.argv) != runner_command(self._python):
            return super().run(job)

        def start(given: int, out: int, err: int) -> Running:
            return _Forked(self._warmed_up(), {"plan": self.plan(job), "environ": dict(job.environ)}, (given, out, err))

        try:
            return follow(start, job)
        except OSError as problem:
            self.stop()
            raise SandboxError(f"the warm test runner died ({problem}); the next trial starts another") from problem

    def _warmed_up(self) -> socket.socket:
        self.start()
        assert self._control is not None
        if not self._ready:
            self._control.settimeout(_START_SECONDS)
            if not self._control.recv(_MESSAGE_BYTES):
                raise OSError("it ended while it warmed up")
            self._ready = True
        return self._control


def choose_warm(name: str, python: str) -> WarmNamespaces | None:
    """The warm sandbox for hidden tests under `python`, where the choice `name` (`auto`, `namespaces`) admits it.

    None where another sandbox was named, or namespaces do not work here: then `choose` says what does.
    """
    if name not in ("auto", Namespaces.name) or tried(Namespaces.name)[0] is None:
        return None
    return WarmNamespaces(python)


class _Forked:
    """A job in a child of the warm process."""

    def __init__(self, control: socket.socket, job: dict[str, object], streams: tuple[int, int, int]) -> None:
        self._control = control
        control.settimeout(_ANSWER_SECONDS)
        socket.send_fds(control, [json.dumps(job).encode()], list(streams))
        self.pid = int(self._answer()["pid"])
        self.ending: int | None = control.fileno()
        self._exit_code: int | None = None

    def ended(self) -> bool:
        """Whether the warm process has reported its end."""
        if self._exit_code is None:
            self._control.setblocking(False)
            try:
                self._exit_code = int(self._answer()["exit"])
            except BlockingIOError:
                return False
        return True

    def wait(self) -> int:
        """The exit code, negative for a signal."""
        if self._exit_code is None:
            self._control.settimeout(_ANSWER_SECONDS)
            self._exit_code = int(self._answer()["exit"])
        return self._exit_code

    def _answer(self) -> dict[str, int]:
        message = self._control.recv(_MESSAGE_BYTES)
        if not message:
            raise OSError("it closed its connection")
        answer: dict[str, int] = json.loads(message)
        return answer
