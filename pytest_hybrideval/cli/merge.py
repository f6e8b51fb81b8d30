"""`hybrideval merge`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pytest_hybrideval.cli.application import NegativeAnswer


def merge_command(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help="Run directories, run ids, or 'latest'.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="The new run's directory.")],
    results_dir: Annotated[Path, typer.Option(metavar="DIR", help="Where run ids are looked up.")] = Path("results"),
) -> None:
    """Make one run of several, such as the shards of a CI matrix.

    Runs may overlap: identical records are one. Runs of different tasks, models, agents, prices, settings or versions
    are refused, and so are two different records of one trial (exit code 1). The runs themselves are not changed.

    Example:
      hybrideval merge shards/*/ -o results/all
    """
    from pytest_hybrideval.reporting.merging import RunsDiffer, merge_runs
    from pytest_hybrideval.reporting.runs import resolve_run

    try:
        merged = merge_runs([resolve_run(run, results_dir) for run in runs], output)
    except RunsDiffer as error:
        raise NegativeAnswer(str(error)) from None
    ones = "one" if merged.repeated == 1 else "ones"
    repeated = f" ({merged.repeated} identical {ones} left out)" if merged.repeated else ""
    typer.echo(f"{output}: {merged.trials} trials{repeated} and {merged.calls} calls from {merged.runs} runs")
