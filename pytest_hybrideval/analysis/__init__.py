"""What the numbers allow to be said: intervals, p-values and their adjustment. Pure functions on arrays, no I/O."""

from __future__ import annotations

from pytest_hybrideval.analysis.bootstrap import row_percentile_bootstrap
from pytest_hybrideval.analysis.intervals import (
    Interval,
    cost_interval,
    exact_binomial_interval,
    holm,
    mean_interval,
    noninferiority_p,
    paired_interval,
    ratio_interval,
    tail_probability,
)

__all__ = [
    "Interval",
    "cost_interval",
    "exact_binomial_interval",
    "holm",
    "mean_interval",
    "noninferiority_p",
    "paired_interval",
    "ratio_interval",
    "row_percentile_bootstrap",
    "tail_probability",
]
