"""Numbers are written the same way everywhere, and never as if they were others."""

from __future__ import annotations

import pytest

from pytest_hybrideval.analysis.cells import CellKey
from pytest_hybrideval.analysis.intervals import Interval
from pytest_hybrideval.reporting.numbers import (
    beside_bound,
    declared,
    interval_text,
    name_of,
    names_of,
    percent,
    percent_interval,
    rate,
    usd,
)


def key(strategy: str = "heuristic", threshold: float | None = None, local: str = "l", agent: str = "a") -> CellKey:
    return CellKey("samples", local, "c", agent, strategy, threshold)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "n/a"),
        (0.0, ".00"),
        (-0.0, ".00"),
        (-0.004, ".00"),
        (0.004, ".00"),
        (0.5, ".50"),
        (-0.234, "-.23"),
        (0.996, "1.00"),
        (1.0, "1.00"),
        (-1.0, "-1.00"),
        (10.05, "10.05"),
        (20.5, "20.50"),
    ],
)
def test_a_rate_has_no_leading_nought(value: float | None, text: str) -> None:
    assert rate(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.05, ".05"), (0.025, ".025"), (0.1, ".1"), (0.0005, ".0005"), (0.5, ".5"), (1.0, "1")]
)
def test_what_was_declared_is_not_rounded(value: float, text: str) -> None:
    assert declared(value) == text


@pytest.mark.parametrize(
    ("value", "bound", "text"),
    [
        (0.9, 0.85, ".90"),
        (0.85, 0.85, ".85"),
        (0.849, 0.85, ".849"),
        (0.8496, 0.85, ".8496"),
        (0.8504, 0.85, ".8504"),
        (0.004, 0.0, ".004"),
        (-0.0004, 0.0, "-.0004"),
        (0.0, 0.0, ".00"),
        (0.123, 0.1225, ".123"),
        (1.0, 0.999, "1.00"),
        (0.85 + 1e-12, 0.85, ".850000"),
    ],
)
def test_a_rate_can_be_told_from_its_bound(value: float, bound: float, text: str) -> None:
    assert beside_bound(value, bound) == text


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (0.0, 1.0, "[.00, 1.00]"),
        (0.88, 0.994, "[.88, .99]"),
        (0.1, 0.9, "[.10, .90]"),
        (0.5698, 0.99895, "[.57, 1.00]"),
        (0.995, 0.996, "[.99, 1.00]"),
        (-1.0, 0.5, "[-1.00, .50]"),
    ],
)
def test_an_interval_is_two_rates(low: float, high: float, text: str) -> None:
    assert interval_text(Interval(low, high, 0.95)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "n/a"), (0.55, "55 %"), (1.0, "100 %"), (0.0, "0 %"), (-0.004, "0 %"), (-0.2, "-20 %"), (-1.0, "-100 %")],
)
def test_a_percentage(value: float | None, text: str) -> None:
    assert percent(value) == text


def test_an_interval_of_percentages() -> None:
    assert percent_interval(Interval(-0.001, 0.7, 0.95)) == "[0 %, 70 %]"


def test_no_interval_is_not_available() -> None:
    assert interval_text(None) == percent_interval(None) == "n/a"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "n/a"),
        (0.0, "0.0000"),
        (0.00001, "<0.0001"),
        (0.00006, "0.0001"),
        (2.42271, "2.4227"),
        (1234.5, "1234.5000"),
    ],
)
def test_what_costs_something_is_not_shown_as_nothing(value: float | None, text: str) -> None:
    assert usd(value) == text


@pytest.mark.parametrize(
    ("threshold", "name"), [(None, "heuristic"), (5.0, "heuristic t=5"), (12.5, "heuristic t=12.5")]
)
def test_a_name_has_the_threshold(threshold: float | None, name: str) -> None:
    assert name_of(key(threshold=threshold)) == name


def test_names_say_what_differs_and_no_more() -> None:
    alone = key()
    assert names_of([alone]) == {alone: "heuristic"}
    small, large = key(local="small"), key(local="large")
    assert names_of([small, large]) == {small: "heuristic (small + c)", large: "heuristic (large + c)"}
    one, other = key(agent="aider whole"), key(agent="aider diff")
    assert names_of(iter([one, other])) == {one: "heuristic [aider whole]", other: "heuristic [aider diff]"}
