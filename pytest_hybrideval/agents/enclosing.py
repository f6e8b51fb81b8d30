"""The enclosure of an agent: it sees its workspace, its HOME and a read-only system, and reaches the gateway alone."""

from __future__ import annotations

import os
import re
import shlex
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pytest_hybrideval.core.errors import AgentUnavailable, ConfigurationError
from pytest_hybrideval.core.protocols import AgentJob
from pytest_hybrideval.sandbox import doorway
from pytest_hybrideval.sandbox.choice import Sandbox, choose, tried
from pytest_hybrideval.sandbox.interpreter import interpreter
from pytest_hybrideval.sandbox.namespaces import Namespaces
from pytest_hybrideval.sandbox.process import Job

# Where they lie inside, the same for every trial: a path has a part in what aider asks, and in which order.
WORKSPACE, HOME = Path("/agent/workspace"), Path("/agent/home")

UNCONFINED = "none: network and files are NOT blocked"
_CONFINED = (
    "no network but the gateway, no files but a read-only system, its workspace and its HOME, no processes but its own"
)
_DOORWAY = Path(doorway.__file__)
_NOT_MADE = ("enclosure: ", "doorway: ", "bwrap: ")
# The levels under which agents are enclosed by the first of these that works.
_BEST, FREE = ("namespaces", "bubblewrap"), ("auto", "docker")


@dataclass(frozen=True)
class Enclosure:
    """A sandbox as agents run in it. `python` is the interpreter that has aider, `programs` are files beside it."""

    sandbox: Sandbox
    python: str
    programs: tuple[Path, ...] = ()

    @property
    def label(self) -> str:
        """The level and what is blocked, for people."""
        return f"{self.sandbox.name}: {_CONFINED}"

    def command(self, job: AgentJob, argv: Sequence[str], environ: Mapping[str, str], descriptor: int) -> list[str]:
        """The command line that runs `argv` enclosed, with a doorway behind `descriptor`."""
        through = [self.python, "-I", "-S", "-B", str(_DOORWAY), str(descriptor), str(port(job)), *argv]
        return self.sandbox.command(self._job(job, through, environ))

    def plan(self, job: AgentJob) -> dict[str, Any]:
        """The view as `enclosure.py` reads it, for a warm parent."""
        assert isinstance(self.sandbox, Namespaces)
        return self.sandbox.plan(self._job(job, (), {}))

    def ask(self, argv: Sequence[str], seconds: float) -> str:
        """What a command prints that is run enclosed, without a doorway; empty where it fails.

        Raises `ConfigurationError` where the interpreter does not run or has no aider.
        """
        with tempfile.TemporaryDirectory(prefix="hybrideval-ask-") as folder:
            environ = {"PATH": os.defpath, "HOME": folder, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
            job = Job(argv, Path(folder).resolve(), environ, seconds, readable=self._readable)
            result = self.sandbox.run(job)
        return result.stdout.decode(errors="replace") if result.exit_code == 0 else ""

    def _job(self, job: AgentJob, argv: Sequence[str], environ: Mapping[str, str]) -> Job:
        return Job(
            argv=argv,
            scratch=job.workspace.resolve(),
            shown_at=WORKSPACE,
            writable=((job.home.resolve(), HOME),),
            environ=environ,
            seconds=job.timeout,
            readable=(*self._readable, _DOORWAY),
        )

    @property
    def _readable(self) -> tuple[Path, ...]:
        return (*interpreter(self.python, "aider", "aider").readable, *self.programs)


def sandbox_for(level: str) -> Sandbox | None:
    """The sandbox in which agents run under that level, None where they run without.

    Raises `ConfigurationError` where a named level is unknown or does not work here.
    """
    if level in FREE:
        found = (tried(name)[0] for name in _BEST)
        return next((sandbox for sandbox in found if sandbox is not None), None)
    return None if level == "none" else choose(level)


@contextmanager
def doorway_of(job: AgentJob) -> Iterator[int]:
    """The descriptor behind which the gateway waits. Raises `AgentUnavailable` where the router has no such thing."""
    if job.doorway is None:
        raise AgentUnavailable(
            f"the router at {job.base_url} has no doorway (see AgentJob) by which an enclosed agent could reach it; "
            f"'--hybrid-sandbox none' runs the agent without an enclosure"
        )
    with job.doorway(job.base_url) as descriptor:
        yield descriptor


def port(job: AgentJob) -> int:
    """The port of the job's base URL."""
    return urlsplit(job.base_url).port or 80


def refusal(transcript: str) -> str | None:
    """Why the enclosure could not be made, where the output of a run that failed ends with that."""
    lines = transcript.rstrip().splitlines()
    return lines[-1] if lines and lines[-1].startswith(_NOT_MADE) else None


def python_of(command: Path) -> str:
    """The interpreter that runs an installed command. Raises `ConfigurationError` where the file does not say."""
    with command.open("rb") as file:
        head = file.read(4096).decode(errors="replace").splitlines()
    first = head[0].removeprefix("#!").strip() if head and head[0].startswith("#!") else ""
    if Path(first.split(" ")[0]).name.startswith("python"):
        return first.split(" ")[0]
    # A path that is long or holds blanks: pip and uv have the shell start the interpreter in the second line.
    found = re.match(r"'''exec' (.*) \"\$0\" \"\$@\"$", head[1]) if first.startswith("/bin/sh") and head[1:] else None
    if found:
        here = '$(dirname -- "$(realpath -- "$0")")'
        path = found.group(1).replace(f'"{here}"', shlex.quote(str(command.resolve().parent)))
        return shlex.split(path)[0]
    raise ConfigurationError(
        f"{command}: cannot tell which Python runs it, and so not what an enclosure must show; "
        f"name the 'aider' in the environment's own bin folder, or use '--hybrid-sandbox none'"
    )
