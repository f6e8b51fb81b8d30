"""`hybrideval runs`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pytest_hybrideval.cli.application import NegativeAnswer

if TYPE_CHECKING:
    from pytest_hybrideval.reporting.runs import RunSummary

_COLUMNS = ("run", "started", "trials", "passed", "failed", "errors", "strategies", "models", "")


def runs_command(
    results_dir: Annotated[Path, typer.Option(metavar="DIR", help="The parent of the runs.")] = Path("results"),
) -> None:
    """List the runs in a results directory, the newest last.

    The last column says which runs are simulated, and which are damaged.

    Example:
      hybrideval runs --results-dir results
    """
    from tabulate import tabulate

    from pytest_hybrideval.reporting.runs import list_runs

    found = list_runs(results_dir)
    if not found:
        raise NegativeAnswer(f"{results_dir} holds no run yet; pytest writes them there, or --results-dir DIR")
    rows = [_row(run) for run in found]
    alignment = ["left", "left", "right", "right", "right", "right", "left", "left", "left"]
    table = tabulate(rows, headers=_COLUMNS, tablefmt="plain", disable_numparse=True, colalign=alignment)
    typer.echo("\n".join(line.rstrip() for line in table.splitlines()))


def _row(run: RunSummary) -> list[str]:
    counts = [str(number) for number in (run.trials, run.passed, run.failed, run.errors)]
    notes = ["simulated"] if run.simulated else []
    notes += [f"{run.unreadable} unreadable line" + "s" * (run.unreadable > 1)] if run.unreadable else []
    names = [", ".join(run.strategies), ", ".join(run.models), ", ".join(notes)]
    return [run.run_id, run.started[:16].replace("T", " "), *counts, *names]
