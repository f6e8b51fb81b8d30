"""What a sandbox blocks on this machine, found by trying it from inside, not by reading its label."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_hybrideval.core.errors import SandboxError
from pytest_hybrideval.sandbox.interpreter import interpreter
from pytest_hybrideval.sandbox.process import Job

if TYPE_CHECKING:
    from pytest_hybrideval.sandbox.choice import Sandbox

_SECONDS = 30.0
_TRIES = """
import json, os, signal, socket, sys
port, outside, pid = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])

def can(what):
    try:
        what()
    except OSError:
        return False
    return True

def see():
    if not can(lambda: os.kill(pid, 0)) and not os.path.exists(f"/proc/{pid}/cmdline"):
        raise OSError
    if b"seen-by-the-probe" not in open(f"/proc/{pid}/cmdline", "rb").read():
        raise OSError

print(json.dumps({
    "network": not can(lambda: socket.create_connection(("127.0.0.1", port), timeout=3).close()),
    "reading": not can(lambda: open(os.path.join(outside, "secret.txt")).close()),
    "writing": not can(lambda: open(os.path.join(outside, "written.txt"), "w").close()),
    "processes": not can(see),
}))
"""


@dataclass(frozen=True)
class Blocks:
    """What a command in the sandbox cannot do: reach the machine's network, files outside its own, other processes."""

    network: bool
    reading: bool
    writing: bool
    processes: bool


def blocks(sandbox: Sandbox) -> Blocks:
    """Try each from inside. Raises `SandboxError` where the sandbox does not run the attempt."""
    python = interpreter(sys.executable, "json", "the attempt")
    waiting = [sys.executable, "-I", "-S", "-c", "import sys; sys.stdin.read()  # seen-by-the-probe"]
    with (
        tempfile.TemporaryDirectory(prefix="hybrideval-inside-") as inside,
        tempfile.TemporaryDirectory(prefix="hybrideval-outside-") as outside,
        socket.create_server(("127.0.0.1", 0)) as server,
        subprocess.Popen(waiting, stdin=subprocess.PIPE) as other,
    ):
        Path(outside, "secret.txt").write_text("secret")
        facts = [str(server.getsockname()[1]), outside, str(other.pid)]
        job = Job(
            argv=[python.program, "-I", "-c", _TRIES, *facts],
            scratch=Path(inside).resolve(),
            environ={"PATH": os.defpath},
            seconds=_SECONDS,
            readable=python.readable,
        )
        result = sandbox.run(job)
        other.kill()
    if result.exit_code != 0:
        said = result.stderr.decode(errors="replace").strip()[-300:] or f"exit code {result.exit_code}"
        raise SandboxError(f"the sandbox {sandbox.name} does not run a Python script: {said}")
    return Blocks(**json.loads(result.stdout))
