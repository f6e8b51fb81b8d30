"""What the functions of this room are given, checked: one value per task, finite, within its bounds."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

ROUNDING = 1e-9  # how far, in units of the range, a mean of floats may stray over its bound


def one_side(confidence: float) -> float:
    """The probability on one side of a two-sided interval. Raises ValueError where `confidence` is none."""
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"confidence {confidence} is not between 0 and 1; 0.95 means 95 %")
    return (1.0 - confidence) / 2.0


def check_bounds(where: str, low: float, high: float) -> None:
    """Raises ValueError unless both bounds are finite and `low` is the lower one."""
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise ValueError(f"{where}: the bounds [{low}, {high}] must be finite and the lower one smaller")


def finite(where: str, values: ArrayLike, *, empty: bool = False) -> Floats:
    """The values as floats, shape (T,). Raises ValueError where one is not finite, or none is there."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise ValueError(f"{where}: expected one value per task, shape (T,), but got shape {array.shape}")
    if not array.size and not empty:
        raise ValueError(f"{where}: no values; an interval needs at least one task")
    if not np.all(np.isfinite(array)):
        task = int(np.argmin(np.isfinite(array)))
        raise ValueError(f"{where}: the value of task {task} is {array[task]}; count missing trials, leave no gap")
    return array


def in_range(where: str, values: ArrayLike, low: float, high: float) -> Floats:
    """The values as floats within [low, high], shape (T,). Raises ValueError where one lies outside."""
    check_bounds(where, low, high)
    array = finite(where, values)
    slack = ROUNDING * (high - low)
    if np.any(outside := (array < low - slack) | (array > high + slack)):
        task = int(np.argmax(outside))
        raise ValueError(f"{where}: the value of task {task} is {array[task]:g}, outside [{low:g}, {high:g}]")
    return np.clip(array, low, high)
