"""How records travel: made beside the trial, carried on pytest's report, written by the controlling process alone."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from pytest_hybrideval.core.domain import ErrorKind, Trial
from pytest_hybrideval.core.errors import BackendError, SandboxError
from pytest_hybrideval.core.protocols import Agent, Scorer
from pytest_hybrideval.core.records import TrialRecord, to_json
from pytest_hybrideval.core.settings import Settings
from pytest_hybrideval.gateway import Gateway, RouterSession
from pytest_hybrideval.plugin.payload import ATTRIBUTE
from pytest_hybrideval.plugin.preflight import PREFLIGHT
from pytest_hybrideval.trial import Artifacts, blank_record, run_trial, with_calls


@dataclass
class Keep:
    """What is known of a trial while it runs; the report is made from it, however the trial ends."""

    record: TrialRecord
    router: RouterSession | None = None
    facts: dict[str, Any] | None = None


KEEP = pytest.StashKey[Keep]()


class TrialRecorder:
    """The `trial_recorder` fixture: runs a trial and keeps its record with the item."""

    def __init__(self, item: pytest.Item, settings: Settings, gateway: Gateway, run_directory: Path) -> None:
        self._item = item
        self._settings = settings
        self._gateway = gateway
        self._run_directory = run_directory

    def run(self, trial: Trial, router: RouterSession, agent: Agent, scorer: Scorer) -> TrialRecord:
        """Run to the end and keep what came out. Exceptions leave a record of what was known, too."""
        keep = Keep(blank_record(trial, agent.label), router)
        self._item.stash[KEEP] = keep
        keep.facts = {"agent": agent.label, "sandbox": scorer.label}
        artifacts = Artifacts.of(trial, self._run_directory)
        try:
            record = run_trial(trial, router, agent, scorer, artifacts, self._settings.agent_timeout)
        finally:
            self._gateway.close(router)
        keep.record = with_calls(record, router.ledger)
        return keep.record


def attach(report: pytest.TestReport, item: pytest.Item, trial: Trial, call: pytest.CallInfo[None]) -> None:
    """Put the trial's record, its calls and what is known of the surroundings on the report, and a digest for JUnit."""
    if report.skipped:
        return
    message = _message(item, trial, call)
    setattr(report, ATTRIBUTE, message)
    record = message["record"]
    for name in ("strategy", "seed", "outcome", "failure_mode", "error_kind", "simulated"):
        report.user_properties.append((f"hybrideval_{name}", record[name]))


def _message(item: pytest.Item, trial: Trial, call: pytest.CallInfo[None]) -> dict[str, Any]:
    keep = item.stash.get(KEEP, None) or Keep(blank_record(trial, ""))
    record = keep.record
    if call.excinfo is not None and record.error_kind is ErrorKind.INTERNAL:
        record = replace(record, error_kind=_kind(call.excinfo), detail=_one_line(call.excinfo))
        record = with_calls(record, keep.router.ledger) if keep.router else record
    preflight = item.config.stash.get(PREFLIGHT, None)
    models = preflight.models if preflight else {}
    worker = getattr(item.config, "workerinput", {}).get("workerid", "")
    record = replace(record, node_id=item.nodeid, worker=worker)
    return {
        "record": to_json(record),
        "calls": [to_json(call) for call in (keep.router.ledger.calls if keep.router else ())],
        "facts": keep.facts or {},
        "models": {name: asdict(info) for name, info in models.items()},
    }


def _kind(excinfo: pytest.ExceptionInfo[BaseException]) -> ErrorKind:
    error = excinfo.value
    if isinstance(error, BackendError):
        return ErrorKind.BACKEND
    if isinstance(error, SandboxError):
        return ErrorKind.SANDBOX
    if isinstance(error, (KeyboardInterrupt, pytest.exit.Exception)):
        return ErrorKind.INTERRUPTED
    if isinstance(error, pytest.fail.Exception) and str(error).startswith("Timeout"):
        return ErrorKind.TIMEOUT
    return ErrorKind.INTERNAL


def _one_line(excinfo: pytest.ExceptionInfo[BaseException]) -> str:
    text = " ".join(str(excinfo.value).split())
    known = isinstance(excinfo.value, (BackendError, SandboxError, pytest.fail.Exception))
    return text if known else f"{excinfo.typename}: {text}"
