"""How records travel: made beside the trial, carried on pytest's report, written by the controlling process alone."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from pytest_hybrideval.core.domain import ErrorKind, Trial
from pytest_hybrideval.core.errors import (
    AgentUnavailable,
    BackendError,
    HybridEvalError,
    NotRecorded,
    SandboxError,
    StrategyError,
)
from pytest_hybrideval.core.protocols import Agent, Scorer
from pytest_hybrideval.core.records import TrialRecord, to_json
from pytest_hybrideval.core.settings import Settings
from pytest_hybrideval.gateway import Gateway, RouterSession
from pytest_hybrideval.plugin.payload import put_payload
from pytest_hybrideval.plugin.preflight import PREFLIGHT
from pytest_hybrideval.plugin.state import state_of
from pytest_hybrideval.trial import AgentLimits, Artifacts, blank_record, run_trial, with_calls


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
        simulated = any(backend.simulated for backend in router.backends.values())
        keep = Keep(replace(blank_record(trial, agent.label), simulated=simulated), router)
        self._item.stash[KEEP] = keep
        keep.facts = {"agent": agent.label, "agent_sandbox": _confinement(agent), "sandbox": scorer.label}
        artifacts = Artifacts.of(trial, self._run_directory)
        try:
            limits = AgentLimits(self._settings.agent_timeout, self._settings.tries)
            record = run_trial(trial, router, agent, scorer, artifacts, limits)
        finally:
            self._gateway.close(router)
        keep.record = replace(with_calls(record, router.ledger), simulated=simulated)
        return keep.record


def _confinement(agent: Agent) -> str:
    """What keeps an agent from the rest of the machine; one of the user's own may say so as the packaged one does."""
    return str(getattr(agent, "confinement", "the agent does not say"))


def attach(report: pytest.TestReport, item: pytest.Item, trial: Trial, call: pytest.CallInfo[None]) -> None:
    """Put the trial's record, its calls and what is known of the surroundings on the report, and a digest for JUnit."""
    if report.skipped:
        return
    if call.excinfo is not None and isinstance(call.excinfo.value, HybridEvalError):
        report.longrepr = str(call.excinfo.value)  # one sentence says what is wrong; a fixture's traceback hides it
    message = _message(item, trial, call)
    put_payload(report, message)
    record = message["record"]
    names = ("strategy", "seed", "outcome", "failure_mode", "error_kind", "simulated")
    properties = [(f"hybrideval_{name}", record[name]) for name in names]
    report.user_properties += properties
    item.user_properties += properties  # JUnit reads those of the later teardown report, which is made from the item's


def _message(item: pytest.Item, trial: Trial, call: pytest.CallInfo[None]) -> dict[str, Any]:
    keep = item.stash.get(KEEP, None) or Keep(blank_record(trial, ""))
    record = keep.record
    if call.excinfo is not None and record.error_kind is ErrorKind.INTERNAL:
        record = replace(record, error_kind=_kind(call.excinfo), detail=_one_line(call.excinfo))
        record = with_calls(record, keep.router.ledger) if keep.router else record
    preflight = item.config.stash.get(PREFLIGHT, None)
    models = preflight.models if preflight else {}
    worker = getattr(item.config, "workerinput", {}).get("workerid", "")
    resumed = state_of(item.config).resumed
    attempt = resumed.next_attempt(record.trial) if resumed else 1
    record = replace(record, node_id=item.nodeid, worker=worker, attempt=attempt)
    return {
        "record": to_json(record),
        "calls": [to_json(call) for call in (keep.router.ledger.calls if keep.router else ())],
        "facts": keep.facts or {},
        "models": {name: asdict(info) for name, info in models.items()},
    }


_KINDS: tuple[tuple[type[Exception], ErrorKind], ...] = (
    (AgentUnavailable, ErrorKind.AGENT),
    (NotRecorded, ErrorKind.NOT_RECORDED),  # before what it is a kind of
    (BackendError, ErrorKind.BACKEND),
    (SandboxError, ErrorKind.SANDBOX),
    (StrategyError, ErrorKind.STRATEGY),
)


def _kind(excinfo: pytest.ExceptionInfo[BaseException]) -> ErrorKind:
    error = excinfo.value
    for known, kind in _KINDS:
        if isinstance(error, known):
            return kind
    if isinstance(error, (KeyboardInterrupt, pytest.exit.Exception)):
        return ErrorKind.INTERRUPTED
    if isinstance(error, pytest.fail.Exception) and str(error).startswith("Timeout"):
        return ErrorKind.TIMEOUT
    return ErrorKind.INTERNAL


def _one_line(excinfo: pytest.ExceptionInfo[BaseException]) -> str:
    text = " ".join(str(excinfo.value).split())
    known = isinstance(excinfo.value, (HybridEvalError, pytest.fail.Exception))
    return text if known else f"{excinfo.typename}: {text}"
