"""The real aider, recorded and replayed: other folders, other file orders, and the same trials without any model."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_hybrideval.agents.aider import Aider
from pytest_hybrideval.backends.cassette import Cassettes, RecordMode
from pytest_hybrideval.backends.recorded import RecordedBackend
from pytest_hybrideval.backends.simulated import SimulatedBackend, profiles
from pytest_hybrideval.core.domain import ErrorKind, ModelRef, Outcome, Task, Tier, Trial, Variant
from pytest_hybrideval.core.protocols import Backend, Sampling, Strategy
from pytest_hybrideval.core.records import Stages, TierTokens, TrialRecord
from pytest_hybrideval.gateway import Gateway
from pytest_hybrideval.sandbox.choice import choose
from pytest_hybrideval.scoring.hidden_tests import HiddenTestScorer
from pytest_hybrideval.scoring.limits import Limits
from pytest_hybrideval.strategies.always import AlwaysCloud, AlwaysLocal
from pytest_hybrideval.strategies.heuristic import Heuristic
from pytest_hybrideval.suites.exercism import ExercismSuite
from pytest_hybrideval.suites.native import NativeSuite
from pytest_hybrideval.testing import ScriptedBackend
from pytest_hybrideval.trial import AgentLimits, Artifacts, run_trial, with_calls

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
LOCAL, CLOUD = ModelRef("simulated", "gemma4:31b"), ModelRef("simulated", "gpt-5.5")
DOES_NOT_COMPILE = "rate_limit.py\n```\ndef check(:\n```\n"
COMPILES = "rate_limit.py\n```\ndef check():\n    return True\n```\n"


_SCORED_IN = re.compile(r"/\S+/hybrideval-score-\w+")


class Stage:
    """Runs trials with one aider; each trial has its folders for itself, as in a session."""

    def __init__(self, folder: Path, edit_format: str, task: Task | None = None) -> None:
        self.cassettes = folder / "cassettes"
        self.task = task or NativeSuite().load(BENCHMARKS / "real_dev" / "d1-rate-limit")  # shows five files
        self._folder = folder
        self._aider = Aider(edit_format)
        self._scorer = HiddenTestScorer(choose("none"), Limits(), folder / "cache")

    def run(
        self, name: str, mode: RecordMode, make: Callable[[ModelRef], Backend], *strategies: Strategy
    ) -> list[tuple[TrialRecord, str]]:
        """A record and a diff for each strategy."""
        cassettes = Cassettes(self.cassettes, mode, name)
        gateway = Gateway(lambda ref, tier: RecordedBackend(ref, cassettes, lambda: make(ref)))
        gateway.start()
        try:
            return [self._trial(gateway, strategy, self._folder / name) for strategy in strategies]
        finally:
            gateway.stop()

    def _trial(self, gateway: Gateway, strategy: Strategy, folder: Path) -> tuple[TrialRecord, str]:
        trial = Trial(self.task, Variant(strategy.name, None, 42, LOCAL, CLOUD, f"{strategy.name}-s42"))
        for tier in Tier:
            gateway.describe(trial.variant.model(tier), tier)
        router = gateway.open(trial, strategy, dict.fromkeys(Tier, Sampling(42, "agent", None, None, None, None)))
        artifacts = Artifacts.of(trial, folder)
        record = run_trial(trial, router, self._aider, self._scorer, artifacts, AgentLimits(60.0))
        gateway.close(router)
        return with_calls(record, router.ledger), artifacts.diff.read_text()

    def stop(self) -> None:
        self._aider.stop()


@pytest.fixture
def stages(tmp_path: Path) -> Iterator[Callable[..., Stage]]:
    made: list[Stage] = []

    def make(edit_format: str, task: Task | None = None) -> Stage:
        made.append(Stage(tmp_path, edit_format, task))
        return made[-1]

    yield make
    for stage in made:
        stage.stop()


def simulated(ref: ModelRef) -> Backend:
    return SimulatedBackend(ref, profiles()["gpt-5.5" if ref == CLOUD else "gemma4:31b"])


def nobody(ref: ModelRef) -> Any:
    raise AssertionError(f"{ref} was asked in a replay")


def timeless(trials: list[tuple[TrialRecord, str]]) -> list[tuple[TrialRecord, str]]:
    """Records and diffs without what clocks say, and without the mark of a replay."""
    return [
        (
            replace(
                r,
                stages=Stages(),
                started_at="",
                replayed_calls=0,
                local_seconds=None,
                detail=_SCORED_IN.sub("", r.detail),
            ),
            diff,
        )
        for r, diff in trials
    ]


def test_trials_are_replayed_without_a_model_and_another_strategy_as_well(stages: Callable[..., Stage]) -> None:
    stage = stages("architect")
    live = stage.run("live", RecordMode.ONCE, simulated, AlwaysCloud(), AlwaysLocal(), Heuristic())
    assert [record.calls for record, _ in live] == [2, 2, 2]
    assert [record.replayed_calls for record, _ in live[:2]] == [0, 0]
    assert live[2][0].replayed_calls > 0  # its plan is that of always-cloud, and was asked for once
    replay = stage.run("replay", RecordMode.NONE, nobody, Heuristic(), AlwaysLocal(), AlwaysCloud())
    assert timeless(replay)[::-1] == timeless(live)
    assert all(record.replayed for record, _ in replay)
    assert all(diff for _, diff in replay)
    assert replay[0][0].tokens[Tier.LOCAL].total > 0


def test_a_complaint_with_paths_in_it_is_replayed_in_another_folder(stages: Callable[..., Stage]) -> None:
    stage = stages("whole")
    script = ScriptedBackend(DOES_NOT_COMPILE, COMPILES, ref=CLOUD)
    live = stage.run("live", RecordMode.ONCE, lambda ref: script, AlwaysCloud())
    assert len(script.calls) == 2
    assert "/workspace/rate_limit.py" in script.calls[1].request.messages[-1]["content"]
    assert live[0][0].outcome is Outcome.FAILED
    replay = stage.run("replay", RecordMode.NONE, nobody, AlwaysCloud())
    assert timeless(replay) == timeless(live)
    assert replay[0][0].tokens == {Tier.CLOUD: TierTokens(2, 22, 14)}


def test_a_router_that_asks_for_what_nobody_recorded_has_no_verdict(stages: Callable[..., Stage]) -> None:
    stage = stages("whole", ExercismSuite().load(BENCHMARKS / "exercism" / "grep"))
    stage.run("live", RecordMode.ONCE, simulated, AlwaysCloud())
    ((missed, diff),) = stage.run("miss", RecordMode.NONE, nobody, AlwaysLocal())
    assert (missed.outcome, missed.error_kind) == (Outcome.ERROR, ErrorKind.NOT_RECORDED)
    assert "simulated/gemma4:31b has no recorded answer to 'code: Task: " in missed.detail
    assert not diff
