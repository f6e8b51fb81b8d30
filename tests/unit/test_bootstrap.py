"""The ancestor's row bootstrap, as it was."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_hybrideval.analysis import Interval, row_percentile_bootstrap


def test_prints_the_published_interval() -> None:
    """23 of 24 is published as .96 [.88, 1.00]."""
    interval = row_percentile_bootstrap([1] * 23 + [0])
    assert (round(interval.low, 2), round(interval.high, 2)) == (0.88, 1.0)


@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_resampling_rows_one_by_one(seed: int) -> None:
    """Binomial counts and a plain resampling of rows give the same quantiles, but for their own noise."""
    rows = np.repeat([1.0, 0.0], [70, 30])
    drawn = np.random.default_rng(100 + seed).choice(rows, size=(20_000, 100)).mean(axis=1)
    interval = row_percentile_bootstrap(rows, resamples=20_000, seed=seed)
    assert np.allclose([interval.low, interval.high], np.quantile(drawn, [0.025, 0.975]), atol=0.0101)


@pytest.mark.parametrize("outcome", [0, 1])
def test_zero_width_when_all_agree(outcome: int) -> None:
    """The reason it serves for comparison only."""
    assert row_percentile_bootstrap([outcome] * 24) == Interval(outcome, outcome, 0.95)


def test_same_seed_same_interval() -> None:
    """A report can be printed twice."""
    rows = np.repeat([True, False], [400, 237])
    assert row_percentile_bootstrap(rows, seed=7) == row_percentile_bootstrap(rows, seed=7)
    assert row_percentile_bootstrap(rows, seed=7) != row_percentile_bootstrap(rows, seed=8)


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        ([], {}, "one 0 or 1 per trial"),
        ([[1, 0]], {}, "one 0 or 1 per trial"),
        ([1.0, float("nan")], {}, "must be 0 or 1"),
        ([1.0, 2 / 3], {}, "must be 0 or 1"),
        ([1, 0], {"confidence": 95}, "not between 0 and 1"),
        ([1, 0], {"resamples": 0}, "at least 1"),
    ],
)
def test_refuses_what_it_cannot_resample(rows: list[float], options: dict[str, int], message: str) -> None:
    """A wrong input is named in a sentence."""
    with pytest.raises(ValueError, match=message):
        row_percentile_bootstrap(rows, **options)
