"""What a gate's conditions may be about: the value of a line of the matrix, and its interval."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pytest_hybrideval.analysis.assessment import Assessment
from pytest_hybrideval.analysis.cells import ALWAYS_CLOUD
from pytest_hybrideval.analysis.comparison import BY_DESIGN
from pytest_hybrideval.analysis.intervals import Interval
from pytest_hybrideval.analysis.verdict import Verdict

_ERRORS = "cannot be judged: too many trials ended in errors (run those again)"


@dataclass(frozen=True)
class Reading:
    """A line's value with its interval; a value without one is exact.

    `why` says what an exact value is made of, or, where there is no value, what is missing.
    """

    value: float | None
    interval: Interval | None = None
    why: str = ""


@dataclass(frozen=True)
class Quantity:
    """How a quantity is read, and the least and most that it can be."""

    read: Callable[[Assessment], Reading]
    least: float
    most: float


def _pass_rate(line: Assessment) -> Reading:
    return Reading(line.cell.pass_rate, line.cell.interval)


def _errors(line: Assessment) -> Reading:
    return Reading(line.cell.errors / line.cell.trials, None, f"{line.cell.errors} of {line.cell.trials} trials")


def _cloud_fraction(line: Assessment) -> Reading:
    if line.is_control:
        return Reading(1.0 if line.key.strategy == ALWAYS_CLOUD else 0.0, None, BY_DESIGN)
    if line.cell.cloud.unknown_calls or line.cell.local.unknown_calls:
        return _unknown("has no cloud_fraction: a model did not say all its tokens")
    if not line.cell.comparable:
        return _unknown(_ERRORS)
    if line.cell.cloud_fraction is None:
        return _unknown("has no cloud_fraction: no tokens were counted")
    return Reading(line.cell.cloud_fraction, line.cell.cloud_interval)


def _savings(line: Assessment) -> Reading:
    if line.key.strategy == ALWAYS_CLOUD:
        return Reading(0.0, None, BY_DESIGN)
    if line.comparison is None:
        return _unknown(f"needs {ALWAYS_CLOUD} on the same tasks and seeds")
    if line.comparison.verdict is Verdict.NOT_COMPARABLE:
        return _unknown(_ERRORS)
    found = line.comparison.savings
    if found.interval is None and found.note != BY_DESIGN:
        return _unknown(f"has no savings: {found.note}")
    return Reading(found.value, found.interval, found.note)


def _lift(line: Assessment) -> Reading:
    if line.is_control:
        return _unknown("has no lift: it is a control, one side of the coin")
    if line.needs:
        return _unknown(f"needs {' and '.join(line.needs)} on the same tasks and seeds")
    if line.comparison is not None and line.comparison.verdict is Verdict.NOT_COMPARABLE:
        return _unknown(_ERRORS)
    if line.lift is None:
        return _unknown("has no lift: it has no task and seed in common with both controls")
    if line.lift.value is None:
        return _unknown(f"has no lift: {line.lift.note.removeprefix('undefined: ')}")
    return Reading(line.lift.value, line.lift.interval)


def _unknown(why: str) -> Reading:
    return Reading(None, None, why)


QUANTITIES: Mapping[str, Quantity] = {
    "pass_rate": Quantity(_pass_rate, 0.0, 1.0),
    "cloud_fraction": Quantity(_cloud_fraction, 0.0, 1.0),
    "savings": Quantity(_savings, -math.inf, 1.0),
    "errors": Quantity(_errors, 0.0, 1.0),
    "lift": Quantity(_lift, -1.0, 1.0),
}
