"""Runs on disk as the plugin leaves them, for the tests of what reads them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from builders import make_call, make_record

from pytest_hybrideval.core.domain import Outcome
from pytest_hybrideval.core.records import CallRecord, TrialRecord, to_json
from pytest_hybrideval.reporting.run_directory import RunDirectory


def trial(seed: int, strategy: str = "heuristic", task: str = "samples/slug", **changes: Any) -> TrialRecord:
    """A record whose id says what it is, as the plugin makes them."""
    name = f"{task}[{strategy}-s{seed}]"
    changes.setdefault("started_at", f"2026-11-{seed % 28 + 1:02}T10:00:00.000+00:00")
    return make_record(trial=name, task=task, strategy=strategy, threshold=None, seed=seed, **changes)


def failed(record: TrialRecord) -> TrialRecord:
    return make_record(**{**vars(record), "outcome": Outcome.FAILED})


def manifest(run_id: str, records: Sequence[TrialRecord], **changes: Any) -> dict[str, Any]:
    """A manifest that fits these records; `changes` replace its keys."""
    return {
        "schema_version": 1,
        "run_id": run_id,
        "simulated": any(record.simulated for record in records),
        "started_at": "2026-11-01T10:00:00+00:00",
        "finished_at": "2026-11-01T10:09:00+00:00",
        "trials": len(records),
        "agent": "aider 0.86.2 architect",
        "sandbox": "namespaces: no network; forked",
        "models": {
            "local ollama/gemma4:31b": {"model": "ollama/gemma4:31b", "simulated": False, "digest": "sha256:11"},
            "cloud openai/gpt-5.5": {"model": "openai/gpt-5.5", "simulated": False, "digest": None},
        },
        "prices": "pricing.yaml as of 2026-11-01 (sha256 2a31f65d29d5)",
        "options": {
            "strategies": sorted({record.strategy for record in records}),
            "seeds": sorted({record.seed for record in records}),
            "local": {"models": ["ollama/gemma4:31b"], "temperature": "agent", "num_ctx": 16384, "slots": 1},
            "cloud": {"models": ["openai/gpt-5.5"], "temperature": "agent", "num_ctx": None, "slots": None},
            "agent_timeout": None,
            "run_id": run_id,
            "results_dir": "results",
        },
        "versions": {"pytest-hybrideval": "0.1.0", "aider-chat": "0.86.2", "pytest": "9.2.0"},
        "python": "3.11.7",
        "platform": "Linux",
        "workers": ["gw0"],
        "tasks": {record.task: record.task_digest for record in records},
        **changes,
    }


def save(
    path: Path,
    records: Sequence[TrialRecord],
    calls: Sequence[CallRecord] | None = None,
    **manifest_changes: Any,
) -> Path:
    """Write a run; every trial has one call (or those given) and a transcript that names the run."""
    run = RunDirectory(path)
    for record in records:
        own = (
            [make_call(trial=record.trial)] if calls is None else [call for call in calls if call.trial == record.trial]
        )
        run.append(record, own)
        variant = record.trial.removeprefix(record.task)[1:-1]
        folder = path / "trials" / record.task / variant.replace("/", "_")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "transcript.txt").write_text(f"{record.trial} in {path.name}\n", encoding="utf-8")
    run.write_json("manifest.json", manifest(path.name, records, **manifest_changes))
    run.close()
    return path


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def raw(*records: TrialRecord) -> list[dict[str, Any]]:
    return [to_json(record) for record in records]


def files(folder: Path) -> dict[str, bytes]:
    """Everything below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
