"""What an agent left, so far as it explains a failure: changes that do not count, code that does not parse."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path

from pytest_hybrideval.core.domain import Task

_OWN = (".aider", ".git")
_CACHES = frozenset({"__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache"})
_MOST_FILES = 10_000


def changed_elsewhere(task: Task, workspace: Path) -> tuple[str, ...]:
    """Files that the agent changed or made and that the task does not let it: their names, sorted."""
    found = []
    for number, path in enumerate(workspace.rglob("*")):
        if number > _MOST_FILES:
            break
        name = path.relative_to(workspace)
        if name.parts[0].startswith(_OWN) or _CACHES.intersection(name.parts) or path.is_symlink():
            continue
        if path.is_file() and name.as_posix() not in task.allowed:
            given = task.workspace.get(name.as_posix())
            if given is None or given.read_bytes() != path.read_bytes():
                found.append(name.as_posix())
    return tuple(sorted(found))


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
