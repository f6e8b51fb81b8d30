"""What an agent left, so far as it explains a failure: changes that do not count, code that does not parse."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

from pytest_hybrideval.core.domain import Task

_OWN = (".aider", ".git")
_CACHES = frozenset({"__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache"})
_MOST_FILES = 10_000


def changed_elsewhere(task: Task, workspace: Path) -> tuple[str, ...]:
    """Files that the agent changed or made and that the task does not let it: their names, sorted."""
    found = []
    for name in files_left(workspace):
        given = task.workspace.get(name)
        if name not in task.allowed and (given is None or given.read_bytes() != (workspace / name).read_bytes()):
            found.append(name)
    return tuple(found)


def files_left(workspace: Path) -> list[str]:
    """The files in a workspace without the agent's own notes, caches and links: their names, sorted."""
    found = []
    for path in islice(workspace.rglob("*"), _MOST_FILES):
        name = path.relative_to(workspace)
        ours = name.parts[0].startswith(_OWN) or _CACHES.intersection(name.parts)
        if not ours and path.is_file() and not path.is_symlink():
            found.append(name.as_posix())
    return sorted(found)


def first_syntax_error(produced: Mapping[str, Path]) -> str:
    """Where the first Python file that does not parse breaks, with what Python says; empty where all parse."""
    for name, path in produced.items():
        if path.suffix == ".py":
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    compile(path.read_bytes(), name, "exec", dont_inherit=True)
            except SyntaxError as error:
                return f"{name}, line {error.lineno}: {error.msg}"
            except (ValueError, MemoryError, RecursionError) as error:
                return f"{name}: {error or type(error).__name__}"
    return ""
