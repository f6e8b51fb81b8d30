"""The pytest plugin: hooks that adapt and do no work. Without task folders it imports, prints and writes nothing."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

import pytest

from pytest_hybrideval.core.protocols import BackendFactory, StrategyOffer, Suite
from pytest_hybrideval.plugin import fixtures, hookspecs, options
from pytest_hybrideval.plugin.controller import CONTROLLER, Controller
from pytest_hybrideval.plugin.state import STATE, State, state_of
from pytest_hybrideval.plugin.xdist import XdistHooks


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Our extension points."""
    pluginmanager.add_hookspecs(hookspecs)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Our options."""
    options.add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Set up the session's state; options that were given are checked at once."""
    config.addinivalue_line("markers", "hybrideval: a benchmark trial; added to every task folder")
    state = config.stash[STATE] = State(config)
    config.pluginmanager.register(fixtures, "hybrideval-fixtures")
    if options.any_given(config) and not hasattr(config, "workerinput"):
        state.check()
    if not hasattr(config, "workerinput"):
        controller = config.stash[CONTROLLER] = Controller(config)
        config.pluginmanager.register(controller, "hybrideval-controller")
        config.pluginmanager.register(XdistHooks(controller), "hybrideval-xdist")


def pytest_hybrideval_strategies() -> Mapping[str, StrategyOffer]:
    """The packaged strategies."""
    from pytest_hybrideval.strategies import BUILTIN

    return BUILTIN


def pytest_hybrideval_backends() -> Mapping[str, BackendFactory]:
    """The packaged backends."""
    from pytest_hybrideval.plugin.builtin import BACKENDS

    return BACKENDS


def pytest_hybrideval_suites() -> Mapping[str, Suite]:
    """The packaged folder formats."""
    from pytest_hybrideval.suites import BUILTIN

    return BUILTIN


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Node ids of trials on the command line."""
    if any("::" in argument for argument in session.config.args):
        from pytest_hybrideval.plugin.collection import select_node_ids

        select_node_ids(session.config)


def pytest_collect_directory(path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """A task folder is ours."""
    if not state_of(parent.config).claims(path):
        return None
    from pytest_hybrideval.plugin.collection import TaskDirectory

    collector: pytest.Collector = TaskDirectory.from_parent(parent, path=path)
    return collector


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What was found wrong while collecting ends the session here, as a usage error; what is done is left out."""
    if state_of(config).refused:
        raise pytest.UsageError(state_of(config).refused)
    if any(hasattr(item, "trial") for item in items):
        from pytest_hybrideval.plugin.collection import leave_out_finished

        leave_out_finished(config, items)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Nothing is kept warm that no trial will use."""
    state = state_of(session.config)
    if state.started:
        from pytest_hybrideval.plugin.collection import uses_packaged_agent

        if not any(map(uses_packaged_agent, session.items)):
            state.close()


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """A worker of pytest-xdist runs trials as they come, one at a time."""
    if not hasattr(session.config, "workerinput") or not any(hasattr(item, "trial") for item in session.items):
        return None
    from pytest_hybrideval.plugin.worker_loop import interactor_of, run_as_they_come

    interactor = interactor_of(session.config)
    return run_as_they_come(session, interactor) if interactor else None


def pytest_unconfigure(config: pytest.Config) -> None:
    """Whatever still runs for this session ends with it."""
    if STATE in config.stash:
        state_of(config).close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A trial's report carries its record."""
    report = yield
    trial = getattr(item, "trial", None)
    if trial is not None and (report.when == "call" or (report.when == "setup" and report.failed)):
        from pytest_hybrideval.plugin.recording import attach

        attach(report, item, trial, call)
    return report


def pytest_report_teststatus(report: Any) -> tuple[str, str, tuple[str, Mapping[str, bool]]] | None:
    """A trial that ended in an infrastructure error is shown as an error, not as a failure."""
    from pytest_hybrideval.plugin.payload import outcome_of

    if outcome_of(report) == "error":
        return "error", "E", ("ERROR", {"red": True})
    return None
