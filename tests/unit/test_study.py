"""All that follows from a run's records, and how long it takes for many of them."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from builders import make_record
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_hybrideval.analysis import (
    FrontierStatus,
    frontier,
    holm,
    noninferiority_p,
    ratio_interval,
    tail_probability,
)
from pytest_hybrideval.analysis.assessment import assess
from pytest_hybrideval.analysis.cells import ALL_SUITES, ALWAYS_CLOUD, ALWAYS_LOCAL, cells
from pytest_hybrideval.analysis.curves import curves
from pytest_hybrideval.analysis.lift import tail_bounds
from pytest_hybrideval.analysis.oracle import oracles
from pytest_hybrideval.analysis.regret import regrets
from pytest_hybrideval.analysis.study import DEFAULT_MARGIN, Study, study
from pytest_hybrideval.core.domain import Outcome, Tier
from pytest_hybrideval.core.errors import ConfigurationError
from pytest_hybrideval.core.records import TierTokens, TrialRecord
from pytest_hybrideval.reporting.prices import load_prices

ROUTERS = ("cascade", 5.0), ("cascade", 15.0), ("heuristic", 25.0)
CONTROLS = (ALWAYS_CLOUD, None), (ALWAYS_LOCAL, None)
USD = load_prices().cost


def records(
    variants: Sequence[tuple[str, float | None]] = (*CONTROLS, *ROUTERS),
    suites: Sequence[str] = ("exercism", "real_dev"),
    tasks: int = 4,
    seeds: int = 3,
    **changes: Any,
) -> list[TrialRecord]:
    """A run by chance: always-cloud passes most, always-local least; a few trials end in errors."""
    chance = random.Random(7)
    found = []
    for suite in suites:
        for task in range(tasks):
            for at, (strategy, threshold) in enumerate(variants):
                share = {ALWAYS_CLOUD: 1.0, ALWAYS_LOCAL: 0.0}.get(strategy, (at + 1) / (len(variants) + 1))
                ability = 0.5 + 0.45 * share
                size = chance.randrange(2000, 9000)
                for seed in range(seeds):
                    ended = Outcome.PASSED if chance.random() < ability else Outcome.FAILED
                    tokens = {
                        Tier.CLOUD: TierTokens(calls=2, prompt=int(size * share), completion=int(300 * share)),
                        Tier.LOCAL: TierTokens(calls=2, prompt=int(size * (1 - share)), completion=100),
                    }
                    found.append(
                        make_record(
                            **{
                                "trial": f"{suite}/{task}[{strategy}-{threshold}-{seed}]",
                                "task": f"{suite}/{task}",
                                "seed": seed,
                                "strategy": strategy,
                                "threshold": threshold,
                                "outcome": Outcome.ERROR if chance.random() < 0.005 else ended,
                                "tokens": {tier: part for tier, part in tokens.items() if part.prompt},
                                **changes,
                            }
                        )
                    )
    return found


def names(lines: Sequence[Any]) -> list[tuple[str, str, float | None]]:
    return [(line.key.scope, line.key.strategy, line.key.threshold) for line in lines]


def test_a_study_is_what_its_parts_say() -> None:
    run = records()
    found = study(run, USD, 0.1, 0.9)
    lines = assess(run, USD, 0.1, 0.9)
    assert (found.margin, found.confidence) == (0.1, 0.9)
    assert list(found.lines) == lines
    assert found.cells == cells(run, USD, 0.9)
    assert list(found.curves) == curves(run, lines, USD, 0.9)
    assert list(found.regrets) == regrets(run, USD)
    assert list(found.oracles) == oracles(run, USD)


def test_the_margin_and_the_confidence_that_are_printed_unless_told_otherwise() -> None:
    found = study(records(suites=["samples"]), USD)
    assert (found.margin, found.confidence) == (DEFAULT_MARGIN, 0.95) == (0.05, 0.95)
    assert {line.comparison.margin for line in found.lines if line.comparison} == {0.05}
    assert {line.comparison.interval.confidence for line in found.lines if line.comparison} == {0.95}


def test_over_everything_are_all_suites_together_or_the_only_one() -> None:
    several, one = study(records(), USD), study(records(suites=["samples"]), USD)
    variants = [(ALWAYS_CLOUD, None), (ALWAYS_LOCAL, None), *ROUTERS]
    assert names(several.overall) == [(ALL_SUITES, *variant) for variant in variants]
    assert names(one.overall) == [("samples", *variant) for variant in variants]
    assert len(several.lines) == 3 * len(one.lines)


def test_tested_are_the_routers_over_everything() -> None:
    assert names(study(records(), USD).tested) == [(ALL_SUITES, *router) for router in ROUTERS]


@pytest.mark.parametrize("variants", [CONTROLS, CONTROLS[:1]])
def test_where_only_controls_ran_they_are_tested(variants: Sequence[tuple[str, float | None]]) -> None:
    found = study(records(variants, suites=["samples"]), USD)
    assert names(found.tested) == [("samples", *variant) for variant in variants]


def test_nothing_that_ran_is_no_study_of_anything() -> None:
    found = study([], USD)
    assert (found.lines, found.curves, found.tested, found.overall, found.cells) == ((), (), [], [], [])
    assert not found.simulated


@pytest.mark.parametrize("margin", [0.0, 1.0, -0.05, 5, math.nan])
def test_a_margin_out_of_range_is_refused_before_anything_is_worked_out(margin: float) -> None:
    def never(record: TrialRecord) -> float:
        raise AssertionError("priced")

    with pytest.raises(ValueError, match="is not between 0 and 1"):
        study(records(tasks=1), never, margin)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95])
def test_a_confidence_out_of_range_is_refused(confidence: float) -> None:
    with pytest.raises(ValueError, match=f"confidence {confidence} is not between"):
        study(records(tasks=1), USD, confidence=confidence)


def test_a_price_that_nobody_knows_is_an_error_and_never_zero() -> None:
    with pytest.raises(ConfigurationError, match="no price for cloud model 'dear'"):
        study(records(tasks=1, cloud_model="openai/dear"), USD)


def test_one_simulated_trial_makes_a_study_simulated() -> None:
    run = records(tasks=2)
    assert not study(run, USD).simulated
    assert study([*run[:-1], *records(tasks=2, simulated=True)[-1:]], USD).simulated


def test_every_record_is_priced_once() -> None:
    run, priced = records(), []

    def cost(record: TrialRecord) -> float:
        priced.append(record.trial)
        return USD(record)

    study(run, cost)
    assert sorted(priced) == sorted(record.trial for record in run)


def test_a_study_can_be_made_twice() -> None:
    run = records()
    assert study(run, USD) == study(run, USD)


few = settings(deadline=None, max_examples=40)


@few
@given(st.integers(0, 2**32), st.integers(1, 60))
def test_what_spares_an_integral_is_a_bound_of_it(seed: int, size: int) -> None:
    chance = np.random.default_rng(seed)
    rows = np.round(chance.normal(chance.normal(), 1.0, (8, size)), int(chance.integers(0, 4)))
    for row, bound in zip(rows, tail_bounds(rows), strict=True):
        assert tail_probability(row) <= bound + 1e-9


@few
@given(st.integers(0, 2**32), st.integers(2, 5), st.sampled_from([20, 80, 160]), st.sampled_from([0.05, 0.2]))
def test_what_spares_integrals_changes_no_place(seed: int, strategies: int, tasks: int, margin: float) -> None:
    """Every place as the integrals of all pairs would have it."""
    chance = np.random.default_rng(seed)
    rates, prices = chance.choice([0.2, 0.8, 1.0], (2, strategies, 1))
    passes = chance.binomial(3, rates, (strategies, tasks)) / 3
    costs = chance.gamma(9.0, prices, (strategies, tasks))
    pairs = [(i, j) for i in range(strategies) for j in range(strategies) if i != j]
    cheaper = {
        (i, j): ratio_interval(costs[i], costs[j], 0.0, max(1.0, float((costs[i] / costs[j]).max()))).high < 1.0
        for i, j in pairs
    }
    proven = set()
    for is_cheaper, at in ((True, margin), (False, 0.0)):
        family = [pair for pair in pairs if cheaper[pair] is is_cheaper]
        p_values = holm([noninferiority_p(passes[i] - passes[j], at) for i, j in family])
        proven |= {pair for pair, p in zip(family, p_values, strict=True) if p <= 0.025}
    for index, point in enumerate(frontier(passes, costs, margin, draws=10)):
        rivals = {i for i, j in pairs if j == index and cheaper[i, j] and (i, j) in proven}
        ahead = all(cheaper[pair] or pair in proven for pair in pairs if pair[0] == index)
        free = FrontierStatus.ON_FRONTIER if ahead else FrontierStatus.UNDETERMINED
        assert point.status is (FrontierStatus.DOMINATED if rivals else free)
        assert point.dominated_by in (rivals or {None})


def timed(run: Sequence[TrialRecord]) -> tuple[Study, float]:
    began = time.process_time()
    found = study(run, USD)
    return found, time.process_time() - began


def test_a_large_sweep_takes_seconds() -> None:
    sweep = [(name, float(at)) for name in ("cascade", "heuristic") for at in range(1, 13)]
    found, seconds = timed(records((*CONTROLS, *sweep), tasks=20, seeds=10))
    assert len(found.lines) == 3 * 26
    assert seconds < 25, "10,400 records in 78 lines: a few seconds"
