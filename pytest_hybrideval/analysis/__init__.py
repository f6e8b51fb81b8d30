"""What the numbers allow to be said: intervals, p-values and their adjustment. Pure functions on arrays, no I/O."""

from __future__ import annotations

from pytest_hybrideval.analysis.bootstrap import row_percentile_bootstrap
from pytest_hybrideval.analysis.frontier import FrontierPoint, FrontierStatus, frontier
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
from pytest_hybrideval.analysis.lift import GapRecovered, Lift, mixing_lift, performance_gap_recovered
from pytest_hybrideval.analysis.planner import Power, least_tasks, pilot_power, required_tasks, simulated_power
from pytest_hybrideval.analysis.sweep import Trend, average_gap_recovered, threshold_trend

__all__ = [
    "FrontierPoint",
    "FrontierStatus",
    "GapRecovered",
    "Interval",
    "Lift",
    "Power",
    "Trend",
    "average_gap_recovered",
    "cost_interval",
    "exact_binomial_interval",
    "frontier",
    "holm",
    "least_tasks",
    "mean_interval",
    "mixing_lift",
    "noninferiority_p",
    "paired_interval",
    "performance_gap_recovered",
    "pilot_power",
    "ratio_interval",
    "required_tasks",
    "row_percentile_bootstrap",
    "simulated_power",
    "tail_probability",
    "threshold_trend",
]
