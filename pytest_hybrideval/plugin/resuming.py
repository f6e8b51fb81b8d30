"""A run that is gone on with: what is left of it, and whether it still is the same run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_hybrideval.core.domain import Outcome
from pytest_hybrideval.core.errors import RecordError
from pytest_hybrideval.core.records import TrialRecord

# What makes the matrix of a run, beside tasks, models and settings that a verdict depends on.
_AXES = ("strategies", "thresholds", "seeds")
_NAMED = 3


@dataclass(frozen=True)
class Resumed:
    """What an earlier start of the run has done: the number of the latest attempt by trial, and which are finished."""

    attempts: Mapping[str, int]
    finished: frozenset[str]

    def next_attempt(self, trial: str) -> int:
        """The number of a trial's next attempt, from 1."""
        return self.attempts.get(trial, 0) + 1

    def as_input(self) -> dict[str, Any]:
        """As plain types, to hand to pytest-xdist's workers."""
        return {"attempts": dict(self.attempts), "finished": sorted(self.finished)}

    @classmethod
    def from_input(cls, plain: Mapping[str, Any]) -> Resumed:
        """The inverse of `as_input`."""
        return cls(dict(plain["attempts"]), frozenset(plain["finished"]))


def read_resumed(path: Path) -> Resumed:
    """What is done in a run's directory. Half a line at the end, of a process that was killed, counts for nothing.

    Raises `RecordError` naming file and line.
    """
    from pytest_hybrideval.reporting.run_directory import RAW, read_trials

    latest: dict[str, TrialRecord] = {}
    for record in read_trials(path / RAW, half_line=True):
        if record.trial not in latest or record.attempt >= latest[record.trial].attempt:
            latest[record.trial] = record
    return Resumed(
        attempts={trial: record.attempt for trial, record in latest.items()},
        finished=frozenset(trial for trial, record in latest.items() if record.outcome is not Outcome.ERROR),
    )


def check_same(earlier: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Raises `RecordError` that names what has changed since the run began: going on would mix two runs."""
    before, here = dict(_identity(earlier)), dict(_identity(now))
    changed = [key for key in here if key in before and here[key] != before[key]]
    if changed:
        named = "; ".join(f"{key} was {before[key]!r} and is {here[key]!r}" for key in changed[:_NAMED])
        more = f"; and {len(changed) - _NAMED} more" if len(changed) > _NAMED else ""
        raise RecordError(
            f"run {earlier['run_id']} cannot be gone on with: {named}{more}; set it back, or begin a new run"
        )


def note_resumption(earlier: dict[str, Any], now: Mapping[str, Any], cut: int, at: str) -> dict[str, Any]:
    """The resumed run's manifest: as it was, with this start noted, and the options of this start."""
    starts = [*earlier.get("resumed", []), {"at": at, "bytes_cut": cut}]
    return {**earlier, "resumed": starts, "finished_at": None, "options": now["options"]}


def _identity(manifest: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    from pytest_hybrideval.reporting.merged_manifest import deciding

    yield from deciding(manifest)
    for part in ("strategies", "strategy_files"):
        yield from ((f"{part}.{name}", digest) for name, digest in manifest.get(part, {}).items())
    options = manifest.get("options", {})
    yield from ((f"options.{name}", options[name]) for name in _AXES if name in options)
    tiers = {tier: options[tier] for tier in ("local", "cloud") if tier in options}
    yield from ((f"options.{tier}.models", chosen.get("models")) for tier, chosen in tiers.items())
