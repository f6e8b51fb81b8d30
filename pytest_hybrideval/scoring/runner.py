"""Runs hidden tests inside the sandbox and says from outside of them how they ended.

A script of its own (standard library; `runner_child.py` beside it imports pytest), run as `python -s -B runner.py` with
a job as JSON on standard input: `root` (folder with the files), `tests` (test files in it), `hidden` (files that must
not change), `seconds`, and `limits` (the fields of `Limits`). It writes JSON lines to standard output: `{"ready":
true}`, then the report: `exit_code`, `timed_out`, `fault` (why the result cannot be believed, or empty) and `messages`
(see `runner_child.py`). Not `-I`: the environment is ours, and PYTHONHASHSEED must be heard.

The tested code shares a process with pytest, so that process cannot vouch for itself. This one never runs tested code:
it forks a child for pytest, holds the only descriptor of the report, and believes a result only if the child's messages
bear a key made for this run, pytest finished its session, its own code is unchanged, the hidden files are unchanged,
and the child ended by itself with the exit code that pytest returned. Code that knows all this and digs through the
child's memory can still lie; code that exits, patches pytest, or rewrites a test cannot.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import importlib.util
import json
import os
import platform
import resource
import select
import signal
import sys
import time
from typing import Any

PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 4, 36, 38
MESSAGE_BYTES = 16 << 20
TICK_SECONDS = 0.1


def apply_limits(limits: dict[str, Any]) -> None:
    """Set the limits that the kernel enforces, on this process and all it will start."""
    wanted = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: limits["file_bytes"],
        resource.RLIMIT_NOFILE: limits["open_files"],
        resource.RLIMIT_AS: limits["memory_bytes"],
    }
    if counts_processes_here():
        wanted[resource.RLIMIT_NPROC] = limits["processes"]
    for kind, value in wanted.items():
        hard = resource.getrlimit(kind)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))


def counts_processes_here() -> bool:
    """Whether RLIMIT_NPROC counts this sandbox's processes and not all of the user's on the machine."""
    try:
        with open("/proc/self/uid_map") as file:
            own_namespace = file.read().split() != ["0", "0", "4294967295"]
    except OSError:
        return False
    release = platform.release().split(".")
    return own_namespace and (int(release[0]), int(release[1].split("-")[0])) >= (5, 14)


def prctl(option: int, value: int) -> None:
    """Set an option of this process, where the system knows such options."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, ctypes.c_ulong(value), 0, 0, 0)


def descendants() -> list[int]:
    """The living processes below this one, by /proc; empty where there is none."""
    children: dict[int, list[int]] = {}
    with contextlib.suppress(FileNotFoundError):
        for name in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
                if fields[0] != b"Z":
                    children.setdefault(int(fields[1]), []).append(int(name))
    family = [os.getpid()]
    for pid in family:
        family += children.get(pid, [])
    return family[1:]


def end_all(child: int) -> None:
    """Kill and reap every process below this one. Orphans are below it too: it is their reaper."""
    give_up = time.monotonic() + 5
    with contextlib.suppress(OSError):
        os.killpg(child, signal.SIGKILL)
    while time.monotonic() < give_up:
        with contextlib.suppress(OSError):
            if os.getpid() == 1:
                os.kill(-1, signal.SIGKILL)
        for pid in descendants():
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.002)


def fingerprint(root: str, names: list[str]) -> dict[str, str | None]:
    """SHA-256 of each file, None where it cannot be read."""
    found: dict[str, str | None] = {}
    for name in names:
        found[name] = None
        with contextlib.suppress(OSError), open(os.path.join(root, name), "rb") as file:
            found[name] = hashlib.sha256(file.read()).hexdigest()
    return found


class Watch:
    """The child's messages and its end, as seen from outside."""

    def __init__(self, child: int, pipe: int, key: str, job: dict[str, Any]) -> None:
        """`pipe` is the reading end of the child's messages, `key` what each of them must bear."""
        self.child, self.pipe, self.key, self.job = child, pipe, key, job
        self.messages: list[dict[str, Any]] = []
        self.exit_code: int | None = None
        self.fault = ""
        self.timed_out = False
        self._buffer = b""
        self._size = 0
        self._before = fingerprint(job["root"], job["hidden"])

    def run(self) -> None:
        """Follow the child to its end, the deadline or its first offence; then end all that is left of it."""
        deadline = time.monotonic() + self.job["seconds"]
        os.set_blocking(self.pipe, False)
        poll = select.poll()
        poll.register(self.pipe, select.POLLIN)
        with contextlib.suppress(AttributeError, OSError):
            poll.register(os.pidfd_open(self.child), select.POLLIN)
        counted = 0.0
        while not self.fault and not self._ended():
            left = deadline - time.monotonic()
            if left <= 0:
                self.timed_out = True
                break
            poll.poll(min(left, TICK_SECONDS) * 1000)
            self._read(poll)
            if time.monotonic() - counted > TICK_SECONDS:
                counted = time.monotonic()
                if len(descendants()) > self.job["limits"]["processes"]:
                    self.fault = f"more than {self.job['limits']['processes']} processes"
        self._read(poll)
        end_all(self.child)
        self._check_files()

    def _ended(self) -> bool:
        """Whether the child has ended. It is reaped later, so that its id cannot pass to another process."""
        ended = os.waitid(os.P_PID, self.child, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if ended is not None:
            self.exit_code = ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status
        return ended is not None

    def _read(self, poll: select.poll) -> None:
        with contextlib.suppress(BlockingIOError):
            while chunk := os.read(self.pipe, 65536):
                self._buffer += chunk
                self._size += len(chunk)
                if self._size > MESSAGE_BYTES:
                    self.fault = "the test process sent more messages than tests can"
                    return
                *lines, self._buffer = self._buffer.split(b"\n")
                for line in lines:
                    self._take(line)
            with contextlib.suppress(KeyError):
                poll.unregister(self.pipe)

    def _take(self, line: bytes) -> None:
        key, _, text = line.partition(b" ")
        if key.decode("latin-1") != self.key:
            self.fault = "the tested code wrote into the channel of the test results"
            return
        message = json.loads(text)
        if message["kind"] == "collected":
            self._check_files()
        if message["kind"] == "tampered":
            self.fault = f"the tested code changed {message['what']}, by which it is tested"
        self.messages.append(message)

    def _check_files(self) -> None:
        now = fingerprint(self.job["root"], self.job["hidden"])
        changed = [name for name in now if now[name] != self._before[name]]
        if changed and not self.fault:
            self.fault = f"the tested code changed hidden files: {', '.join(changed[:3])}"


def load_child() -> Any:
    """The module beside this file, without its folder on sys.path. It imports pytest, before any tested code exists."""
    name = "runner_child"
    spec = importlib.util.spec_from_file_location(name, os.path.join(os.path.dirname(__file__), f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def judge(job: dict[str, Any], child: Any, report: int) -> dict[str, Any]:
    """Fork the child, watch it, and say what can be believed. `report` is a descriptor the child must not have."""
    key = os.urandom(16).hex()
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        os.close(report)
        prctl(PR_SET_DUMPABLE, 1)
        os.setsid()
        child.main(job["root"], job["tests"], writing, key)
    os.close(writing)
    watch = Watch(pid, reading, key, job)
    watch.run()
    said = [message["code"] for message in watch.messages if message["kind"] in ("finished", "returned")]
    if not watch.timed_out and not watch.fault and said != [watch.exit_code] * 2:
        watch.fault = f"the test process ended before pytest did (exit code {watch.exit_code})"
    return {name: getattr(watch, name) for name in ("exit_code", "timed_out", "fault", "messages")}


def serve(child: Any) -> None:
    """One job: from standard input to the report on what was standard output, which the tests never see.

    `child` is the loaded module `runner_child`.
    """
    with os.fdopen(os.dup(0)) as given:
        job = json.load(given)
    report = os.dup(1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(2, 1)
    os.close(null)
    apply_limits(job["limits"])
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    # Where processes are not hidden from each other, this keeps the tested code out of our memory and descriptors.
    prctl(PR_SET_DUMPABLE, 0)
    with os.fdopen(report, "w") as file:
        print('{"ready": true}', file=file, flush=True)
        print(json.dumps(judge(job, child, report)), file=file, flush=True)


if __name__ == "__main__":
    del sys.path[0]
    serve(load_child())
