"""Which thresholds make a curve, whether it moves the pass rate, and what its area is worth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pytest
from builders import make_record

from pytest_hybrideval.analysis import average_gap_recovered, holm, threshold_trend
from pytest_hybrideval.analysis.arms import arms_of
from pytest_hybrideval.analysis.assessment import assess
from pytest_hybrideval.analysis.cells import ALL_SUITES, ALWAYS_CLOUD, ALWAYS_LOCAL, CONTROLS, CellKey, grouped
from pytest_hybrideval.analysis.curves import Curve, curves
from pytest_hybrideval.core.domain import Outcome, Tier
from pytest_hybrideval.core.records import TierTokens, TrialRecord

ENDS = {"P": Outcome.PASSED, "F": Outcome.FAILED, "E": Outcome.ERROR}
CENTS = {ALWAYS_CLOUD: 100, ALWAYS_LOCAL: 0}
TASKS = 30
PASSES, FAILS = ["P"] * TASKS, ["F"] * TASKS


def usd(record: TrialRecord) -> float:
    return record.tier_tokens(Tier.CLOUD).prompt / 100


def line(strategy: str, threshold: float | None, table: Sequence[str], cents: int = 50, **changes: Any) -> Any:
    """A strategy's trials: a letter each, tasks by rows, seeds by columns; a dot did not run."""
    suite = changes.pop("suite", "samples")
    cents = CENTS.get(strategy, cents)
    tokens = {Tier.CLOUD: TierTokens(calls=1, prompt=cents)} if cents else {}
    return [
        make_record(
            **{
                "task": f"{suite}/{row}",
                "seed": seed,
                "strategy": strategy,
                "threshold": threshold,
                "outcome": ENDS[letter],
                "tokens": tokens,
                **changes,
            }
        )
        for row, letters in enumerate(table)
        for seed, letter in enumerate(letters)
        if letter != "."
    ]


def controls(cloud: Sequence[str] = PASSES, local: Sequence[str] = FAILS, **changes: Any) -> list[TrialRecord]:
    return [*line(ALWAYS_CLOUD, None, cloud, **changes), *line(ALWAYS_LOCAL, None, local, **changes)]


def found(*groups: Iterable[TrialRecord], confidence: float = 0.95) -> list[Curve]:
    records = [record for group in groups for record in group]
    return curves(records, assess(records, usd, 0.05, confidence), usd, confidence)


def share(passes: int) -> list[str]:
    return ["P"] * passes + ["F"] * (TASKS - passes)


def test_a_curve_has_its_thresholds_in_order_and_its_lines_as_points() -> None:
    records = [*line("cascade", 15.0, PASSES), *line("cascade", 5.0, PASSES), *line("cascade", 10.0, FAILS)]
    (curve,) = found(records, controls())
    lines = assess([*records, *controls()], usd, 0.05)
    assert list(curve.points) == [each for each in lines if each.key.strategy not in CONTROLS]
    assert [point.key.threshold for point in curve.points] == [5.0, 10.0, 15.0]
    assert curve.key == CellKey(
        "samples", "ollama/gemma4:31b", "openai/gpt-5.5", "aider 0.86.2 architect", "cascade", None
    )


def test_one_threshold_makes_no_curve_and_no_threshold_is_no_point() -> None:
    assert found(line("cascade", 5.0, PASSES), line("cascade", None, PASSES), controls()) == []
    assert found(controls()) == []
    (curve,) = found(line("cascade", 5.0, PASSES), line("cascade", None, FAILS), line("cascade", 0.0, PASSES))
    assert [point.key.threshold for point in curve.points] == [0.0, 5.0]


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("strategy", ["cascade", "heuristic"]),
        ("local_model", ["ollama/gemma4:31b", "ollama/qwen3-coder:30b"]),
        ("cloud_model", ["openai/gpt-5.5", "openrouter/gpt-5.5"]),
        ("agent", ["aider 0.86.2 architect", "aider 0.86.2 whole"]),
    ],
)
def test_what_differs_is_a_curve_of_its_own(field: str, values: list[str]) -> None:
    records = [
        record
        for value in values
        for threshold in (5.0, 15.0)
        for record in line(**{"strategy": "cascade", "threshold": threshold, "table": PASSES, field: value})
    ]
    assert [getattr(curve.key, field) for curve in found(records)] == values
    assert all(len(curve.points) == 2 for curve in found(records))


def test_the_trend_is_that_of_the_common_tasks_and_seeds() -> None:
    low, high = ["PPP", "PFP", "PPF", "PPP"], ["PF.", "FF.", "FFF", "..."]
    (curve,) = found(line("cascade", 5.0, low), line("cascade", 25.0, high))
    expected = threshold_trend(np.array([[1, 0.5], [0.5, 0], [2 / 3, 0]]), [5, 25])
    assert curve.trend is not None
    assert curve.trend.change == pytest.approx(expected.change)
    assert curve.trend.interval.low == pytest.approx(expected.interval.low)
    assert curve.p_holm == pytest.approx(expected.p_value)


def test_a_threshold_that_costs_passes_is_seen_to() -> None:
    (curve,) = found(*(line("cascade", at, share(passes)) for at, passes in ((5.0, 30), (10.0, 20), (15.0, 10))))
    assert curve.trend is not None
    assert curve.trend.change == pytest.approx(-2 / 3)
    assert curve.trend.interval.high < 0
    assert curve.p_holm is not None
    assert curve.p_holm < 0.001


def test_missing_trials_are_no_trend() -> None:
    lost = ["P"] * (TASKS - 6) + ["E"] * 6
    failed = ["P"] * (TASKS - 6) + ["F"] * 6
    (with_errors,) = found(line("cascade", 5.0, PASSES), line("cascade", 15.0, lost))
    (with_fails,) = found(line("cascade", 5.0, PASSES), line("cascade", 15.0, failed))
    assert with_errors.trend is not None
    assert with_fails.trend is not None
    assert with_errors.trend.change == with_fails.trend.change == pytest.approx(-0.2)
    assert with_fails.trend.interval.high < 0 < with_errors.trend.interval.high
    assert with_fails.trend.p_value < 0.05 < with_errors.trend.p_value


def test_without_anything_in_common_there_is_no_trend_but_a_curve() -> None:
    (curve,) = found(line("cascade", 5.0, ["P."] * 3), line("cascade", 15.0, [".P"] * 3), controls(["PP"] * 3))
    assert (curve.trend, curve.p_holm, len(curve.points)) == (None, None, 2)


def test_a_changed_task_is_in_no_trend() -> None:
    records = [*line("cascade", 5.0, ["P", "P"]), *line("cascade", 15.0, ["P", "."])]
    changed = line("cascade", 15.0, [".", "F"], task_digest="1" * 64)
    (curve,) = found(records, changed)
    assert curve.trend is not None
    assert curve.trend.change == pytest.approx(0)


def test_all_sweeps_of_a_scope_are_one_family() -> None:
    falling = [*line("cascade", 5.0, PASSES), *line("cascade", 15.0, share(20))]
    flat = [*line("heuristic", 5.0, PASSES), *line("heuristic", 15.0, share(27))]
    apart = [*line("other", 5.0, ["P."]), *line("other", 15.0, [".P"])]
    (alone,) = found(falling)
    together = {curve.key.strategy: curve for curve in found(falling, flat, apart)}
    assert alone.trend is not None
    assert alone.p_holm == alone.trend.p_value
    p_values = [curve.trend.p_value for name, curve in together.items() if curve.trend and name != "other"]
    assert [together[name].p_holm for name in ("cascade", "heuristic")] == pytest.approx(list(holm(p_values)))
    assert together["cascade"].p_holm == pytest.approx(2 * alone.trend.p_value)
    assert together["other"].p_holm is None


def test_suites_are_families_of_their_own() -> None:
    records = [
        record
        for suite in ("exercism", "real_dev")
        for threshold, passes in ((5.0, 30), (15.0, 22))
        for record in line("cascade", threshold, share(passes), suite=suite)
    ]
    scopes = found(records)
    assert [curve.key.scope for curve in scopes] == ["exercism", "real_dev", ALL_SUITES]
    assert [curve.p_holm for curve in scopes] == [curve.trend.p_value for curve in scopes if curve.trend]


def test_the_area_is_that_of_the_points() -> None:
    sweep = [*line("cascade", 5.0, share(28), 80), *line("cascade", 15.0, share(18), 20)]
    (curve,) = found(sweep, controls())
    assert curve.apgr == pytest.approx(average_gap_recovered([0.8, 0.2], [28 / 30, 18 / 30]))


def test_a_coin_has_half_of_the_area() -> None:
    (curve,) = found(*(line("cascade", at, share(at), at * 100 // 30) for at in (6, 15, 24)), controls())
    assert curve.apgr == pytest.approx(0.5)


@pytest.mark.parametrize("missing", CONTROLS)
def test_without_a_control_there_is_no_area(missing: str) -> None:
    sweep = [*line("cascade", 5.0, PASSES), *line("cascade", 15.0, FAILS)]
    (curve,) = found(sweep, [record for record in controls() if record.strategy != missing])
    assert curve.apgr is None
    assert curve.trend is not None


@pytest.mark.parametrize(
    ("local", "cents"),
    [
        (share(29), 50),  # one task proves no gap between the controls
        (PASSES, 50),  # there is none
        (FAILS, 150),  # dearer than always-cloud: nothing to join
    ],
)
def test_there_is_no_area_where_it_would_mean_nothing(local: list[str], cents: int) -> None:
    sweep = [*line("cascade", 5.0, PASSES, cents), *line("cascade", 15.0, PASSES, cents)]
    (curve,) = found(sweep, controls(local=local))
    assert curve.apgr is None


def test_one_point_without_controls_in_common_spoils_the_area() -> None:
    (curve,) = found(line("cascade", 5.0, PASSES), line("cascade", 15.0, [f".{end}" for end in PASSES]), controls())
    assert curve.apgr is None


def test_arms_that_are_there_already_change_nothing() -> None:
    records = [*line("cascade", 5.0, PASSES), *line("cascade", 15.0, share(20)), *controls()]
    lines = assess(records, usd, 0.05)
    arms = arms_of(grouped(records), usd)
    assert curves(records, lines, usd, arms=arms) == curves(records, lines, usd)
    assert assess(records, usd, 0.05, arms=arms) == lines


def test_less_confidence_narrows_the_trend() -> None:
    sweep = [*line("cascade", 5.0, PASSES), *line("cascade", 15.0, share(24))]
    (wide,), (narrow,) = found(sweep, confidence=0.95), found(sweep, confidence=0.8)
    assert wide.trend is not None
    assert narrow.trend is not None
    assert wide.trend.interval.low < narrow.trend.interval.low < narrow.trend.interval.high < wide.trend.interval.high
