"""`hybrideval report` and `hybrideval compare`: what follows from the records of a run, alone or beside another."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pytest_hybrideval.cli.application import NegativeAnswer

if TYPE_CHECKING:
    from pytest_hybrideval.reporting.report import Report

RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="A run's directory, raw.jsonl or id, or 'latest'.")]
ResultsDir = Annotated[Path, typer.Option(metavar="DIR", help="Where run ids are looked up.")]
Pricing = Annotated[Path | None, typer.Option(metavar="FILE", help="YAML file of prices, over the packaged ones.")]
LocalPerHour = Annotated[
    float | None,
    typer.Option("--local-cost-per-hour", metavar="USD", min=0.0, help="What a local model costs per busy hour."),
]
Margin = Annotated[float, typer.Option(metavar="M", help="How much lower still counts as non-inferior.")]
Gates = Annotated[list[str] | None, typer.Option("--gate", metavar="EXPR", help="A condition; may be repeated.")]
InconclusivePasses = Annotated[
    bool, typer.Option("--inconclusive-passes", help="Exit with 0 where the gate is inconclusive.")
]


def report_command(
    run: RunArgument,
    results_dir: ResultsDir = Path("results"),
    pricing: Pricing = None,
    local_cost_per_hour: LocalPerHour = None,
    margin: Margin = 0.05,
    gate: Gates = None,
    inconclusive_passes: InconclusivePasses = False,
    compare: Annotated[str | None, typer.Option(metavar="RUN", help="An earlier run to compare with.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="DIR", help="Write there instead of into the run.")
    ] = None,
) -> None:
    """Work everything out again from a run's raw.jsonl, and show it.

    Writes aggregate.json, bootstrap_cis.json, decision_matrix.md and findings.md. With --pricing the same trials are
    priced anew, without running any. With --gate the exit code is the gate's: 1 where it is not met. In a GitHub
    workflow the matrix goes to the job summary, too.

    Example:
      hybrideval report latest --pricing prices.yaml --gate non-inferior:0.05 --gate 'savings>=0.2'
    """
    from pytest_hybrideval.reporting.github import append_summary
    from pytest_hybrideval.reporting.report import write_report
    from pytest_hybrideval.reporting.run_directory import RunDirectory
    from pytest_hybrideval.reporting.terminal import summary

    report, directory = _report(run, compare, results_dir, (pricing, local_cost_per_hour), margin, gate)
    target = RunDirectory(output or directory, newest=False)
    write_report(report, target)
    _show(summary(report, target.path, ""))
    if summary_file := os.environ.get("GITHUB_STEP_SUMMARY"):
        append_summary(report, Path(summary_file))
    _answer(report, inconclusive_passes)


def compare_command(
    new: Annotated[str, typer.Argument(metavar="NEW", help="The run in question: directory, id or 'latest'.")],
    old: Annotated[str, typer.Argument(metavar="OLD", help="The run it is measured by.")],
    results_dir: ResultsDir = Path("results"),
    pricing: Pricing = None,
    local_cost_per_hour: LocalPerHour = None,
    margin: Margin = 0.05,
    gate: Gates = None,
    inconclusive_passes: InconclusivePasses = False,
) -> None:
    """Compare two runs, strategy by strategy, on the tasks and seeds that both have.

    Both are priced by the same prices. What differs in how they ran is named, and so is what is left out. With
    --gate, 'non-inferior' means: to the same strategy in OLD; the exit code is the gate's.

    Example:
      hybrideval compare latest results/main-2026-11-20 --gate non-inferior:0.05
    """
    from pytest_hybrideval.reporting.terminal import beside

    report, _ = _report(new, old, results_dir, (pricing, local_cost_per_hour), margin, gate)
    _show(beside(report))
    if report.against is not None and not report.against.comparisons:
        raise NegativeAnswer("the runs have no strategy with a task and seed in common: nothing was compared")
    _answer(report, inconclusive_passes)


def _report(
    run: str,
    other: str | None,
    results_dir: Path,
    priced: tuple[Path | None, float | None],
    margin: float,
    gate: list[str] | None,
) -> tuple[Report, Path]:
    from pytest_hybrideval.core.errors import ConfigurationError
    from pytest_hybrideval.reporting.gate import parse_condition
    from pytest_hybrideval.reporting.prices import load_prices
    from pytest_hybrideval.reporting.report import Declared, make_report
    from pytest_hybrideval.reporting.runs import read_run, resolve_run

    if not 0.0 < margin < 1.0:
        raise ConfigurationError(f"--margin {margin:g} is not between 0 and 1; 0.05 means five percentage points")
    conditions = tuple(map(parse_condition, gate or ()))
    found = read_run(resolve_run(run, results_dir))
    pricing, local_per_hour = priced
    if local_per_hour is None:  # as the run was told
        local_per_hour = float(found.manifest.get("options", {}).get("local_cost_per_hour") or 0.0)
    prices = load_prices(pricing).with_local(local_per_hour)
    if not found.records:
        raise ConfigurationError(f"{found.path} holds no trial")
    earlier = read_run(resolve_run(other, results_dir)) if other is not None else None
    manifest = {**found.manifest, "prices": prices.source}
    complete = manifest.get("finished_at") or "imported" in manifest  # imported rows do not say when a run ended
    stopped = "" if complete else "the run did not come to its end"
    declared = Declared(margin, 0.95, conditions, earlier)
    return make_report(found.records, manifest, prices.cost, declared, stopped=stopped), found.path


def _show(lines: Iterator[tuple[str, str]]) -> None:
    for text, markup in lines:
        typer.echo(f"== {text} ==" if markup == "section" else text)


def _answer(report: Report, inconclusive_passes: bool) -> None:
    from pytest_hybrideval.reporting.gate import GateState

    good = (GateState.MET, GateState.INCONCLUSIVE) if inconclusive_passes else (GateState.MET,)
    if report.gate is not None and report.gate.state not in good:
        raise NegativeAnswer(report.gate.sentence)
