"""Lay out a task's workspace for the agent: by allow-list, in a fresh folder outside any checkout."""

from __future__ import annotations

import shutil
from pathlib import Path

from pytest_hybrideval.core.domain import Task
from pytest_hybrideval.core.errors import ConfigurationError


def stage(task: Task, workspace: Path) -> None:
    """Copy what the task shows into `workspace`, which must not exist: no hidden test, solution or near miss.

    Raises `ConfigurationError` where the folder lies inside a git checkout: the agent would find it and its `.env`.
    """
    for parent in workspace.resolve().parents:
        if (parent / ".git").exists():
            raise ConfigurationError(
                f"workspaces would lie inside the git checkout {parent}; set TMPDIR to a folder outside of it"
            )
    workspace.mkdir(parents=True)
    for name, source in task.workspace.items():
        target = workspace / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


def instruction(task: Task) -> str:
    """What the agent is told: the task's text and the rule that decides which of its files count."""
    names = ", ".join(f"`{name}`" for name in task.allowed)
    return (
        f"{task.instruction}\n\n"
        f"Only changes to these files count, every other change is thrown away: {names}. "
        f"Use the Python standard library only.\n"
    )
