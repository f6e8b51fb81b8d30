"""What a line of the matrix means, in sentences that claim no more than its verdict."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from studies import CLOUD_ONLY, ERROR, FAILED, LOCAL_ONLY, PASSED, arm, line_of

from pytest_hybrideval.analysis.comparison import Comparison, Savings
from pytest_hybrideval.analysis.intervals import Interval
from pytest_hybrideval.analysis.lift import Lift
from pytest_hybrideval.analysis.verdict import Verdict
from pytest_hybrideval.reporting.sentences import SIMULATED, saves, sentence, solves

EIGHT = [PASSED] * 8
CLOUD, LOCAL = arm("always-cloud", EIGHT), arm("always-local", [FAILED] * 8)
LINE = line_of([*CLOUD, *LOCAL, *arm("heuristic", EIGHT, threshold=25.0)])
RATES = "(.96 against 1.00 on 80 tasks)"


def comparison(verdict: Verdict = Verdict.INCONCLUSIVE, **changes: Any) -> Comparison:
    """A comparison over 80 tasks, .96 against 1.00."""
    assert LINE.comparison is not None
    shown: dict[str, Any] = {
        "tasks": 80,
        "pass_rate": 0.96,
        "baseline_pass_rate": 1.0,
        "difference": -0.04,
        "interval": Interval(-0.11, 0.02, 0.95),
        "more_tasks": 41,
    }
    return replace(LINE.comparison, verdict=verdict, **{**shown, **changes})


def saving(value: float | None, low: float = 0.0, high: float = 0.0, note: str = "") -> str:
    interval = Interval(low, high, 0.95) if low or high else None
    return saves(comparison(savings=Savings(value, interval, note)))


def lifted(low: float | None, high: float = 0.0, note: str = "") -> str:
    """The sentence of a line with this lift."""
    interval = None if low is None else Interval(low, high, 0.95)
    value = None if low is None else (low + high) / 2
    return sentence(replace(LINE, lift=Lift(value, interval, 0.5, note)))


class TestVerdicts:
    """A sentence for each word of the verdict."""

    @pytest.mark.parametrize(
        ("verdict", "said"),
        [
            (Verdict.BETTER, "heuristic t=25 solves more tasks than always-cloud: .96 against 1.00 on 80 tasks."),
            (
                Verdict.NON_INFERIOR,
                f"heuristic t=25 can stand in for always-cloud: its pass rate is at most .05 lower {RATES}.",
            ),
            (
                Verdict.WORSE,
                f"heuristic t=25 solves fewer tasks than always-cloud {RATES}; "
                "whether its pass rate is .05 lower is open.",
            ),
            (
                Verdict.INCONCLUSIVE,
                "Undecided whether heuristic t=25 can stand in for always-cloud: .96 against 1.00 on 80 tasks, "
                "a difference of -.04 [-.11, .02]; at a margin of .05 that takes about 41 more tasks.",
            ),
            (
                Verdict.NOT_COMPARABLE,
                "heuristic t=25 cannot be judged beside always-cloud: too many trials ended in errors; "
                "run those again.",
            ),
        ],
    )
    def test_each(self, verdict: Verdict, said: str) -> None:
        assert solves(comparison(verdict)) == said

    def test_inferior_says_how_much_at_least(self) -> None:
        assert solves(comparison(Verdict.INFERIOR, interval=Interval(-0.31, -0.12, 0.95))) == (
            "Do not put heuristic t=25 in place of always-cloud: its pass rate is at least .12 lower, "
            f"which is over the margin of .05 {RATES}."
        )

    def test_every_verdict_has_its_own(self) -> None:
        assert len({solves(comparison(verdict)) for verdict in Verdict}) == len(Verdict)

    def test_one_task_is_one(self) -> None:
        assert solves(comparison(tasks=1, more_tasks=1)).endswith(
            "on 1 task, a difference of -.04 [-.11, .02]; at a margin of .05 that takes about 1 more task."
        )

    def test_the_margin_is_as_it_was_declared(self) -> None:
        assert "at most .025 lower" in solves(comparison(Verdict.NON_INFERIOR, margin=0.025))

    def test_both_sides_are_called_as_asked(self) -> None:
        said = solves(comparison(Verdict.BETTER), "that of run main", "heuristic (small + gpt)")
        assert said.startswith("heuristic (small + gpt) solves more tasks than that of run main: ")


class TestSavings:
    """What it costs, either way, with what is not known."""

    def test_less(self) -> None:
        assert saving(0.5, 0.3, 0.7) == "It saves 50 % [30 %, 70 %] of the cost."

    def test_more_is_not_a_negative_saving(self) -> None:
        assert saving(-0.2, -0.6, 0.1) == "It costs 20 % [-10 %, 60 %] more."

    def test_by_design(self) -> None:
        assert saving(1.0, note="by design") == "It saves 100 % of the cost (by design)."

    def test_unknown(self) -> None:
        assert saving(None, note="the baseline cost nothing") == "What it saves is unknown: the baseline cost nothing."

    def test_one_task_that_decides_it_is_named(self) -> None:
        note = "real_dev/x alone is 60 % of the baseline's"
        assert saving(0.5, 0.3, 0.7, note) == f"It saves 50 % [30 %, 70 %] of the cost ({note})."


class TestCoin:
    """Whether a router is worth more than a coin."""

    @pytest.mark.parametrize(
        ("low", "high", "said"),
        [
            (0.1, 0.4, "It beats a coin that spends as much."),
            (-0.4, -0.1, "A coin that spends as much would solve more."),
            (-0.1, 0.4, "It is not shown to beat a coin that spends as much."),
            (0.0, 0.4, "It is not shown to beat a coin that spends as much."),
        ],
    )
    def test_by_its_interval(self, low: float, high: float, said: str) -> None:
        assert lifted(low, high).endswith(said)

    def test_what_stands_in_for_the_coin_is_named(self) -> None:
        note = "the router costs more than always-cloud: compared with always-cloud"
        assert lifted(-0.1, 0.4, note).endswith(f"to beat a coin that spends as much ({note}).")

    def test_a_lift_without_a_value_says_why(self) -> None:
        free = arm("always-cloud", EIGHT, tokens=LOCAL_ONLY)
        said = sentence(line_of([*free, *LOCAL, *arm("heuristic", EIGHT, tokens=LOCAL_ONLY)]))
        assert said.endswith(
            "Whether it beats a coin that spends as much cannot be said: "
            "always-cloud does not cost more than always-local on these tasks."
        )

    def test_without_always_local(self) -> None:
        said = sentence(line_of([*CLOUD, *arm("heuristic", EIGHT)]))
        assert said.endswith(
            "Whether it beats a coin that spends as much is not known: run always-local on the same tasks and seeds."
        )


class TestLines:
    """The whole of what is said of a line."""

    def test_all_parts(self) -> None:
        assert sentence(LINE) == (
            "Undecided whether heuristic t=25 can stand in for always-cloud: 1.00 against 1.00 on 8 tasks, "
            "a difference of .00 [-.37, .37]; at a margin of .05 that takes about 239 more tasks. "
            "It saves 50 % [32 %, 68 %] of the cost. It is not shown to beat a coin that spends as much."
        )

    def test_always_cloud_is_what_the_others_are_measured_by(self) -> None:
        assert sentence(line_of([*CLOUD, *LOCAL], "always-cloud")) == ""

    def test_always_local_has_no_coin(self) -> None:
        said = sentence(line_of([*CLOUD, *LOCAL], "always-local"))
        assert said.startswith("Do not put always-local in place of always-cloud: ")
        assert said.endswith(" It saves 100 % of the cost (by design).")

    def test_without_controls_it_says_what_to_run(self) -> None:
        assert sentence(line_of(arm("heuristic", EIGHT))) == (
            "heuristic has nothing to be measured by: run always-cloud and always-local on the same tasks and seeds."
        )
        assert sentence(line_of(LOCAL, "always-local")).endswith(": run always-cloud on the same tasks and seeds.")

    def test_a_control_on_other_seeds_is_none(self) -> None:
        records = [*arm("always-cloud", EIGHT, seed=7), *arm("heuristic", EIGHT, seed=42)]
        assert "run always-cloud and always-local on the same tasks" in sentence(line_of(records))

    def test_simulated_ones_measure_no_model(self) -> None:
        for records in (
            arm("heuristic", EIGHT, simulated=True),
            [*CLOUD, *arm("heuristic", EIGHT, simulated=True)],
            [*CLOUD, *arm("heuristic", [ERROR] * 8, simulated=True)],
        ):
            assert sentence(line_of(records)).endswith(f" {SIMULATED}")
        assert SIMULATED not in sentence(LINE)

    def test_a_dearer_one_says_so(self) -> None:
        twice = {tier: replace(tokens, prompt=21_000) for tier, tokens in CLOUD_ONLY.items()}
        assert "It costs 100 % [" in sentence(line_of([*CLOUD, *arm("heuristic", EIGHT, tokens=twice)]))

    def test_trials_that_the_other_side_lacks_are_counted(self) -> None:
        records = [*arm("always-cloud", EIGHT[:6]), *arm("heuristic", EIGHT)]
        assert sentence(line_of(records)).endswith(
            "Left out here, because the other side did not run them: 2 of its trials."
        )
        records = [*arm("always-cloud", EIGHT), *arm("heuristic", EIGHT[:7]), *arm("heuristic", EIGHT, seed=7)]
        assert sentence(line_of(records)).endswith("8 of its trials and 1 of always-cloud's trials.")
        assert "Left out" not in sentence(LINE)
