"""A run beside an earlier one in words: how they differ, what has become of each strategy, what is left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from saved_runs import manifest
from studies import CLOUD_ONLY, ERROR, FAILED, PASSED, RUN, arm, priced

from pytest_hybrideval.analysis.against import against
from pytest_hybrideval.analysis.cells import ALL_SUITES
from pytest_hybrideval.core.records import TrialRecord
from pytest_hybrideval.reporting.comparing import differences, lines, overall
from pytest_hybrideval.reporting.sentences import SIMULATED

EIGHT, NONE, MANY = [PASSED] * 8, [FAILED] * 8, [PASSED] * 100


def said(new: Sequence[TrialRecord], old: Sequence[TrialRecord], *differing: str, simulated: bool = False) -> list[str]:
    return list(lines(against(new, old, priced, 0.05), "main", differing, simulated))


class TestStrategies:
    """What has become of each."""

    def test_as_good_as_before(self) -> None:
        assert said(arm("heuristic", MANY), arm("heuristic", MANY)) == [
            "heuristic can stand in for that of run main: its pass rate is at most .05 lower "
            "(1.00 against 1.00 on 100 tasks). It saves 0 % [0 %, 4 %] of the cost."
        ]

    def test_worse(self) -> None:
        (line,) = said(arm("heuristic", NONE), arm("heuristic", EIGHT))
        assert line.startswith("Do not put heuristic in place of that of run main: its pass rate is at least .26 lower")

    def test_dearer(self) -> None:
        (line,) = said(arm("heuristic", EIGHT, tokens=CLOUD_ONLY), arm("heuristic", EIGHT))
        assert " It costs 100 % [" in line

    def test_errors(self) -> None:
        (line,) = said(arm("heuristic", [ERROR] * 8), arm("heuristic", EIGHT))
        assert line.startswith("heuristic cannot be judged beside that of run main: too many trials ended in errors")
        assert "What it saves is unknown: no trial's cost is known on both sides." in line

    def test_simulated_runs_measure_no_model(self) -> None:
        (line,) = said(arm("heuristic", EIGHT), arm("heuristic", EIGHT), simulated=True)
        assert line.endswith(SIMULATED)

    def test_one_that_did_not_run_then(self) -> None:
        new = [*arm("heuristic", EIGHT), *arm("cascade", EIGHT, threshold=5.0)]
        compared, unmatched = said(new, arm("heuristic", EIGHT))
        assert "heuristic" in compared
        assert (
            unmatched == "cascade t=5 cannot be compared: run main has no counterpart with a task and seed in common."
        )

    def test_lines_are_told_apart_by_their_models(self) -> None:
        both = [*arm("heuristic", EIGHT), *arm("heuristic", EIGHT, local_model="ollama/tiny")]
        for line, model in zip(said(both, both), ("ollama/gemma4:31b", "ollama/tiny"), strict=True):
            assert line.startswith(f"Undecided whether heuristic ({model} + openai/gpt-5.5) can stand in")

    def test_a_counterpart_that_is_not_the_same_is_described(self) -> None:
        old = arm("heuristic", EIGHT, threshold=20.0, local_model="ollama/old")
        (line,) = said(arm("heuristic", EIGHT, threshold=25.0), old)
        assert line.endswith(
            "Not the same: threshold 25.0 here, 20.0 there; local model ollama/gemma4:31b here, ollama/old there."
        )
        assert "Not the same" not in said(old, old)[0]


class TestLeftOut:
    """What only one of the runs has is counted, what has changed is named."""

    def test_nothing(self) -> None:
        assert "Left out" not in said(arm("heuristic", EIGHT), arm("heuristic", EIGHT))[0]

    def test_trials_of_one_side(self) -> None:
        (line,) = said(arm("heuristic", EIGHT), arm("heuristic", EIGHT[:6]))
        assert line.endswith("Left out: 2 trials here and 0 there are not in common.")

    def test_tasks_that_changed(self) -> None:
        new = [*arm("heuristic", EIGHT), *arm("heuristic", EIGHT[:6], "other", task_digest="1" * 64)]
        old = [*arm("heuristic", EIGHT), *arm("heuristic", EIGHT[:6], "other")]
        line = said(new, old)[0]
        assert line.endswith(
            "Left out: 6 trials here and 6 there are not in common, all of the tasks that changed since among them: "
            "other/0, other/1, other/2, other/3, other/4 and 1 more."
        )

    def test_no_task_in_common(self) -> None:
        (line,) = said(arm("heuristic", EIGHT, seed=7), arm("heuristic", EIGHT, seed=42))
        assert line.endswith("cannot be compared: run main has no counterpart with a task and seed in common.")


class TestSuites:
    """Where several suites ran, it is all of them together that is told."""

    def test_a_suite_that_the_earlier_run_lacks_is_no_missing_strategy(self) -> None:
        new = [*arm("heuristic", EIGHT, "old"), *arm("heuristic", EIGHT, "new")]
        (line,) = said(new, arm("heuristic", EIGHT, "old"))
        assert line.startswith("Undecided whether heuristic can stand in for that of run main: 1.00 against 1.00 on 8")
        assert line.endswith("Left out: 8 trials here and 0 there are not in common.")

    def test_each_strategy_once(self) -> None:
        runs = [
            record for name in ("heuristic", "cascade") for suite in ("a", "b") for record in arm(name, EIGHT, suite)
        ]
        assert len(said(runs, runs)) == 2
        found = against(runs, runs, priced, 0.05)
        assert [each.key.scope for each in overall(found)] == [ALL_SUITES, ALL_SUITES]

    def test_one_suite_of_an_earlier_run_with_more(self) -> None:
        old = [*arm("heuristic", EIGHT, "a"), *arm("heuristic", NONE, "b")]
        (line,) = said(arm("heuristic", EIGHT, "a"), old)
        assert "1.00 against 1.00 on 8 tasks" in line
        assert "Left out" not in line, "the other suite is another question"


class TestDifferences:
    """What the manifests differ in, of what a result depends on."""

    @staticmethod
    def between(**changes: Any) -> list[str]:
        records = arm("heuristic", EIGHT[:1])
        return list(differences(manifest("new", records, **changes), manifest("old", records)))

    def test_same_surroundings(self) -> None:
        assert self.between() == []

    def test_what_decides_nothing_is_not_told(self) -> None:
        assert self.between(workers=["gw0", "gw7"], started_at="2027-01-01", platform="Darwin", sandbox="none") == []

    @pytest.mark.parametrize(
        ("changes", "text"),
        [
            (
                {"agent": "aider 0.87.0 architect"},
                "agent: aider 0.87.0 architect here, aider 0.86.2 architect there",
            ),
            (
                {"versions": {"pytest-hybrideval": "0.2.0", "aider-chat": "0.86.2"}},
                "versions.pytest-hybrideval: 0.2.0 here, 0.1.0 there",
            ),
            ({"tasks": {"samples/0": "1" * 64}}, f"tasks.samples/0: {'1' * 39}… here, {'0' * 39}… there"),
            (
                {"options": {"local": {"num_ctx": 32768}, "cloud": {}}},
                "options.local.num_ctx: 32768 here, 16384 there",
            ),
        ],
    )
    def test_each(self, changes: dict[str, Any], text: str) -> None:
        assert self.between(**changes) == [text]

    def test_long_values_that_differ_at_their_end_are_told_whole(self) -> None:
        prices = "pricing.yaml as of 2026-11-01 (sha256 2a31f65d0000)"
        assert self.between(prices=prices) == [
            f"prices: {prices} here, pricing.yaml as of 2026-11-01 (sha256 2a31f65d29d5) there"
        ]

    def test_other_models(self) -> None:
        model = {"model": "ollama/tiny", "simulated": False, "digest": "sha256:22"}
        assert self.between(models={"local ollama/tiny": model}) == [
            "models: local ollama/tiny here, cloud openai/gpt-5.5, local ollama/gemma4:31b there"
        ]

    def test_many_are_counted(self) -> None:
        here, there = ({"tasks": {f"samples/{at}": digest for at in range(8)}} for digest in "ab")
        found = list(differences(here, there))
        assert len(found) == 6
        assert found[-1] == "and 3 more: tasks.samples/5, tasks.samples/6, tasks.samples/7"

    def test_what_one_manifest_does_not_say_decides_nothing(self) -> None:
        assert list(differences({**RUN, "versions": {"aider-chat": "1"}}, RUN)) == []

    def test_they_stand_before_the_strategies(self) -> None:
        found = said(arm("heuristic", EIGHT), arm("heuristic", EIGHT), "agent: a here, b there")
        assert found[0] == "differs: agent: a here, b there"
        assert len(found) == 2
