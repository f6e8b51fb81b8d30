"""Genuine Exercism tracks, and folders laid out like them: what a track says of its exercises.

An exercise lies at `TRACK/exercises/practice/NAME`; the track's `config.json` has its difficulty from 1 to 10. aider's
polyglot benchmark has the same folders, a track per language, without that file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pytest_hybrideval.core.errors import TaskError

_KINDS = ("practice", "concept")
_EASY, _MEDIUM = 3, 6


@dataclass(frozen=True)
class Track:
    """A track: the name of its folder, and what its configuration says of each exercise."""

    name: str
    exercises: Mapping[str, Mapping[str, Any]]

    def difficulty(self, exercise: str) -> str:
        """The track's 1 to 10 in our words: easy up to 3, medium up to 6, else hard; empty where it says nothing."""
        level = self.exercises.get(exercise, {}).get("difficulty")
        if not isinstance(level, int):
            return ""
        return "easy" if level <= _EASY else "medium" if level <= _MEDIUM else "hard"

    def topics(self, exercise: str) -> tuple[str, ...]:
        """What the exercise practises, in the track's words."""
        named = self.exercises.get(exercise, {})
        return tuple(str(topic) for topic in (named.get("topics") or named.get("practices") or ()))


def track_of(folder: Path) -> Track | None:
    """The track that an exercise's folder belongs to, None where it lies elsewhere.

    Raises `TaskError` where the track's configuration cannot be read.
    """
    kind, exercises = folder.parent, folder.parent.parent
    return _track(exercises.parent) if kind.name in _KINDS and exercises.name == "exercises" else None


@lru_cache(maxsize=64)
def _track(root: Path) -> Track:
    config = root / "config.json"
    if not config.is_file():
        return Track(root.name, {})
    try:
        told = json.loads(config.read_text(encoding="utf-8"))["exercises"]
        named = [each for kind in _KINDS for each in told.get(kind, ())]
        return Track(root.name, {each["slug"]: each for each in named})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise TaskError(f"{config}: not readable as a track's configuration: {type(error).__name__}: {error}") from None
