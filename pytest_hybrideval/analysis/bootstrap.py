"""The ancestor's bootstrap over trial rows, kept under its own name to compare with published figures only."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from pytest_hybrideval.analysis.intervals import Interval


def row_percentile_bootstrap(
    passes: ArrayLike, confidence: float = 0.95, resamples: int = 1000, seed: int = 42
) -> Interval:
    """Return the percentile interval of the pass rate when trial rows are resampled with replacement.

    For comparison only, never for a verdict: rows of one task are not independent, so it covers far less than it
    says, and it has zero width when every trial passes or none does. `passes` holds 0 or 1 per trial, shape (n,).
    A resample of 0/1 rows is a binomial count, which is drawn directly; the same `seed` gives the same interval.
    Raises ValueError on no rows, rows other than 0 and 1, and `confidence` or `resamples` out of range.
    """
    rows = np.asarray(passes, dtype=np.float64)
    if rows.ndim != 1 or not rows.size:
        raise ValueError(f"row_percentile_bootstrap: expected one 0 or 1 per trial, but got shape {rows.shape}")
    if not np.all((rows == 0.0) | (rows == 1.0)):
        raise ValueError("row_percentile_bootstrap: every row must be 0 or 1; give trials, not means of tasks")
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"row_percentile_bootstrap: confidence {confidence} is not between 0 and 1")
    if resamples < 1:
        raise ValueError(f"row_percentile_bootstrap: {resamples} resamples; at least 1 is needed")
    rates = np.random.default_rng(seed).binomial(rows.size, rows.mean(), size=resamples) / rows.size
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(rates, [tail, 1.0 - tail])
    return Interval(float(low), float(high), confidence)
