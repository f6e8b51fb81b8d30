"""Runs hidden tests inside the sandbox and says from outside of them how they ended.

A script of its own (standard library; `runner_child.py` and its parts beside it import pytest), run as `python -s -B
runner.py` with a job as JSON on standard input: `root` (folder with the files), `tests` (test files in it), `sources`
(their text, as latin-1), `hidden` (files that must not change), `secrets` (files that nobody has a reason to open),
`seconds`, and `limits` (the fields of `Limits`). It writes JSON lines to standard output: `{"ready": true}`,
then the report: `exit_code`, `timed_out`, `fault` (why the result cannot be believed, or empty), `tampering` (whether
the fault is an attempt to be taken for a solution) and `messages` (see `runner_child.py`). Not `-I`: the environment is
ours, and PYTHONHASHSEED must be heard.

The tested code shares a process with pytest, so that process cannot vouch for itself. This one never runs tested code:
it forks a child for pytest, holds the only descriptor of the report, and believes a result only if the child's messages
are signed with a key that the child's guard alone has (`runner_guard.py`) and come in the order of a test run, each
test's own code was seen to reach its end, pytest finished its session, its own code is unchanged, the hidden files are
unchanged, and the child ended by itself with the exit code that pytest returned. `docs/sandbox.md` says what is left.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import json
import os
import platform
import resource
import signal
import struct
import sys
import time
from typing import Any

PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 4, 24, 36, 38
CAPABILITY_VERSION = 0x20080522


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


def renounce() -> None:
    """Give up root's rights over other processes, and the means to get them back; a sandbox has taken them already."""
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    if sys.platform == "linux" and os.geteuid() == 0:
        libc = ctypes.CDLL(None)
        for number in range(64):
            libc.prctl(PR_CAPBSET_DROP, ctypes.c_ulong(number), 0, 0, 0)
        header, none = struct.pack("Ii", CAPABILITY_VERSION, 0), struct.pack("6I", 0, 0, 0, 0, 0, 0)
        libc.capset(header, none)


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


class Parts:
    """The modules beside this file that do the work in the child, loaded before any tested code exists."""

    def __init__(self) -> None:
        self.child = load("runner_child")
        self.guard = load("runner_guard")
        self.signals = load("runner_signals")
        self.source = load("runner_source")
        self.equal = load("runner_equal")
        self.watch = load("runner_watch")
        self.equal.show_comparisons()
        load("runner_frozen").freeze([self.child, self.equal])


def load(name: str) -> Any:
    """A module beside this file, without its folder on sys.path and without an entry in sys.modules."""
    spec = importlib.util.spec_from_file_location(name, os.path.join(os.path.dirname(__file__), f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def judge(job: dict[str, Any], parts: Parts, report: int) -> dict[str, Any]:
    """Fork the child, watch it, and say what can be believed. `report` is a descriptor the child must not have."""
    secret = [os.urandom(16).hex()]
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        os.close(report)
        os.setsid()
        # Tested code that wants it must import it, which the guard sees.
        for name in ("ctypes", "_ctypes"):
            sys.modules.pop(name, None)
            globals().pop(name, None)
        parts.child.main(job, parts, writing, secret)
    os.close(writing)
    watch = parts.watch.Watch(pid, reading, secret.pop(), job)
    watch.run(lambda: len(descendants()), lambda: end_all(pid))
    found: dict[str, Any] = watch.report()
    return found


def serve(parts: Parts) -> None:
    """One job: from standard input to the report on what was standard output, which the tests never see."""
    with os.fdopen(os.dup(0)) as given:
        job = json.load(given)
    report = os.dup(1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(2, 1)
    os.close(null)
    apply_limits(job["limits"])
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    renounce()
    # Where processes are not hidden from each other, this keeps others out of our memory and descriptors: tested code
    # out of this process, and programs that it starts out of the one that it runs in.
    prctl(PR_SET_DUMPABLE, 0)
    with os.fdopen(report, "w") as file:
        print('{"ready": true}', file=file, flush=True)
        print(json.dumps(judge(job, parts, report)), file=file, flush=True)


if __name__ == "__main__":
    del sys.path[0]
    serve(Parts())
