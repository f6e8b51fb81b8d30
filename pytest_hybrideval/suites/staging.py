"""Lay out a task's workspace for the agent: by allow-list, in a fresh folder outside any checkout."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from pytest_hybrideval.core.domain import JEST, PYTEST, Task
from pytest_hybrideval.core.errors import ConfigurationError
from pytest_hybrideval.core.signals import RETRY_MARK

_LIBRARIES = {PYTEST: "Use the Python standard library only.", JEST: "Use no packages beside the language's own."}


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
    if task.terminal is not None:
        return f"{task.instruction}\n\nThe folder `{task.terminal.workdir}` is the current folder here.\n"
    names = ", ".join(f"`{name}`" for name in task.allowed)
    return (
        f"{task.instruction}\n\n"
        f"Only changes to these files count, every other change is thrown away: {names}. "
        f"{_LIBRARIES[task.runner]}\n"
    )


def retry_instruction(task: Task, failures: str) -> str:
    """What the agent is told before another try: what the hidden tests said of what it has done."""
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", failures)), default=2))
    names = ", ".join(f"`{name}`" for name in task.allowed)
    return (
        f"{RETRY_MARK} They are right, and cannot be changed. Look at what they say and mend the code"
        f"{'' if task.open else f'; only changes to these files count: {names}'}."
        f"\n\n{fence}\n{failures.strip()}\n{fence}\n"
    )
