"""The controlling process: gathers the records that reports carry, writes the run's directory, shows the matrix."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from dataclasses import asdict, replace
from datetime import datetime, timezone
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import pytest

from pytest_hybrideval.core.domain import ErrorKind
from pytest_hybrideval.core.records import TrialRecord, call_from_json, trial_from_json
from pytest_hybrideval.plugin.payload import payload_of
from pytest_hybrideval.plugin.state import state_of

if TYPE_CHECKING:
    from pytest_hybrideval.analysis.cells import Cell
    from pytest_hybrideval.core.settings import Settings
    from pytest_hybrideval.reporting.run_directory import RunDirectory

_DISTRIBUTIONS = ("pytest-hybrideval", "pytest", "pytest-xdist", "aider-chat", "openai", "ollama", "numpy", "scipy")
_EXIT_UNWRITTEN = pytest.ExitCode.INTERNAL_ERROR


class Controller:
    """Registered as a plugin in every process but xdist's workers."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._state = state_of(config)
        self._running: dict[str, None] = {}
        self._directory: RunDirectory | None = None
        self._manifest: dict[str, Any] = {}
        self._cells: list[Cell] = []

    # --- while the session runs -------------------------------------------------------------------------------------

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Refuse a run's name that is taken, before anything runs."""
        if any(getattr(item, "trial", None) for item in session.items) and not session.config.option.collectonly:
            self.check_run_directory()

    def pytest_report_collectionfinish(self, items: Iterable[pytest.Item]) -> list[str]:
        """What will run, above the first trial."""
        return self.header() if any(getattr(item, "trial", None) for item in items) else []

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """An item begins, here or on a worker."""
        self._running[nodeid] = None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A trial's report: write its record at once."""
        message = payload_of(report)
        if message is not None:
            calls = [call_from_json(call) for call in message["calls"]]
            self._keep(trial_from_json(message["record"]), calls, message)
            self._running.pop(report.nodeid, None)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """An item has ended."""
        self._running.pop(nodeid, None)

    def lost_record(self, node_id: str, kind: ErrorKind, detail: str) -> TrialRecord | None:
        """The record of a trial that did not live to make its own; None where the node id is an ordinary test's."""
        from pytest_hybrideval.trial import blank_record

        trial = self._state.trial(node_id)
        if trial is None:
            return None
        return replace(blank_record(trial, ""), error_kind=kind, detail=detail, node_id=node_id)

    # --- at its end -------------------------------------------------------------------------------------------------

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Account for what was interrupted, then write what is derived from the records."""
        for node_id in self._running:
            record = self.lost_record(node_id, ErrorKind.INTERRUPTED, "the session was stopped while the trial ran")
            if record is not None:
                self._keep(record, [], {})
        if self._directory is None:
            return
        from pytest_hybrideval.analysis.cells import cells
        from pytest_hybrideval.reporting import matrix

        self._directory.flush()
        self._directory.close()
        records = self._directory.records
        self._cells = cells(records, self._state.prices.cost, self._state.settings.confidence)
        self._manifest.update(finished_at=_now(), trials=len(records))
        try:
            self._write_manifest()
            self._directory.write_json("aggregate.json", matrix.aggregate_json(self._cells, self._manifest))
            self._directory.write_json("bootstrap_cis.json", matrix.intervals_json(self._cells, self._manifest))
            self._directory.write_text("decision_matrix.md", matrix.markdown(self._cells, self._manifest))
        except OSError as error:
            self._directory.problem += f"; the matrix could not be written: {error.strerror or error}"
        if self._directory.problem:
            session.exitstatus = _EXIT_UNWRITTEN

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The matrix on the screen."""
        if self._directory is None:
            return
        from pytest_hybrideval.reporting.terminal import summary

        for line, markup in summary(self._cells, self._directory.path, self._directory.problem):
            if markup == "section":
                terminalreporter.section(line)
            else:
                terminalreporter.write_line(line, **({markup: True} if markup else {}))

    # --- shared by the plain session and xdist's ----------------------------------------------------------------------

    def check_run_directory(self) -> None:
        """Raises `pytest.UsageError` where this run's directory holds records already."""
        if (self._state.run_directory / "raw.jsonl").exists():
            raise pytest.UsageError(
                f"--hybrid-run-id: {self._state.run_directory} holds the records of an earlier run; choose another name"
            )

    def header(self) -> list[str]:
        """Models, strategies and the run's directory, in three lines; the first says so where a model is simulated."""
        settings = self._state.settings
        models = (*settings.local.models, *settings.cloud.models)
        simulated = " (SIMULATED, not a measurement)" if any(m.provider == "simulated" for m in models) else ""
        local, cloud = (", ".join(map(str, tier.models)) for tier in (settings.local, settings.cloud))
        seeds = ", ".join(map(str, settings.seeds))
        return [
            f"hybrideval: local {local}, cloud {cloud}{simulated}",
            f"hybrideval: strategies {', '.join(settings.strategies)}; seeds {seeds}; "
            f"aider {settings.aider_format}{_coldness(settings)}; sandbox {settings.sandbox}",
            f"hybrideval: results in {self._state.run_directory}",
        ]

    def _keep(self, record: TrialRecord, calls: Iterable[Any], message: dict[str, Any]) -> None:
        from pytest_hybrideval.reporting.run_directory import RunDirectory

        if self._directory is None:
            self._directory = RunDirectory(self._state.run_directory)
            self._manifest = self._first_manifest()
        self._directory.append(record, calls)
        self._note(record, message)

    def _note(self, record: TrialRecord, message: dict[str, Any]) -> None:
        """Keep the manifest true to what the trials say of their surroundings; write it when something is new."""
        before = repr(self._manifest)
        self._manifest.update(message.get("facts", {}))
        self._manifest["models"].update(message.get("models", {}))
        self._manifest["tasks"][record.task] = record.task_digest
        self._manifest["simulated"] = self._manifest["simulated"] or record.simulated
        if record.worker and record.worker not in self._manifest["workers"]:
            self._manifest["workers"].append(record.worker)
        if repr(self._manifest) != before:
            try:
                self._write_manifest()
            except OSError:
                pass  # written again at the end, where a failure is shown

    def _write_manifest(self) -> None:
        assert self._directory is not None
        self._directory.write_json("manifest.json", self._manifest)

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
            "sandbox": "",
            "models": {},
            "prices": self._state.prices.source,
            "options": _plain(asdict(settings)),
            "versions": {name: version(name) for name in _DISTRIBUTIONS},
            "python": platform.python_version(),
            "platform": platform.platform(),
            "workers": [],
            "tasks": {},
        }


def _coldness(settings: Settings) -> str:
    """Why aider is started anew for every trial, where it is."""
    if settings.aider_path:
        return f" from {settings.aider_path}, cold"
    return "" if settings.aider_warm else ", cold"


CONTROLLER = pytest.StashKey[Controller]()


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
