"""Task folders become collectors, trials become items; node ids of trials work on the command line."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from pytest_hybrideval.core.domain import Outcome, Task, Trial
from pytest_hybrideval.core.errors import TaskError
from pytest_hybrideval.core.protocols import Agent, Scorer
from pytest_hybrideval.gateway import RouterSession
from pytest_hybrideval.plugin import fixtures
from pytest_hybrideval.plugin.recording import TrialRecorder
from pytest_hybrideval.plugin.state import state_of

# Our own limits end a trial; this much later pytest-timeout takes it for hung.
_BACKSTOP_SECONDS = 120.0

SELECTED = pytest.StashKey[dict[Path, set[str]]]()


def run(trial: Trial, router: RouterSession, agent: Agent, scorer: Scorer, trial_recorder: TrialRecorder) -> None:
    """The body of every trial item: run it, keep the record, fail as a test fails."""
    record = trial_recorder.run(trial, router, agent, scorer)
    if record.outcome is not Outcome.PASSED:
        cause = record.failure_mode or record.error_kind
        pytest.fail(f"{cause.value if cause else record.outcome.value}: {record.detail}", pytrace=False)


class TrialItem(pytest.Function):
    """One trial: a function item whose function takes our fixtures, so users override them as any fixture."""

    trial: Trial

    def __init__(self, name: str, parent: TaskDirectory, trial: Trial, like: TrialItem | None = None) -> None:
        """All trials of a task take the same fixtures, looked up for the first; `like` is that one."""
        if like is None:
            super().__init__(name, parent, callobj=run)
        # A node id given as text is what pytest reads from it, as `--lf` compares them.
        node_id = f"{parent.nodeid}::{name}"
        # Without `pytest.Function`'s own part: for tens of thousands of items it looks for marks that `run` has not.
        super(pytest.Function, self).__init__(name, parent, nodeid=node_id)
        self.trial = trial
        self.originalname = name
        self.funcargs = {}
        if like is not None:
            self._obj = run
            self._instance = None
            self._fixtureinfo = like._fixtureinfo
            self.fixturenames = like.fixturenames
            self._request: Any = None  # as pytest leaves it after a run: made when the item is run

    def setup(self) -> None:
        """As any function; the request is made now if nobody asked for it before."""
        if not self._request:
            self._initrequest()
        super().setup()

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """The task's folder and the item's name. pytest asks for a line where a fixture skips: there is none, so 0."""
        return self.path, 0, self.name


class TaskDirectory(pytest.Directory):
    """A claimed task folder. Nothing inside is collected as an ordinary test."""

    def collect(self) -> Iterable[TrialItem]:
        """A trial per variant. A broken folder is a collection error that names file and field."""
        state = state_of(self.config)
        if state.refused:
            return
        try:
            task = state.task(self.path)
        except TaskError as error:
            raise self.CollectError(str(error)) from None
        assert task is not None, "only claimed folders become task directories"
        self._mark(task)
        wanted = self.config.stash.get(SELECTED, {}).get(self.path)
        first: TrialItem | None = None
        for variant in state.variants:
            name = f"{task.name}[{variant.id}]"
            if wanted is not None and name not in wanted and task.name not in wanted:
                continue
            item: TrialItem = TrialItem.from_parent(self, name=name, trial=Trial(task, variant), like=first)
            if why := self._unfit(item.trial):
                item.add_marker(pytest.mark.skip(reason=f"{task.id}: {why}"))
            if first is None:
                first = item
                if uses_packaged_agent(item) and not self.config.option.collectonly:
                    state.aider.start()  # it warms up while the rest is collected
            yield item

    def _unfit(self, trial: Trial) -> str:
        """Why a trial cannot run with these options, where that is known now; empty where it can."""
        if not trial.task.open:
            return ""
        if trial.variant.simulated:
            return "embedded models know only tasks whose solution is files; name real models"
        return "it needs an enclosing sandbox" if state_of(self.config).settings.sandbox == "none" else ""

    def _mark(self, task: Task) -> None:
        # A call may have to wait until every other worker's agent has had its turn.
        workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
        settings = state_of(self.config).settings
        limit = workers * (settings.agent_timeout or task.agent_seconds) + 2 * task.scoring_seconds
        self.add_marker(pytest.mark.hybrideval)
        self.add_marker(pytest.mark.timeout(settings.tries * limit + _BACKSTOP_SECONDS))
        if task.skip:
            self.add_marker(pytest.mark.skip(reason=f"{task.id}: {task.skip}"))
        self.extra_keyword_matches.update({task.suite, task.task_class.value, task.difficulty, *task.topics})


def leave_out_finished(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of a resumed run, deselect the trials that have a verdict."""
    resumed = state_of(config).resumed
    if resumed is not None:
        done = [item for item in items if isinstance(item, TrialItem) and item.trial.id in resumed.finished]
        if done:
            config.hook.pytest_deselected(items=done)
            gone = set(done)
            items[:] = [item for item in items if item not in gone]


def uses_packaged_agent(item: pytest.Item) -> bool:
    """Whether an item is a trial whose `agent` fixture nobody has overridden."""
    if not isinstance(item, TrialItem):
        return False
    definitions = item._fixtureinfo.name2fixturedefs.get("agent", ())
    return bool(definitions) and definitions[-1].func.__module__ == fixtures.__name__


def select_node_ids(config: pytest.Config) -> None:
    """Let `FOLDER::TASK[VARIANT]` and `FOLDER::TASK` stand on the command line.

    pytest takes selections in files only, so the folder replaces such an argument and the collector of that folder
    yields the named trials alone.
    """
    selected: dict[Path, set[str]] = {}
    plain: set[Path] = set()
    arguments: list[str] = []
    for argument in config.args:
        path, separator, name = argument.partition("::")
        folder = (config.invocation_params.dir / path).resolve()
        if separator and folder.is_dir() and state_of(config).registry.suite_of(folder):
            _check_selection(config, folder, name)
            selected.setdefault(folder, set()).add(name)
            argument = path
        elif not separator:
            plain.add(folder)
        if argument not in arguments:
            arguments.append(argument)
    if selected:
        config.args[:] = arguments
        config.stash[SELECTED] = {folder: names for folder, names in selected.items() if folder not in plain}


def _check_selection(config: pytest.Config, folder: Path, name: str) -> None:
    variants = state_of(config).variants
    known = [f"{folder.name}[{variant.id}]" for variant in variants]
    if name != folder.name and name not in known:
        raise pytest.UsageError(
            f"not found: {folder}::{name}; with these options there are {', '.join(known[:6])}"
            f"{', ...' if len(known) > 6 else ''} (the axes --strategy, --seeds and --thresholds make the trials)"
        )
