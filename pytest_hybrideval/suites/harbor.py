"""Task folders in Harbor's layout, which Terminal-Bench 2 uses: `task.toml`, `instruction.md`, `tests/test.sh`.

Such a task is made for a container. It runs here where none is needed: its environment is a folder of files that are
copied to one place, and its tests fetch nothing. Any other is skipped, with the reason.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from pytest_hybrideval.core.domain import SCRIPT, Task, TaskClass, Terminal
from pytest_hybrideval.core.errors import TaskError
from pytest_hybrideval.suites.folders import digest, files_below

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_CONFIG, _INSTRUCTION, _TEST, _SOLVE = "task.toml", "instruction.md", "test.sh", "solve.sh"
_DOCKERFILE = "Dockerfile"
_BUILD = frozenset({_DOCKERFILE, ".dockerignore", "docker-compose.yaml", "docker-compose.yml"})
_WORKDIR = "/app"
_AGENT_SECONDS, _SCORING_SECONDS = 600.0, 60.0
_LEVELS = ("easy", "medium", "hard")
# What a Dockerfile may say without anything having to be built; COPY is looked at.
_HARMLESS = frozenset({"FROM", "WORKDIR", "COPY", "ENV", "LABEL", "ARG", "CMD", "ENTRYPOINT", "USER", "EXPOSE"})
_FETCHES = re.compile(r"\b(apt-get|apt|curl|wget|uvx|uv|pip3? install|npm|git clone)\b")


class HarborSuite:
    """Reads Harbor's task folders."""

    def claims(self, folder: Path) -> bool:
        """`task.toml` and `instruction.md` are there."""
        return (folder / _CONFIG).is_file() and (folder / _INSTRUCTION).is_file()

    def load(self, folder: Path) -> Task:
        """Read and check everything. Raises `TaskError` naming file and field."""
        config = _read(folder / _CONFIG)
        instruction = (folder / _INSTRUCTION).read_text(encoding="utf-8", errors="replace").strip()
        tests = {f"tests/{name}": path for name, path in files_below(folder / "tests").items()}
        if f"tests/{_TEST}" not in tests:
            raise TaskError(f"{folder / 'tests' / _TEST}: is missing; without it nothing can be decided")
        environment = files_below(folder / "environment")
        workspace = {name: path for name, path in environment.items() if PurePosixPath(name).name not in _BUILD}
        solver = folder / "solution" / _SOLVE
        workdir, needs = _place(folder / "environment" / _DOCKERFILE)
        facts = {"instruction": instruction, "config": config, "workdir": workdir}
        metadata = _table(folder, config, "metadata")
        return Task(
            suite=folder.parent.name,
            name=folder.name,
            folder=folder,
            task_class=TaskClass.TERMINAL,
            title=str(_table(folder, config, "task").get("description") or folder.name),
            instruction=instruction,
            workspace=workspace,
            edit=tuple(workspace),
            create=(),
            read_only=(),
            hidden=tests,
            solution={},
            near_misses=(),
            digest=digest(facts, (workspace, tests, files_below(folder / "solution"))),
            difficulty=str(metadata["difficulty"]) if metadata.get("difficulty") in _LEVELS else "",
            topics=tuple(map(str, metadata.get("tags") or ())),
            agent_seconds=_seconds(folder, config, "agent", _AGENT_SECONDS),
            scoring_seconds=_seconds(folder, config, "verifier", _SCORING_SECONDS),
            runner=SCRIPT,
            terminal=Terminal(workdir, solver if solver.is_file() else None),
            skip=needs or _needs(folder, config, tests[f"tests/{_TEST}"]),
        )


def _read(path: Path) -> dict[str, Any]:
    try:
        table: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TaskError(f"{path}: not readable as TOML: {error}") from None
    return table


def _table(folder: Path, config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = config.get(name, {})
    if not isinstance(table, Mapping):
        raise TaskError(f"{folder / _CONFIG}: '{name}' must be a table")
    return table


def _seconds(folder: Path, config: Mapping[str, Any], name: str, otherwise: float) -> float:
    value = _table(folder, config, name).get("timeout_sec", otherwise)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value <= 0:
        raise TaskError(f"{folder / _CONFIG}: field '{name}.timeout_sec': {value!r} is no number of seconds")
    return float(value)


def _needs(folder: Path, config: Mapping[str, Any], test: Path) -> str:
    """Why a container is needed, or a network; empty where neither is."""
    if any((folder / "environment" / name).exists() for name in ("docker-compose.yaml", "docker-compose.yml")):
        return "it needs containers: its environment is a docker compose file"
    if _table(folder, config, "environment").get("docker_image"):
        return f"it needs a container: the image {config['environment']['docker_image']}"
    lines = test.read_text(encoding="utf-8", errors="replace").splitlines()
    fetching = _FETCHES.search("\n".join(line for line in lines if not line.lstrip().startswith("#")))
    return f"its tests/{_TEST} fetches software ('{fetching[0]}'), and tests have no network" if fetching else ""


def _place(dockerfile: Path) -> tuple[str, str]:
    """Where the environment's files belong, and why the Dockerfile has to be built, if it has to be."""
    if not dockerfile.is_file():
        return _WORKDIR, ""
    text = dockerfile.read_text(encoding="utf-8", errors="replace").replace("\\\n", " ")
    workdir = ""
    for words in (line.split() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")):
        word = words[0].upper()
        if word not in _HARMLESS:
            return _WORKDIR, f"it needs a container: its Dockerfile has a {word} step"
        if word == "WORKDIR":
            workdir = words[-1].rstrip("/") or "/"
        if word == "COPY" and (words[1] not in (".", "./") or words[-1].rstrip("/") not in (".", workdir)):
            return _WORKDIR, f"it needs a container: its Dockerfile copies '{' '.join(words[1:])}'"
    if workdir in ("", "/") or not PurePosixPath(workdir).is_absolute():
        return _WORKDIR, "it needs a container: its Dockerfile names no WORKDIR"
    return workdir, ""
