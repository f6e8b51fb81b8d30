"""The docker level: the same closed view in a container, by the `docker` or `podman` program of this machine."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from pytest_hybrideval.core.errors import SandboxError
from pytest_hybrideval.sandbox.process import Job, RunResult, run_process
from pytest_hybrideval.sandbox.view import PRIVATE_TMP_BYTES, view

IMAGE = "HYBRIDEVAL_DOCKER_IMAGE"
_DEFAULT_IMAGE = "busybox:latest"
_PROGRAMS = ("docker", "podman")
_MEMORY, _PROCESSES = "4g", 1024
_ASK_SECONDS = 20.0
# What the client needs to find its engine; nothing of it reaches the container.
_CLIENT = ("PATH", "HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "CONTAINER_HOST")


class Docker:
    """Runs the command in a container without network, capabilities or a writable root, as the user who runs us.

    The container shows this machine's own programs and libraries, as the other levels do, so that the job's Python is
    the same; of its image only an empty root remains. The engine must therefore run on this machine. The container is
    removed however the run ends.
    """

    name = "docker"
    label = (
        "docker: no network, no files but a read-only system and the scratch folder, no processes but its own; "
        "time, memory, processes and output are limited"
    )

    def __init__(self, program: str, image: str) -> None:
        """`program` is the path of `docker` or `podman`, `image` the name of any image that the engine has."""
        self._program = program
        self._image = image

    def command(self, job: Job) -> list[str]:
        """The whole `docker run` command line, with the job's environment and `argv` at its end."""
        return self._command(job, _name())

    def run(self, job: Job) -> RunResult:
        """Run the job to its end, and remove the container. See `Sandbox.run`."""
        name = _name()
        try:
            return run_process(self._command(job, name), replace(job, environ=_client_environ()))
        finally:
            # At a time-out only the client was killed, and the engine knows nothing of it.
            _ask([self._program, "rm", "--force", name])

    def _command(self, job: Job, name: str) -> list[str]:
        user = f"{os.getuid()}:{os.getgid()}"
        keep = ("--userns=keep-id",) if Path(self._program).name == "podman" and os.getuid() else ()
        return [
            *(self._program, "run", "--rm", "--interactive", "--init", "--name", name, "--pull", "never"),
            *("--network", "none", "--ipc", "private", "--hostname", "sandbox", "--user", user, *keep),
            *("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
            *("--memory", _MEMORY, "--memory-swap", _MEMORY, "--pids-limit", str(_PROCESSES)),
            *("--tmpfs", f"/tmp:rw,nosuid,nodev,mode=1777,size={PRIVATE_TMP_BYTES}"),
            *_mounts(job),
            *("--workdir", str(view(job).start), "--entrypoint", "/usr/bin/env", self._image, "-i"),
            *(f"{key}={value}" for key, value in job.environ.items()),
            *job.argv,
        ]


def find_docker(environ: Mapping[str, str] = os.environ) -> Docker:
    """The level with the engine that answers here. Raises `SandboxError` saying what is missing and how to get it."""
    program = next(filter(None, map(shutil.which, _PROGRAMS)), None)
    if program is None:
        raise SandboxError("neither docker nor podman is installed; install one of them, and start its engine")
    engine = Path(program).name
    answer = _ask([program, "version", "--format", "{{.Server.Version}}"])
    if answer:
        raise SandboxError(f"{engine} is installed and its engine does not answer: {answer}; start it, or name another")
    image = environ.get(IMAGE) or _DEFAULT_IMAGE
    if _ask([program, "image", "inspect", "--format", "{{.Id}}", image]):
        raise SandboxError(f"the image {image} is missing; get it with '{engine} pull {image}', or name one by {IMAGE}")
    return Docker(program, image)


def _name() -> str:
    return f"hybrideval-{uuid4().hex}"


def _mounts(job: Job) -> list[str]:
    """The view, as mounts in the order in which they lie over each other."""
    shown = view(job)
    mounts = [_bind(path.resolve(), path, read_only=True) for path in shown.system]
    mounts += [_bind(path.resolve(), path, read_only=True) for path, _ in shown.links]
    for path in shown.hidden:
        mounts += [("--tmpfs", f"{path}:ro,size=64k")]
    mounts += [_bind(path.resolve(), path, read_only=True) for path in shown.read_only]
    mounts += [_bind(outside, inside, read_only=False) for outside, inside in shown.writable]
    mounts += [_bind(outside, inside, read_only=True) for outside, inside in shown.frozen]
    return [part for mount in mounts for part in mount]


def _bind(outside: Path, inside: Path, *, read_only: bool) -> tuple[str, str]:
    """One mount, as a line of CSV: a path may hold a comma."""
    fields = ["type=bind", f"source={outside}", f"target={inside}", *(["readonly"] if read_only else [])]
    quoted = ['"' + field.replace('"', '""') + '"' if set(field) & {",", '"'} else field for field in fields]
    return "--mount", ",".join(quoted)


def _client_environ() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if key in _CLIENT or key.startswith("DOCKER_")}


def _ask(argv: list[str]) -> str:
    """Why the engine refused, in a line; empty where it did what was asked."""
    try:
        asked = subprocess.run(
            argv, capture_output=True, text=True, timeout=_ASK_SECONDS, check=False, env=_client_environ()
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        return str(problem)
    if asked.returncode == 0:
        return ""
    return " ".join((asked.stderr or asked.stdout).split())[-300:] or f"exit code {asked.returncode}"
