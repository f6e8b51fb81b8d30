"""Find task folders below a folder, and those that look like one and are none."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_hybrideval.core.errors import TaskError
from pytest_hybrideval.core.protocols import Suite
from pytest_hybrideval.suites.native import MANIFEST, PARTS

_SKIPPED = frozenset({"__pycache__", "node_modules", "site-packages", "venv"})
_ENOUGH = 2


@dataclass(frozen=True)
class Found:
    """A folder that a format claims; `suite` is None and `why` says what is missing where it only looks like one."""

    folder: Path
    suite: Suite | None
    why: str = ""


def find_tasks(paths: Iterable[Path], suites: Mapping[str, Suite]) -> Iterator[Found]:
    """The task folders at or below each path, in order of their names. Nothing below a task is looked at.

    Raises `TaskError` where a path is no folder.
    """
    for path in paths:
        if not path.is_dir():
            raise TaskError(f"{path}: there is no such folder")
        yield from _below(path.resolve(), suites)


def _below(top: Path, suites: Mapping[str, Suite]) -> Iterator[Found]:
    for name, folders, _ in os.walk(top):
        folder = Path(name)
        found = next((Found(folder, suite) for suite in suites.values() if suite.claims(folder)), None)
        parts = sorted(set(folders).intersection(PARTS))
        if found is None and len(parts) >= _ENOUGH:
            found = Found(folder, None, f"has {', '.join(f'{part}/' for part in parts)} and no {MANIFEST}")
        if found is not None:
            yield found
            folders.clear()
        folders[:] = sorted(each for each in folders if each not in _SKIPPED and not each.startswith("."))
