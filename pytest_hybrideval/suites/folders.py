"""What every folder format needs: listing files, hashing a task."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pytest_hybrideval.core.errors import TaskError

_IGNORED = frozenset({"__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".git"})


def files_below(folder: Path) -> dict[str, Path]:
    """All files below a folder as relative POSIX path -> file, sorted; caches left out. Empty if there is no folder.

    Raises `TaskError` for a symlink: a task must be whole wherever it is copied to.
    """
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if _IGNORED.isdisjoint(relative.parts) and path.suffix != ".pyc":
            if path.is_symlink():
                raise TaskError(f"{path}: is a symlink; put the file itself into the task")
            if path.is_file():
                found[relative.as_posix()] = path
    return found


def digest(facts: Mapping[str, Any], file_maps: Iterable[Mapping[str, Path]]) -> str:
    """SHA-256 over a task's facts and the names and contents of its files, in hex."""
    total = hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode())
    for files in file_maps:
        for name in sorted(files):
            content = hashlib.sha256(files[name].read_bytes()).hexdigest()
            total.update(f"\n{name} {content}".encode())
        total.update(b"\n--")
    return total.hexdigest()
