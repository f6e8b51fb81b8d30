"""The controlling process: gathers the records that reports carry, writes the run's directory, shows the matrix."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_hybrideval.core.domain import ErrorKind, Trial
from pytest_hybrideval.core.errors import ConfigurationError
from pytest_hybrideval.core.records import TrialRecord, call_from_json, trial_from_json
from pytest_hybrideval.plugin.option_table import GATE
from pytest_hybrideval.plugin.payload import payload_of
from pytest_hybrideval.plugin.run_files import RunFiles
from pytest_hybrideval.plugin.state import state_of

if TYPE_CHECKING:
    from pytest_hybrideval.core.settings import Settings
    from pytest_hybrideval.reporting.gate import GateResult
    from pytest_hybrideval.reporting.report import Report

_EXIT_UNWRITTEN = pytest.ExitCode.INTERNAL_ERROR
# The exit statuses of a session that came to its end: where there is a gate, it decides between them.
_JUDGED = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)


class Controller:
    """Registered as a plugin in every process but xdist's workers."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._state = state_of(config)
        self._running: dict[str, None] = {}
        self._files = RunFiles(self._state)
        self._report: Report | None = None
        self._unsolved = 0
        self._tests_ran = False
        self._interruption: str | None = None
        self._used_up = False
        self._skipped = 0
        self._closing: list[tuple[str, str]] = []

    # --- while the session runs -------------------------------------------------------------------------------------

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Ask every model, and make sure of the run's directory, before anything runs."""
        trials = [item.trial for item in session.items if hasattr(item, "trial")]
        if trials and not session.config.option.collectonly:
            self.begin(trials)

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
            self._files.keep(trial_from_json(message["record"]), calls, message)
            self._running.pop(report.nodeid, None)
            self._unsolved += report.failed
        self._tests_ran = self._tests_ran or report.when == "call"
        self._skipped += report.skipped and report.when == "setup" and self._state.trial(report.nodeid) is not None

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """The session ends before its time: by Ctrl-C, `pytest.exit`, or because a worker or xdist stopped it."""
        self._interruption = str(excinfo.value)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """An item has ended."""
        self._running.pop(nodeid, None)

    def lost_record(self, node_id: str, kind: ErrorKind, detail: str) -> TrialRecord | None:
        """The record of a trial that did not live to make its own; None where the node id is an ordinary test's."""
        from pytest_hybrideval.trial import blank_record

        trial = self._state.trial(node_id)
        if trial is None:
            return None
        attempt = self._state.resumed.next_attempt(trial.id) if self._state.resumed else 1
        return replace(blank_record(trial, ""), error_kind=kind, detail=detail, node_id=node_id, attempt=attempt)

    # --- at its end -------------------------------------------------------------------------------------------------

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Account for what was interrupted, then write what is derived from the records."""
        if self._state.resuming and session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
            self.begin(())  # nothing is left to run: what there is is shown and judged
            session.exitstatus = pytest.ExitCode.OK
        for node_id in self._running:
            record = self.lost_record(node_id, ErrorKind.INTERRUPTED, "the session was stopped while the trial ran")
            if record is not None:
                self._files.keep(record, [], {})
        directory = self._files.directory
        if directory is None:
            self._refuse_without_trials(session)
            return
        self._account_for_budget()
        from pytest_hybrideval.reporting.report import make_report, write_report

        records, cost = self._files.finish(), self._state.prices.cost
        stopped, manifest = self._stopped(session), self._files.manifest
        self._report = report = make_report(records, manifest, cost, self._state.declared, stopped=stopped)
        try:
            self._files.write_manifest()
            write_report(report, directory)
        except OSError as error:
            unwritten = f"the matrix could not be written: {error.strerror or error}"
            directory.problem = "; ".join(filter(None, (directory.problem, unwritten)))
        if report.gate is not None and session.exitstatus in _JUDGED:
            session.exitstatus = self._exit_status(session, report.gate)
        if directory.problem:
            session.exitstatus = _EXIT_UNWRITTEN
        self._write_job_summary(report)

    def _exit_status(self, session: pytest.Session, gate: GateResult) -> pytest.ExitCode:
        """With a gate, unsolved tasks do not decide; what else failed in the session still does."""
        from pytest_hybrideval.reporting.gate import GateState

        passes = self._state.settings.gate_inconclusive_passes and gate.state is GateState.INCONCLUSIVE
        if gate.state is not GateState.MET and not passes:
            return pytest.ExitCode.TESTS_FAILED
        # What else counts as failed: other tests, what could not be collected, and what other plugins add.
        if session.exitstatus != pytest.ExitCode.OK and not 0 < session.testsfailed == self._unsolved:
            self._closing.append(("The session fails all the same: not only unsolved trials have failed.", "red"))
            return pytest.ExitCode.TESTS_FAILED
        if passes:
            self._closing.append(("The inconclusive gate passes, by --hybrid-gate-inconclusive.", ""))
        elif self._unsolved:
            which = "1 unsolved trial does" if self._unsolved == 1 else f"{self._unsolved} unsolved trials do"
            self._closing.append((f"{which} not fail the session: the gate decides.", ""))
        return pytest.ExitCode.OK

    def _refuse_without_trials(self, session: pytest.Session) -> None:
        """A gate on the command line that nothing was judged by is not met; one in the ini file is for other runs."""
        asked = self._config.getoption(GATE.dest)
        if asked and self._tests_ran and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
            self._closing.append(("Gate not met: no trial ran.", "red"))

    def _stopped(self, session: pytest.Session) -> str:
        """Why the session did not come to its end, empty if it did."""
        if self._used_up:
            return f"the budget of {self._state.settings.max_cost:g} USD was used up"
        why = self._interruption or session.shouldfail or session.shouldstop
        if why:
            return f"the session ended early: {why}"
        if self._interruption is not None or session.exitstatus not in _JUDGED:
            return "the session was interrupted"
        return ""

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The matrix on the screen, and where a GitHub workflow looks for it."""
        lines, directory = list(self._closing), self._files.directory
        if directory is not None and self._report is not None:
            from pytest_hybrideval.reporting.terminal import summary

            lines = [*summary(self._report, directory.path, directory.problem), *lines]
        for line, markup in lines:
            if markup == "section":
                terminalreporter.section(line)
            else:
                terminalreporter.write_line(line, **({markup: True} if markup else {}))
        if directory is not None and self._state.settings.annotations:
            from pytest_hybrideval.reporting.attempts import split_attempts
            from pytest_hybrideval.reporting.github import annotated

            root, workspace = self._config.rootpath, os.environ.get("GITHUB_WORKSPACE")
            repository = Path(workspace) if workspace and root.is_relative_to(workspace) else root
            for command in annotated(split_attempts(directory.records)[0], root, repository):
                terminalreporter.write_line(command)

    def _write_job_summary(self, report: Report) -> None:
        """What a GitHub workflow shows; where that cannot be written, a line says so and nothing else changes."""
        if file := os.environ.get("GITHUB_STEP_SUMMARY"):
            from pytest_hybrideval.reporting.github import append_summary

            try:
                append_summary(report, Path(file))
            except OSError as error:
                self._closing.append((f"GITHUB_STEP_SUMMARY {file}: {error.strerror or error}", "red"))

    # --- shared by the plain session and xdist's ----------------------------------------------------------------------

    def begin(self, trials: Iterable[Trial]) -> None:
        """Raises `pytest.UsageError` where a model would not answer, or the run's directory is not to be had."""
        from pytest_hybrideval.plugin.models import ask_all, make_budget

        tasks = [*self._state.tasks, *(trial.task for trial in trials)]  # also those that have nothing left to run
        self._files.claim({task.id: task for task in tasks}.values(), ask_all(self._state))
        try:
            budget = make_budget(self._state)
        except (ConfigurationError, OSError) as error:
            raise pytest.UsageError(f"--hybrid-max-cost: {error}") from None
        if budget is not None:
            if self._state.resuming:
                budget.go_on()
            budget.close()

    def _account_for_budget(self) -> None:
        from pytest_hybrideval.plugin.models import make_budget

        budget = make_budget(self._state)
        if budget is None:
            return
        limit = self._state.settings.max_cost
        of = "" if limit is None else f" of {limit:g}"
        self._closing.append((f"budget: {budget.spent:.4f}{of} USD spent or reserved", ""))
        self._used_up = budget.used_up
        if self._used_up:
            go_on = f"--hybrid-resume={self._state.settings.run_id} with a higher --hybrid-max-cost goes on"
            self._closing.append((f"The budget is used up: {self._skipped} trials were not run; {go_on}.", "red"))
        budget.close()

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
            *_apart_from_plain(settings),
        ]


def _apart_from_plain(settings: Settings) -> list[str]:
    """What makes these trials other than plain live ones: injected faults, cassettes."""
    lines = []
    if settings.inject:
        lines.append(f"hybrideval: faults injected: {settings.inject} (not a clean measurement)")
    if settings.record == "none":
        lines.append(f"hybrideval: replay from {settings.cassettes} (no model is asked)")
    elif settings.record:
        lines.append(f"hybrideval: recording ({settings.record}) to {settings.cassettes}")
    return lines


def _coldness(settings: Settings) -> str:
    """Why aider is started anew for every trial, where it is."""
    if settings.aider_path:
        return f" from {settings.aider_path}, cold"
    return "" if settings.aider_warm and settings.sandbox != "bubblewrap" else ", cold"


CONTROLLER = pytest.StashKey[Controller]()
