"""Runs one command to its end or time-out, keeps its output within a cap, and leaves none of its processes behind."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

_PROC = Path("/proc")
_POLL_SECONDS = 0.05
_REAP_SECONDS = 5.0
_ZOMBIE = "Z"


@dataclass(frozen=True)
class Job:
    """A command and all it is given. Every path is absolute, and the same inside a sandbox as outside but for two.

    `scratch` is a writable folder and where the command starts; inside it lies at `shown_at`, where that is given.
    `writable` are all others that may be written, each with its path inside. `readable` are files and folders that the
    command needs beside the system; `frozen` are files in the scratch folder that it must not change. It gets exactly
    `environ`. `seconds` is the wall time after which everything is killed, `stdout_bytes` and `stderr_bytes` are the
    caps of the output.
    """

    argv: Sequence[str]
    scratch: Path
    environ: Mapping[str, str]
    seconds: float
    stdout_bytes: int = 1 << 20
    stderr_bytes: int = 1 << 20
    stdin: bytes = b""
    readable: Sequence[Path] = ()
    frozen: Sequence[Path] = ()
    shown_at: Path | None = None
    writable: Sequence[tuple[Path, Path]] = ()


@dataclass(frozen=True)
class RunResult:
    """How a command ended. `exit_code` is negative for a signal and None where we killed it at the time-out.

    `stdout` and `stderr` hold at most the cap; `dropped` counts the bytes of both that were thrown away.
    """

    exit_code: int | None
    timed_out: bool
    seconds: float
    stdout: bytes
    stderr: bytes
    dropped: int = 0


class _Capped:
    """The first `cap` bytes of a stream, and how many followed."""

    def __init__(self, cap: int) -> None:
        self.cap = cap
        self.kept = bytearray()
        self.dropped = 0

    def add(self, chunk: bytes) -> None:
        room = max(0, self.cap - len(self.kept))
        self.kept += chunk[:room]
        self.dropped += max(0, len(chunk) - room)


class Running(Protocol):
    """A command under way: a process of ours, or one that another process forked for us."""

    pid: int
    ending: int | None

    def ended(self) -> bool:
        """Whether it has ended. `ending` is a descriptor that becomes readable then, where there is one."""
        ...

    def wait(self) -> int:
        """Wait for its end and reap it; the exit code, negative for a signal."""
        ...


class _Started:
    """A process that we started ourselves."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self.pid = process.pid
        self.ending = _pidfd(process.pid)

    def ended(self) -> bool:
        """It is not reaped yet, so that its id cannot pass to another process."""
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def wait(self) -> int:
        if self.ending is not None:
            os.close(self.ending)
            self.ending = None
        return self._process.wait()


def run_process(argv: Sequence[str], job: Job) -> RunResult:
    """Run `argv` in a session of its own; at the end or time-out kill its process group and all its descendants.

    `argv` is the job's command as its sandbox wraps it. Raises `OSError` where the command cannot be started.
    """

    def start(given: int, out: int, err: int) -> Running:
        return _Started(
            subprocess.Popen(
                argv,
                cwd=job.scratch,
                env=dict(job.environ),
                stdin=given,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        )

    return follow(start, job)


def follow(start: Callable[[int, int, int], Running], job: Job) -> RunResult:
    """Start a command with these descriptors for stdin, stdout and stderr, follow it to its end, leave none of it."""
    started = time.monotonic()
    out, err = _Capped(job.stdout_bytes), _Capped(job.stderr_bytes)
    with contextlib.ExitStack() as stack:
        (out_end, out_start), (err_end, err_start) = os.pipe(), os.pipe()
        for end in (out_end, err_end):
            stack.callback(os.close, end)
        with tempfile.TemporaryFile() as given:
            # A file and not a pipe: the command may read it late, in part or never.
            given.write(job.stdin)
            given.seek(0)
            try:
                running = start(given.fileno(), out_start, err_start)
            finally:
                os.close(out_start)
                os.close(err_start)
        timed_out, exit_code = True, None
        try:
            timed_out = _pump(running, {out_end: out, err_end: err}, started + job.seconds)
        finally:
            exit_code = _kill_tree(running)
    return RunResult(
        exit_code=None if timed_out else exit_code,
        timed_out=timed_out,
        seconds=time.monotonic() - started,
        stdout=bytes(out.kept),
        stderr=bytes(err.kept),
        dropped=out.dropped + err.dropped,
    )


def _pump(running: Running, sinks: Mapping[int, _Capped], deadline: float) -> bool:
    """Read until the command has ended (then only what is already there) or the deadline; True for the deadline.

    The end of the streams is no criterion: a process left in the background may hold them open.
    """
    with selectors.DefaultSelector() as selector:
        for stream, sink in sinks.items():
            os.set_blocking(stream, False)
            selector.register(stream, selectors.EVENT_READ, sink)
        if running.ending is not None:
            selector.register(running.ending, selectors.EVENT_READ)
        while True:
            ended = running.ended()
            left = deadline - time.monotonic()
            if left <= 0:
                return not ended
            ready = selector.select(0 if ended else min(left, _POLL_SECONDS))
            streams = [key for key, _ in ready if key.data is not None]
            if ended and not streams:
                return False
            for key in streams:
                chunk = os.read(key.fd, 65536)
                if chunk:
                    key.data.add(chunk)
                else:
                    selector.unregister(key.fileobj)


def _pidfd(pid: int) -> int | None:
    """A descriptor that becomes readable when the process ends, where the system has such a thing."""
    if not hasattr(os, "pidfd_open"):
        return None
    with contextlib.suppress(OSError):
        return os.pidfd_open(pid)
    return None


def _kill_tree(running: Running) -> int:
    """Kill what the command started, then the command, and wait for it; its exit code.

    The descendants go first and the command last: where the command is the outer half of a sandbox, killing the first
    process of its process namespace makes the kernel kill and reap all others before the outer half sees it end.
    """
    deadline = time.monotonic() + _REAP_SECONDS
    while not running.ended() and (family := descendants(running.pid)) and time.monotonic() < deadline:
        for pid in family:
            _kill(pid)
        time.sleep(0.002)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(running.pid, signal.SIGKILL)
    return running.wait()


def kill_marked(mark: Path) -> None:
    """Kill every process of ours that works below `mark` or has it in its environment, until there is none.

    It finds what has left both the process group and the family: a daemon whose parent died before it was looked for.
    """
    deadline = time.monotonic() + _REAP_SECONDS
    while (found := [pid for pid in _pids() if _bears(pid, mark)]) and time.monotonic() < deadline:
        for pid in found:
            _kill(pid)
        time.sleep(0.002)


def descendants(root: int) -> list[int]:
    """The living processes below `root`, parents before children; empty where there is no /proc."""
    children: dict[int, list[int]] = {}
    for pid in _pids():
        state, parent = _status(pid)
        if state != _ZOMBIE:
            children.setdefault(parent, []).append(pid)
    family = [root]
    for pid in family:
        family += children.get(pid, [])
    return family[1:]


def _pids() -> list[int]:
    return [int(name) for name in os.listdir(_PROC) if name.isdigit()] if _PROC.is_dir() else []


def _status(pid: int) -> tuple[str, int]:
    """State letter and parent of a process; one that is gone counts as a zombie without parent."""
    try:
        # The command name in brackets may itself hold brackets and blanks: the fields start after the last one.
        fields = (_PROC / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return _ZOMBIE, 0
    return fields[0], int(fields[1])


def _bears(pid: int, mark: Path) -> bool:
    if pid == os.getpid() or _status(pid)[0] == _ZOMBIE:
        return False
    home = _PROC / str(pid)
    try:
        where, environ = Path(os.readlink(home / "cwd")), (home / "environ").read_bytes()
        return mark in (where, *where.parents) or any(os.fsencode(f"{mark}{end}") in environ for end in ("/", "\0"))
    except OSError:
        return False


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)
