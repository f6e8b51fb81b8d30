"""The fields of `task.yaml` and their checks. Apart from `native` because pydantic is slow to import."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from pytest_hybrideval.core.errors import TaskError

Text = Annotated[str, Field(min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TaskFiles(_Strict):
    """`files:` what the agent may change, may create, and is shown but must not change."""

    edit: tuple[str, ...] = ()
    create: tuple[str, ...] = ()
    read_only: tuple[str, ...] = ()

    @field_validator("edit", "create", "read_only")
    @classmethod
    def _inside(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            path = PurePosixPath(name)
            if path.is_absolute() or ".." in path.parts or str(path) != name:
                raise ValueError(f"{name!r} is not a plain path relative to workspace/")
        return names


class TaskLimits(_Strict):
    """`limits:` wall seconds for the agent and for the hidden tests."""

    agent_seconds: float = Field(default=600, gt=0)
    scoring_seconds: float = Field(default=60, gt=0)


class TaskManifest(_Strict):
    """The fields of `task.yaml`."""

    title: Text
    task_class: Literal["D1", "D2", "D3", "D5", "D6"] = Field(alias="class")
    difficulty: Literal["easy", "medium", "hard"]
    topics: tuple[Text, ...] = ()
    instruction: Text
    files: TaskFiles
    near_misses: dict[str, Text] = Field(default_factory=dict)
    limits: TaskLimits = TaskLimits()


def read_manifest(path: Path) -> TaskManifest:
    """Parse and check a `task.yaml`. Raises `TaskError` naming the file and every field that is wrong."""
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise TaskError(f"{path}: not readable as YAML: {' '.join(str(error).split())}") from None
    if not isinstance(data, dict):
        raise TaskError(f"{path}: must be a mapping of fields (title, class, instruction, files, ...)")
    try:
        return TaskManifest.model_validate(data)
    except ValidationError as error:
        problems = "; ".join(
            f"field '{'.'.join(map(str, e['loc']))}': {_plain(e['msg'], nested=len(e['loc']) > 1 and str(e['loc'][0]))}"
            for e in error.errors()
        )
        raise TaskError(f"{path}: {problems}") from None


def _plain(message: str, nested: str | bool) -> str:
    """Pydantic's message, or for an unknown field the names of those that there are at its place."""
    if message != "Extra inputs are not permitted":
        return message
    models: dict[str | bool, type[BaseModel]] = {"files": TaskFiles, "limits": TaskLimits}
    fields = models.get(nested, TaskManifest).model_fields
    return f"there is no such field (fields: {', '.join(field.alias or name for name, field in fields.items())})"
