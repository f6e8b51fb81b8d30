"""The fields of `task.yaml` and their checks. Apart from `native` because pydantic is slow to import."""

from __future__ import annotations

import difflib
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from pytest_hybrideval.core.errors import TaskError

Text = Annotated[str, Field(min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TaskFiles(_Strict):
    """`files:` what the agent may change, may create, and is shown but must not change."""

    edit: Annotated[tuple[str, ...], Field(description="files of workspace/ that the agent may change")] = ()
    create: Annotated[tuple[str, ...], Field(description="files that the agent may create")] = ()
    read_only: Annotated[
        tuple[str, ...], Field(description="files of workspace/ that the agent is shown and must not change")
    ] = ()

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

    agent_seconds: float = Field(default=600, gt=0, description="wall time of the agent")
    scoring_seconds: float = Field(default=60, gt=0, description="wall time of the hidden tests")


class TaskManifest(_Strict):
    """The fields of `task.yaml`."""

    title: Text = Field(description="a line for people")
    task_class: Literal["D1", "D2", "D3", "D5", "D6"] = Field(
        alias="class", description="D1 feature, D2 bug fix, D3 refactor, D5 script, D6 hard build"
    )
    difficulty: Literal["easy", "medium", "hard"] = Field(description="how hard it is for a competent developer")
    topics: tuple[Text, ...] = Field(default=(), description="words that -k matches")
    instruction: Text = Field(description="Markdown for the agent; each hidden test checks something that it says")
    files: TaskFiles
    near_misses: dict[str, Text] = Field(
        default_factory=dict, description="what is wrong with each folder of near_misses/, by its name"
    )
    limits: TaskLimits = TaskLimits()


def json_schema() -> dict[str, Any]:
    """The JSON schema (draft 2020-12) of `task.yaml`."""
    schema = TaskManifest.model_json_schema(by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "task.yaml of pytest-hybrideval",
    }


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
            f"field '{'.'.join(map(str, e['loc']))}': {_said(e['msg'], e['loc'])}" for e in error.errors()
        )
        raise TaskError(f"{path}: {problems}") from None


def _said(message: str, place: tuple[int | str, ...]) -> str:
    return _plain(message, str(place[-1]), len(place) > 1 and str(place[0]))


def _plain(message: str, name: str, nested: str | bool) -> str:
    """Pydantic's message, or for an unknown field the names of those that there are at its place."""
    if message != "Extra inputs are not permitted":
        return message
    models: dict[str | bool, type[BaseModel]] = {"files": TaskFiles, "limits": TaskLimits}
    fields = [field.alias or name for name, field in models.get(nested, TaskManifest).model_fields.items()]
    near = difflib.get_close_matches(name, fields, n=1)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    return f"there is no such field{hint} (fields: {', '.join(fields)})"
