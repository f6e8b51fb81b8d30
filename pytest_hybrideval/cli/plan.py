"""`hybrideval plan`: how many tasks and seeds a verdict takes, before anything is spent on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pytest_hybrideval.analysis.planner import Power

_MOST_TASKS = 20_000


@dataclass(frozen=True)
class _Plan:
    """A row of the answer: so many tasks with so many seeds give that chance of a non-inferior verdict."""

    name: str
    tasks: int
    seeds: int
    power: Power


@dataclass(frozen=True)
class _Rates:
    """What is assumed of two strategies: see `simulated_power`."""

    candidate: float
    baseline: float
    spread: float
    agreement: float


def plan_command(
    strategy: Annotated[str | None, typer.Option(metavar="NAME", help="Of the pilot: a strategy, or all.")] = None,
    margin: Annotated[float, typer.Option(metavar="M", help="How much lower still counts as non-inferior.")] = 0.05,
    power: Annotated[float, typer.Option(metavar="P", help="The chance of a verdict that is wanted.")] = 0.8,
    pilot: Annotated[str | None, typer.Option(metavar="RUN", help="A run to learn from, with always-cloud.")] = None,
    results_dir: Annotated[Path, typer.Option(metavar="DIR", help="Where run ids are looked up.")] = Path("results"),
    candidate_rate: Annotated[float, typer.Option(metavar="R", help="Assumed pass rate of the strategy.")] = 0.95,
    baseline_rate: Annotated[float, typer.Option(metavar="R", help="Assumed pass rate of always-cloud.")] = 0.95,
    spread: Annotated[
        float, typer.Option(metavar="S", help="0: tasks are equally hard; 1: each passes always or never.")
    ] = 0.5,
    agreement: Annotated[
        float, typer.Option(metavar="A", help="Share of tasks that are equally hard for both strategies.")
    ] = 0.8,
    seeds: Annotated[str, typer.Option(metavar="LIST", help="Numbers of seeds to look at.")] = "1,3,5",
    comparisons: Annotated[
        int, typer.Option(metavar="K", min=1, help="Strategies that are compared at once (Holm).")
    ] = 1,
) -> None:
    """Say how many tasks and seeds it takes to show that a strategy is not worse by the margin.

    From a pilot run, if there is no true difference; or from assumed rates. Each answer is checked by simulation with
    the test that decides in the matrix. Tasks help much more than seeds.

    Example:
      hybrideval plan --pilot latest --strategy heuristic --margin 0.05
    """
    from tabulate import tabulate

    from pytest_hybrideval.analysis.planner import least_tasks
    from pytest_hybrideval.core.errors import ConfigurationError

    alpha = 0.025 / comparisons
    try:
        if pilot is not None:
            plans = _from_pilot(pilot, results_dir, strategy, margin, power, alpha)
        else:
            if strategy is not None:
                raise ConfigurationError("--strategy names a strategy of a pilot run; give --pilot RUN, too")
            rates = _Rates(candidate_rate, baseline_rate, spread, agreement)
            plans = [_from_rates(count, rates, margin, power, alpha) for count in _counts(seeds)]
        least = least_tasks(margin, alpha)
    except ValueError as error:
        raise ConfigurationError(str(error)) from None
    rows = [[plan.name, plan.tasks, plan.seeds, plan.tasks * plan.seeds, _chance(plan.power)] for plan in plans]
    typer.echo(tabulate(rows, headers=["strategy", "tasks", "seeds", "trials each", "chance of a verdict"]))
    typer.echo(f"\nWith fewer than {least} tasks nothing can be shown at a margin of {margin:g}, not even by a tie.")


def _from_pilot(
    pilot: str, results_dir: Path, strategy: str | None, margin: float, power: float, alpha: float
) -> list[_Plan]:
    from pytest_hybrideval.analysis.arms import pair
    from pytest_hybrideval.analysis.assessment import sides
    from pytest_hybrideval.analysis.planner import pilot_power, required_tasks
    from pytest_hybrideval.core.errors import ConfigurationError
    from pytest_hybrideval.reporting.numbers import name_of
    from pytest_hybrideval.reporting.runs import read_run, resolve_run

    run = read_run(resolve_run(pilot, results_dir))
    plans: list[_Plan] = []
    possible = sides(run.records)
    for candidate, baseline in possible:
        if strategy in (None, candidate.key.strategy):
            both = pair(candidate, baseline)
            differences = both.worst[0] - both.best[1]
            tasks = required_tasks(differences, margin, alpha=alpha, power=power)
            chance = pilot_power(differences - differences.mean(), tasks, margin, alpha=alpha)
            plans.append(_Plan(name_of(candidate.key), tasks, round(both.pairs / len(both.tasks)), chance))
    if not plans:
        known = ", ".join(dict.fromkeys(candidate.key.strategy for candidate, _ in possible))
        raise ConfigurationError(
            f"--pilot {pilot}: nothing there can be compared with always-cloud"
            if not known
            else f"--strategy {strategy}: the pilot compares {known} with always-cloud"
        )
    return plans


def _from_rates(seeds: int, rates: _Rates, margin: float, power: float, alpha: float) -> _Plan:
    """The least number of tasks with that chance, found by doubling and halving."""
    from pytest_hybrideval.analysis.planner import least_tasks, simulated_power
    from pytest_hybrideval.core.errors import ConfigurationError

    def chance(tasks: int) -> Power:
        return simulated_power(tasks, seeds, margin, alpha=alpha, draws=2000, **asdict(rates))

    low = least_tasks(margin, alpha) - 1
    high = low + 1
    while chance(high).value < power:
        low, high = high, 2 * high
        if high > _MOST_TASKS:
            raise ConfigurationError(
                f"at these rates {_MOST_TASKS:,} tasks give no chance of {power:g}: "
                "a strategy that is worse by the margin cannot be shown to be within it"
            )
    tasks = _least(chance, power, low, high)
    return _Plan("assumed rates", tasks, seeds, chance(tasks))


def _least(chance: Callable[[int], Power], power: float, low: int, high: int) -> int:
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if chance(middle).value >= power else (middle, high)
    return high


def _counts(text: str) -> list[int]:
    from pytest_hybrideval.core.errors import ConfigurationError

    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and int(part) for part in parts):
        raise ConfigurationError(f"--seeds '{text}': a comma list of numbers of seeds, such as 1,3,5")
    return [int(part) for part in parts]


def _chance(power: Power) -> str:
    return f"{power.value:.2f} +- {power.standard_error:.2f}"
