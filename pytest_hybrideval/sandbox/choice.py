"""What a sandbox is, and the choice of one that really works here."""

from __future__ import annotations

import difflib
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Protocol

from pytest_hybrideval.core.errors import ConfigurationError, SandboxError
from pytest_hybrideval.sandbox.bubblewrap import Bubblewrap
from pytest_hybrideval.sandbox.docker import find_docker
from pytest_hybrideval.sandbox.namespaces import Namespaces
from pytest_hybrideval.sandbox.plain import PlainProcess
from pytest_hybrideval.sandbox.process import Job, RunResult

_PROBE_SECONDS = 20.0


class Sandbox(Protocol):
    """Runs a command so that it can do no harm, as far as `label` says."""

    @property
    def name(self) -> str:
        """The name it is chosen by."""
        ...

    @property
    def label(self) -> str:
        """The name and what is blocked, for people."""
        ...

    def command(self, job: Job) -> list[str]:
        """The command line that runs the job enclosed."""
        ...

    def run(self, job: Job) -> RunResult:
        """Run the job to its end or time-out, and leave no process behind.

        Raises `OSError` where the command cannot be started.
        """
        ...


def choose(name: str) -> Sandbox:
    """The sandbox of that name, tried once per process; `auto` takes the best that works here.

    Raises `ConfigurationError` for an unknown name and for a named sandbox that is missing or does not work.
    """
    if name == "auto":
        return _best()
    if name not in _MAKERS:
        near = difflib.get_close_matches(name, ("auto", *_MAKERS), n=1)
        hint = f"did you mean {near[0]!r}?" if near else "choose one of:"
        raise ConfigurationError(f"unknown sandbox {name!r}; {hint} ({', '.join(('auto', *_MAKERS))})")
    found, why = tried(name)
    if found is None:
        raise ConfigurationError(f"sandbox {name!r} does not work here: {why}")
    return found


@cache
def _best() -> Sandbox:
    for name in _MAKERS:
        found, _ = tried(name)
        if found is not None:
            return found
    raise ConfigurationError("no sandbox works here, not even a plain process; is /bin/sh missing?")


@cache
def tried(name: str) -> tuple[Sandbox | None, str]:
    """The sandbox if a trivial command ran in it, otherwise None and the reason with its remedy."""
    try:
        sandbox = _MAKERS[name]()
        _try(sandbox, _REMEDIES[name])
    except (SandboxError, OSError) as problem:
        return None, str(problem)
    return sandbox, ""


def _try(sandbox: Sandbox, remedy: str) -> None:
    with tempfile.TemporaryDirectory(prefix="hybrideval-probe-") as folder:
        job = Job(
            argv=["/bin/sh", "-c", "echo works > probe && cat probe"],
            scratch=Path(folder).resolve(),
            environ={"PATH": "/usr/bin:/bin"},
            seconds=_PROBE_SECONDS,
        )
        result = sandbox.run(job)
    if result.exit_code != 0 or result.stdout != b"works\n":
        said = result.stderr.decode(errors="replace").strip() or f"a trivial command ended with {result.exit_code}"
        raise SandboxError(f"{said}; {remedy}")


_USER_NAMESPACES = (
    "allow user namespaces (sysctl user.max_user_namespaces above 0; on Ubuntu 24.04 and later also"
    " kernel.apparmor_restrict_unprivileged_userns=0; in Docker a seccomp profile that permits unshare),"
    " or choose another sandbox"
)
_REMEDIES = {
    "bubblewrap": _USER_NAMESPACES,
    "namespaces": _USER_NAMESPACES,
    "docker": "the engine must run on this machine and may mount its folders; see docs/sandbox.md",
    "none": "is /bin/sh missing?",
}


def _bubblewrap() -> Sandbox:
    program = shutil.which("bwrap")
    if program is None:
        raise SandboxError("bwrap is not installed; get it with 'apt-get install bubblewrap' (dnf, apk: same name)")
    return Bubblewrap(program)


# From the best to none at all.
_MAKERS: dict[str, Callable[[], Sandbox]] = {
    "bubblewrap": _bubblewrap,
    "namespaces": Namespaces,
    "docker": find_docker,
    "none": PlainProcess,
}
LEVELS = tuple(_MAKERS)
