"""The bubblewrap level: `bwrap` with namespaces of its own and a list of what is visible."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from subprocess import run
from typing import ClassVar

from pytest_hybrideval.sandbox.process import Job, RunResult, run_process
from pytest_hybrideval.sandbox.view import PRIVATE_TMP_BYTES, view


class Bubblewrap:
    """Runs the command under `bwrap`, as the first process of a process namespace: with it all others end.

    No network but a loopback of its own, no capability, a read-only system in which only what `view` lists exists,
    a private /tmp, /dev/shm, /proc and /dev. /proc is read-only because root keeps its rights on /proc/sys even in
    a user namespace without capabilities.
    """

    name = "bubblewrap"
    label = (
        "bubblewrap: no network, no files but a read-only system and the scratch folder, no processes but its own; "
        "time, memory, processes and output are limited"
    )

    _namespaces: ClassVar[tuple[str, ...]] = (
        "--unshare-user",
        "--unshare-pid",
        "--unshare-net",
        "--unshare-ipc",
        "--unshare-uts",
        "--unshare-cgroup-try",
        "--die-with-parent",
        "--new-session",
        "--as-pid-1",
        "--cap-drop",
        "ALL",
    )

    def __init__(self, program: str) -> None:
        """`program` is the path of `bwrap`."""
        self._program = program

    def command(self, job: Job) -> list[str]:
        """The whole `bwrap` command line, with the job's `argv` at its end."""
        shown = view(job)
        size = ("--size", str(PRIVATE_TMP_BYTES)) if _sizes(self._program) else ()
        command = [self._program, *self._namespaces]
        # Before the rest: an interpreter or a writable folder may lie below the real /tmp and is shown on top.
        command += ["--dev", "/dev", *size, "--tmpfs", "/dev/shm", "--proc", "/proc", *size, "--tmpfs", "/tmp"]
        command += _shown(shown.system)
        for link, target in shown.links:
            command += ["--symlink", target, str(link)]
        for path in shown.hidden:
            command += ["--tmpfs", str(path)]
        command += _shown(shown.read_only)
        for outside, inside in shown.writable:
            command += ["--bind", str(outside), str(inside)]
        for outside, inside in shown.frozen:
            command += ["--ro-bind", str(outside), str(inside)]
        for path in (*shown.hidden, Path("/proc"), Path("/dev"), Path("/")):
            command += ["--remount-ro", str(path)]
        return [*command, "--chdir", str(shown.start), "--", *job.argv]

    def run(self, job: Job) -> RunResult:
        """Run the job to its end. See `Sandbox.run`."""
        return run_process(self.command(job), job)


@cache
def _sizes(program: str) -> bool:
    """Whether this version can limit the size of a private /tmp."""
    return b"--size" in run([program, "--help"], capture_output=True, check=False).stdout


def _shown(paths: Sequence[Path]) -> list[str]:
    return [part for path in paths for part in ("--ro-bind", str(path.resolve()), str(path))]
