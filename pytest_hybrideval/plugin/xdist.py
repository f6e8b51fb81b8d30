"""What is different with pytest-xdist: workers run the trials, the controller learns of them by node id."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_hybrideval.core.domain import ErrorKind
from pytest_hybrideval.core.records import to_json
from pytest_hybrideval.plugin.controller import Controller
from pytest_hybrideval.plugin.options import RESULTS_INPUT, RUN_ID_INPUT
from pytest_hybrideval.plugin.payload import put_payload
from pytest_hybrideval.plugin.state import RESUMED_INPUT, state_of


class XdistHooks:
    """Registered in every controlling process; without pytest-xdist there are no such hooks and nothing calls them."""

    def __init__(self, controller: Controller) -> None:
        self._controller = controller
        self._announced = False

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """All workers write into the controller's run directory, and go on from the same point of a resumed run."""
        state = state_of(node.config)
        node.workerinput[RUN_ID_INPUT] = state.settings.run_id
        node.workerinput[RESULTS_INPUT] = str(state.settings.results_dir)
        if state.resumed is not None:
            node.workerinput[RESUMED_INPUT] = state.resumed.as_input()

    @pytest.hookimpl(optionalhook=True, trylast=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> Any:
        """Our scheduler for `--dist load`, unless another plugin has one; it leaves ordinary sessions to xdist's."""
        if config.getvalue("dist") != "load":
            return None
        from pytest_hybrideval.plugin.scheduling import TrialScheduling

        return TrialScheduling(config, log, state_of(config))

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: list[str]) -> None:
        """The first worker has collected: if there are trials, say what will run."""
        state = state_of(node.config)
        if self._announced or not any(state.trial(node_id) for node_id in ids):
            return
        self._announced = True
        try:
            self._controller.begin(trial for node_id in ids if (trial := state.trial(node_id)))
        except pytest.UsageError as error:
            pytest.exit(str(error), returncode=pytest.ExitCode.USAGE_ERROR)
        reporter: Any = node.config.pluginmanager.getplugin("terminalreporter")
        for line in self._controller.header() if reporter else ():
            reporter.ensure_newline()
            reporter.write_line(line)

    @pytest.hookimpl(optionalhook=True)
    def pytest_handlecrashitem(self, crashitem: str, report: pytest.TestReport) -> None:
        """A worker died in the middle of a trial: the crash report that xdist logs next carries the trial's record."""
        record = self._controller.lost_record(crashitem, ErrorKind.WORKER_LOST, "the worker process died in the trial")
        if record is not None:
            put_payload(report, {"record": to_json(record), "calls": [], "facts": {}, "models": {}})
