"""The files of the run under way: records as they come, and a manifest that is true at any moment."""

from __future__ import annotations

import hashlib
import inspect
import platform
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime, timezone
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import pytest

from pytest_hybrideval.core.domain import ModelInfo, Task
from pytest_hybrideval.core.errors import RecordError
from pytest_hybrideval.core.records import CallRecord, TrialRecord
from pytest_hybrideval.core.settings import StrategyOptions
from pytest_hybrideval.plugin.state import State

if TYPE_CHECKING:
    from pytest_hybrideval.reporting.run_directory import RunDirectory

_DISTRIBUTIONS = ("pytest-hybrideval", "pytest", "pytest-xdist", "aider-chat", "openai", "ollama", "numpy", "scipy")


class RunFiles:
    """Made in the controlling process alone. Nothing is written before the first record, or a resumed run's start."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.directory: RunDirectory | None = None
        self.manifest: dict[str, Any] = {}

    def claim(self, tasks: Iterable[Task], models: Mapping[str, ModelInfo]) -> None:
        """Make sure of the run's directory before anything runs; read what there is where a run is resumed.

        Raises `pytest.UsageError` where the directory holds another run, or the resumed one was not of these tasks,
        models, strategies and options.
        """
        path = self._state.run_directory
        if self._state.settings.resume is None:
            if (path / "raw.jsonl").exists():
                raise pytest.UsageError(
                    f"--hybrid-run-id: {path} holds the records of an earlier run; "
                    "choose another name, or go on with it by --hybrid-resume"
                )
            return
        from pytest_hybrideval.plugin.resuming import check_same, note_resumption
        from pytest_hybrideval.reporting.run_directory import RunDirectory
        from pytest_hybrideval.reporting.runs import read_manifest

        try:
            earlier = read_manifest(path)
            here = {**self._first_manifest(), "models": {name: asdict(info) for name, info in models.items()}}
            check_same(earlier, {**here, "tasks": {task.id: task.digest for task in tasks}})
            self.directory, cut = RunDirectory.resumed(path)
        except RecordError as error:
            raise pytest.UsageError(f"--hybrid-resume: {error}") from None
        self.manifest = note_resumption(earlier, here, cut, _now())

    def keep(self, record: TrialRecord, calls: Iterable[CallRecord], message: Mapping[str, Any]) -> None:
        """A finished trial: its record at once, then whatever its message says of the surroundings."""
        if self.directory is None:
            from pytest_hybrideval.reporting.run_directory import RunDirectory

            self.directory = RunDirectory(self._state.run_directory)
            self.manifest = self._first_manifest()
        self.directory.append(record, calls)
        self._note(record, message)

    def finish(self) -> list[TrialRecord]:
        """All records, once what still waited is written. On failure the directory's `problem` says why."""
        assert self.directory is not None
        self.directory.flush()
        self.directory.close()
        self.manifest.update(finished_at=_now(), trials=len(self.directory.records))
        return self.directory.records

    def write_manifest(self) -> None:
        """Raises `OSError`."""
        assert self.directory is not None
        self.directory.write_json("manifest.json", self.manifest)

    def _note(self, record: TrialRecord, message: Mapping[str, Any]) -> None:
        """Keep the manifest true to what the trials say of their surroundings; write it when something is new."""
        before = repr(self.manifest)
        self.manifest.update(message.get("facts", {}))
        self.manifest["models"].update(message.get("models", {}))
        self.manifest["tasks"][record.task] = record.task_digest
        self.manifest["simulated"] = self.manifest["simulated"] or record.simulated
        if record.worker and record.worker not in self.manifest["workers"]:
            self.manifest["workers"].append(record.worker)
        if repr(self.manifest) != before:
            try:
                self.write_manifest()
            except OSError:
                pass  # written again at the end, where a failure is shown

    def _first_manifest(self) -> dict[str, Any]:
        settings = self._state.settings
        return {
            "schema_version": 1,
            "run_id": settings.run_id,
            "simulated": False,
            "started_at": _now(),
            "finished_at": None,
            "trials": 0,
            "agent": "",
            "agent_sandbox": "",
            "sandbox": "",
            "models": {},
            "prices": self._state.prices.source,
            "strategies": {name: _source_digest(self._state.registry.strategy(name)) for name in settings.strategies},
            "strategy_files": _file_digests(settings.strategy_options),
            "options": _plain(asdict(settings)),
            "versions": {name: version(name) for name in _DISTRIBUTIONS},
            "python": platform.python_version(),
            "platform": platform.platform(),
            "workers": [],
            "tasks": {},
        }


def _source_digest(factory: object) -> str:
    """A hash over the file in which a strategy is written; empty where there is no file."""
    if isinstance(factory, partial):
        factory = factory.func
    module = inspect.getmodule(factory) or inspect.getmodule(type(factory))
    try:
        return hashlib.sha256(inspect.getsource(module).encode()).hexdigest()[:16] if module else ""
    except (OSError, TypeError):
        return ""


def _file_digests(options: StrategyOptions) -> dict[str, str]:
    """A hash over each file that a strategy is configured by, by the option's name."""
    files = {"knn_corpus": options.knn_corpus, "task_models": options.task_models}
    return {
        name: hashlib.sha256(file.read_bytes()).hexdigest()[:16] for name, file in files.items() if file is not None
    }


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def _plain(value: Any) -> Any:
    """Settings as JSON types: models as PROVIDER/NAME, paths as text."""
    if isinstance(value, dict):
        if set(value) == {"provider", "name"}:
            return f"{value['provider']}/{value['name']}"
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)
