"""What every sandbox must keep to, as checks that its author calls from a test.

    from pytest_hybrideval.testing import SANDBOX_CHECKS, check_sandbox

    def test_my_sandbox_conforms(tmp_path):
        check_sandbox(MySandbox(), tmp_path)

or, for a result per check:

    @pytest.mark.parametrize("check", SANDBOX_CHECKS, ids=str)
    def test_my_sandbox(check, tmp_path):
        check(MySandbox(), tmp_path)

The checks run small Python scripts by the interpreter that runs them. What a sandbox blocks beside that is its own
affair; `pytest_hybrideval.sandbox.probes.blocks` finds it out by trying.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from pytest_hybrideval.sandbox.choice import Sandbox
from pytest_hybrideval.sandbox.interpreter import interpreter
from pytest_hybrideval.sandbox.process import Job, RunResult

_SECONDS = 30.0
_SLEEPERS = """
import os, subprocess, sys, time
sleeper = [sys.executable, "-I", "-S", "-c", "import time; time.sleep(300)  # {mark}"]
subprocess.Popen(sleeper, start_new_session=True)
if os.fork() == 0:
    os.setsid()
    os._exit(0) if os.fork() else os.execve(sleeper[0], sleeper, dict(os.environ))
print("started", flush=True)
"""


@dataclass(frozen=True)
class SandboxCheck:
    """One thing a sandbox must keep to. Calling it raises `AssertionError` saying what was otherwise."""

    name: str
    run: Callable[[Sandbox, Path], None]

    def __call__(self, sandbox: Sandbox, folder: Path) -> None:
        """Check a sandbox; `folder` is an empty folder of the caller's."""
        self.run(sandbox, folder.resolve())

    def __str__(self) -> str:
        return self.name


def check_sandbox(sandbox: Sandbox, folder: Path) -> None:
    """Check everything, each in a folder of its own below `folder`. Raises `AssertionError` at the first that fails."""
    for number, check in enumerate(SANDBOX_CHECKS):
        part = folder / str(number)
        part.mkdir(parents=True)
        check(sandbox, part)


def _run(sandbox: Sandbox, folder: Path, code: str, **more: Any) -> RunResult:
    python = interpreter(sys.executable, "json", "the checks")
    scratch = folder / "scratch"
    scratch.mkdir(exist_ok=True)
    job = {"environ": {"PATH": os.defpath}, "seconds": _SECONDS, "readable": python.readable, **more}
    return sandbox.run(Job([python.program, "-I", "-S", "-c", code], scratch, **job))


def _expect(what: str, found: object, expected: object) -> None:
    assert found == expected, f"{what}: {found!r} instead of {expected!r}"


def _runs(sandbox: Sandbox, folder: Path) -> None:
    code = (
        "import sys; print(sys.stdin.read()); print('err', file=sys.stderr); open('made', 'w').write('x'); sys.exit(3)"
    )
    result = _run(sandbox, folder, code, stdin=b"given")
    _expect("output", (result.stdout, result.stderr), (b"given\n", b"err\n"))
    _expect("exit code", (result.exit_code, result.timed_out), (3, False))
    _expect("a file in the scratch folder", (folder / "scratch" / "made").read_text(), "x")


def _environment(sandbox: Sandbox, folder: Path) -> None:
    given = {"PATH": os.defpath, "WITH_SPACES": "a b", "EMPTY": "", "LC_CTYPE": "C.UTF-8"}
    result = _run(sandbox, folder, "import os, json; print(json.dumps(dict(os.environ)))", environ=given)
    found = json.loads(result.stdout)
    found.pop("PWD", None)  # a shell's own, of where it is
    _expect("environment", found, given)


def _descriptors(sandbox: Sandbox, folder: Path) -> None:
    code = "import os\nfor number in range(3, 200):\n    try: os.fstat(number); print(number)\n    except OSError: pass"
    _expect("open descriptors", _run(sandbox, folder, code).stdout, b"")


def _time_out(sandbox: Sandbox, folder: Path) -> None:
    mark, began = uuid4().hex, time.monotonic()
    result = _run(sandbox, folder, _SLEEPERS.format(mark=mark) + "time.sleep(300)", seconds=2.0)
    assert time.monotonic() - began < 15, "a time-out of 2 s took longer than 15 s"
    _expect("time-out", (result.timed_out, result.exit_code), (True, None))
    _expect("output before the time-out", result.stdout, b"started\n")
    _expect("processes after a time-out", _alive(mark), [])


def _background(sandbox: Sandbox, folder: Path) -> None:
    mark = uuid4().hex
    result = _run(sandbox, folder, _SLEEPERS.format(mark=mark))
    _expect("exit code", result.exit_code, 0)
    assert result.seconds < 15, "the end of the command was not noticed while a process of it lived"
    _expect("processes after the run", _alive(mark), [])


def _output(sandbox: Sandbox, folder: Path) -> None:
    code = "import sys\nfor _ in range(300): sys.stdout.write('x' * 1000); sys.stderr.write('y' * 1000)"
    result = _run(sandbox, folder, code, stdout_bytes=5000, stderr_bytes=7000)
    _expect("capped output", (result.stdout, result.stderr), (b"x" * 5000, b"y" * 7000))
    _expect("bytes dropped", (result.exit_code, result.dropped), (0, 600_000 - 12_000))


def _frozen(sandbox: Sandbox, folder: Path) -> None:
    scratch = folder / "scratch"
    scratch.mkdir()
    (scratch / "frozen.txt").write_text("as it was")
    code = "print(open('frozen.txt').read())\ntry: open('frozen.txt', 'w').write('changed')\nexcept OSError: pass"
    result = _run(sandbox, folder, code, frozen=(scratch / "frozen.txt",))
    _expect("a frozen file, read", result.stdout, b"as it was\n")
    # A level without a file system of its own leaves that to who compares the files afterwards, and says so.
    if "NOT blocked" not in sandbox.label:
        _expect("a frozen file, written", (scratch / "frozen.txt").read_text(), "as it was")


def _places(sandbox: Sandbox, folder: Path) -> None:
    _expect("where it starts", _run(sandbox, folder, "import os; print(os.getcwd())").stdout, _line(folder / "scratch"))
    tool = folder / "tool, with a comma.txt"
    tool.write_text("to be read")
    python = interpreter(sys.executable, "json", "the checks")
    result = _run(sandbox, folder, f"print(open({str(tool)!r}).read())", readable=(*python.readable, tool))
    _expect("a readable file", result.stdout, b"to be read\n")


def _words(sandbox: Sandbox, folder: Path) -> None:
    assert sandbox.label.startswith(sandbox.name), f"the label {sandbox.label!r} does not begin with the name"
    job = Job(["/bin/true", "--flag"], folder, {}, 1.0)
    _expect("the end of the command line", list(sandbox.command(job))[-2:], ["/bin/true", "--flag"])


def _line(path: Path) -> bytes:
    return f"{path}\n".encode()


def _alive(mark: str) -> list[str]:
    """The living processes with `mark` on their command line, seen from outside."""
    found = []
    for home in Path("/proc").glob("[0-9]*"):
        try:
            state = (home / "stat").read_text(errors="replace").rpartition(")")[2].split()[0]
            line = (home / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if mark in line and state != "Z":
            found.append(line)
    return found


SANDBOX_CHECKS = tuple(
    SandboxCheck(name, run)
    for name, run in (
        ("input, output and exit code", _runs),
        ("the environment is exactly what was given", _environment),
        ("no descriptor but the three", _descriptors),
        ("a time-out ends the whole tree", _time_out),
        ("background processes end with the command", _background),
        ("output is capped and counted", _output),
        ("frozen files stay", _frozen),
        ("paths are what they are outside", _places),
        ("label and command line", _words),
    )
)
