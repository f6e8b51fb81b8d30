"""A line of the matrix in plain words: what was found out, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_hybrideval.analysis.assessment import Assessment
from pytest_hybrideval.analysis.cells import ALWAYS_CLOUD, ALWAYS_LOCAL
from pytest_hybrideval.analysis.comparison import Comparison
from pytest_hybrideval.analysis.intervals import Interval
from pytest_hybrideval.analysis.verdict import Verdict
from pytest_hybrideval.reporting.numbers import (
    declared,
    interval_text,
    name_of,
    percent,
    percent_interval,
    rate,
)

SIMULATED = "(Simulated models: this measures no model.)"
_COIN = "a coin that spends as much"


def sentence(line: Assessment, name: str = "") -> str:
    """What the line means for whoever has to decide; empty for always-cloud, which all others are measured by.

    `name` is what the line is called, where its strategy and threshold do not tell it from others.
    """
    if line.key.strategy == ALWAYS_CLOUD:
        return ""
    if line.comparison is None:
        what, missing = name or name_of(line.key), " and ".join(line.needs)
        parts = [f"{what} has nothing to be measured by: run {missing} on the same tasks and seeds."]
    else:
        parts = [solves(line.comparison, name=name), saves(line.comparison), *_beats_the_coin(line)]
        parts += _left_out(line.comparison)
    return " ".join([*parts, *([SIMULATED] if line.cell.simulated else [])])


def solves(comparison: Comparison, baseline: str = ALWAYS_CLOUD, name: str = "") -> str:
    """The verdict on the pass rate in a sentence; `baseline` and `name` are what both sides are called."""
    name, interval = name or name_of(comparison.key), comparison.interval
    rates = f"{rate(comparison.pass_rate)} against {rate(comparison.baseline_pass_rate)} on {_tasks(comparison.tasks)}"
    margin = declared(comparison.margin)
    if comparison.verdict is Verdict.BETTER:
        return f"{name} solves more tasks than {baseline}: {rates}."
    if comparison.verdict is Verdict.NON_INFERIOR:
        return f"{name} can stand in for {baseline}: its pass rate is at most {margin} lower ({rates})."
    if comparison.verdict is Verdict.INFERIOR:
        lost = rate(-interval.high)
        return (
            f"Do not put {name} in place of {baseline}: "
            f"its pass rate is at least {lost} lower, which is over the margin of {margin} ({rates})."
        )
    if comparison.verdict is Verdict.WORSE:
        return f"{name} solves fewer tasks than {baseline} ({rates}); whether its pass rate is {margin} lower is open."
    if comparison.verdict is Verdict.NOT_COMPARABLE:
        return f"{name} cannot be judged beside {baseline}: too many trials ended in errors; run those again."
    more = _tasks(comparison.more_tasks, "more ")
    return (
        f"Undecided whether {name} can stand in for {baseline}: {rates}, a difference of "
        f"{rate(comparison.difference)} {interval_text(interval)}; at a margin of {margin} that takes about {more}."
    )


def saves(comparison: Comparison) -> str:
    """What the candidate saves, or costs more, in a sentence."""
    value, interval = comparison.savings.value, comparison.savings.interval
    if value is None:
        return f"What it saves is unknown: {comparison.savings.note}."
    note = f" ({comparison.savings.note})" if comparison.savings.note else ""
    if value < 0.0:
        more = interval and Interval(-interval.high, -interval.low, interval.confidence)
        return f"It costs {_amount(-value, more)} more{note}."
    return f"It saves {_amount(value, interval)} of the cost{note}."


def _amount(value: float, interval: Interval | None) -> str:
    return percent(value) + (f" {percent_interval(interval)}" if interval else "")


def _beats_the_coin(line: Assessment) -> Iterator[str]:
    """Nothing for a control, which is one side of the coin."""
    if ALWAYS_LOCAL in line.needs:
        yield f"Whether it beats {_COIN} is not known: run {ALWAYS_LOCAL} on the same tasks and seeds."
    elif line.lift is not None and line.lift.interval is None:
        yield f"Whether it beats {_COIN} cannot be said: {line.lift.note.removeprefix('undefined: ')}."
    elif line.lift is not None and line.lift.interval is not None:
        note = f" ({line.lift.note})" if line.lift.note else ""
        if line.lift.interval.low > 0.0:
            yield f"It beats {_COIN}{note}."
        elif line.lift.interval.high < 0.0:
            yield f"{_COIN.capitalize()} would solve more{note}."
        else:
            yield f"It is not shown to beat {_COIN}{note}."


def _left_out(comparison: Comparison) -> Iterator[str]:
    """Trials that are in the line, or in always-cloud's, but not in the comparison."""
    both = {"its": comparison.left_out, f"{ALWAYS_CLOUD}'s": comparison.baseline_left_out}
    missing = " and ".join(f"{count} of {whose} trials" for whose, count in both.items() if count)
    if missing:
        yield f"Left out here, because the other side did not run them: {missing}."


def _tasks(count: int, which: str = "") -> str:
    return f"{count} {which}task{'' if count == 1 else 's'}"
