"""A run's directory that appears at once, whole, or not at all."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pytest_hybrideval.core.errors import ConfigurationError
from pytest_hybrideval.core.records import TrialRecord

IMPORTED = "imported.jsonl"  # the rows of another tool from which a run was made, as they were


@contextmanager
def new_run(path: Path) -> Iterator[Path]:
    """A folder to write into; it becomes `path` when the block has ended well, and is removed where it has not.

    Whoever is killed in between leaves a hidden folder beside `path` that no command takes for a run. Raises
    `ConfigurationError` where `path` exists and is not an empty folder.
    """
    path = path.resolve()
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise ConfigurationError(f"{path} exists already: name a new directory, nothing is written over")
    scratch = path.parent / f".{path.name}.new-{os.getpid()}"
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch.mkdir()
    try:
        yield scratch
        scratch.rename(path)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise


def models_in_id(record: TrialRecord) -> str:
    """How a trial's id ends where one run holds it with several models."""
    return f"@{record.local_model}+{record.cloud_model}".replace("/", "_")


def write_lines(file: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """A file of JSON lines."""
    with file.open("w", encoding="utf-8") as lines:
        lines.writelines(json.dumps(row) + "\n" for row in rows)


def write_json(file: Path, content: Mapping[str, Any]) -> None:
    """A file of one JSON object."""
    file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
