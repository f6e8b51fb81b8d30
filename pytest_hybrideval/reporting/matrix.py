"""The decision matrix in Markdown, and the same numbers as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from tabulate import tabulate

from pytest_hybrideval.analysis.cells import ALL_SUITES, Cell
from pytest_hybrideval.analysis.intervals import Interval

SCHEMA_VERSION = 1
SIMULATED_NOTICE = "SIMULATED: these numbers come from embedded models, not from a measurement of any model."

_COLUMNS = (
    "strategy",
    "trials",
    "tasks",
    "pass rate",
    "95 % interval",
    "row bootstrap",
    "cloud fraction",
    "cloud tokens",
    "cost USD",
    "s/trial",
    "errors",
)

_NOTES = """\
- **pass rate**: mean over tasks of the seeds' mean; a trial that ended in an error counts as not passed.
- **95 % interval**: for tasks like these (Dirichlet weights over task means with one unseen task; never zero-width).
  The lower limit takes every missing trial as failed, the upper as passed.
- **row bootstrap**: the percentile bootstrap over trial rows that older tools print, for comparison only: trials of one
  task are not independent, so it is too narrow.
- **cloud fraction**: cloud tokens over all tokens, the strategy's own calls included. **cost**: from tokens and prices.
- **errors**: trials that infrastructure spoilt. A cell with more than 5 % of them is marked *not comparable*.
"""


def markdown(cells: Sequence[Cell], manifest: Mapping[str, Any]) -> str:
    """`decision_matrix.md`."""
    lines = ["# Decision matrix", ""]
    if any(cell.simulated for cell in cells):
        lines += [f"> **{SIMULATED_NOTICE}**", ""]
    lines += [f"- {name}: {value}" for name, value in surroundings(manifest)]
    for title, group in by_scope(cells):
        lines += ["", f"## {title}", "", table(group, "github")]
    return "\n".join([*lines, "", "## How to read it", "", _NOTES])


def table(cells: Sequence[Cell], style: str, *, narrow: bool = False) -> str:
    """The cells of one scope as a table in one of tabulate's styles; `narrow` breaks the headers at their spaces."""
    several_models = len({(cell.key.local_model, cell.key.cloud_model) for cell in cells}) > 1
    several_agents = len({cell.key.agent for cell in cells}) > 1
    rows = [_row(cell, several_models) for cell in cells]
    if several_agents:
        rows = [[f"{row[0]} [{cell.key.agent}]", *row[1:]] for row, cell in zip(rows, cells, strict=True)]
    headers = [column.replace(" ", "\n", 1) if narrow and column[0] != "9" else column for column in _COLUMNS]
    return tabulate(rows, headers=headers, tablefmt=style, disable_numparse=True, colalign=_alignment())


def by_scope(cells: Sequence[Cell]) -> list[tuple[str, list[Cell]]]:
    """The cells of each suite in order of their names, then of all suites together."""
    scopes = list(dict.fromkeys(cell.key.scope for cell in cells))
    return [(_title(scope), [cell for cell in cells if cell.key.scope == scope]) for scope in scopes]


def surroundings(manifest: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a reader must know beside the numbers: run, models, agent, sandbox, prices."""
    models = ", ".join(f"{name}{_digest(info)}" for name, info in manifest.get("models", {}).items())
    facts = [
        ("run", str(manifest["run_id"])),
        ("models", models or "none was reached"),
        ("agent", str(manifest.get("agent") or "none was started")),
        ("sandbox", str(manifest.get("sandbox") or "none was used")),
        ("prices", str(manifest["prices"])),
    ]
    return facts


def aggregate_json(cells: Sequence[Cell], manifest: Mapping[str, Any]) -> dict[str, Any]:
    """`aggregate.json`: every cell's counts, tokens, cost and times."""
    return {
        "schema_version": SCHEMA_VERSION,
        "run_id": manifest["run_id"],
        "cells": [_cell_json(cell) for cell in cells],
    }


def intervals_json(cells: Sequence[Cell], manifest: Mapping[str, Any]) -> dict[str, Any]:
    """`bootstrap_cis.json`: every cell's intervals by method."""
    rows = [
        {
            **asdict(cell.key),
            "pass_rate": cell.pass_rate,
            "dirichlet_unseen_task": _interval_json(cell.interval),
            "these_tasks_clopper_pearson": _interval_json(cell.trials_interval),
            "row_percentile_bootstrap": _interval_json(cell.row_bootstrap),
        }
        for cell in cells
    ]
    return {"schema_version": SCHEMA_VERSION, "run_id": manifest["run_id"], "cells": rows}


def _title(scope: str) -> str:
    return "All suites together" if scope == ALL_SUITES else f"Suite {scope}"


def _digest(info: Mapping[str, Any]) -> str:
    return f" ({info['digest'][:20]})" if info.get("digest") else ""


def _alignment() -> list[str]:
    return ["left"] + ["right"] * (len(_COLUMNS) - 1)


def _row(cell: Cell, several_models: bool) -> list[str]:
    level = "" if cell.key.threshold is None else f" t={str(cell.key.threshold).removesuffix('.0')}"
    name = cell.key.strategy + level
    models = f" ({cell.key.local_model} + {cell.key.cloud_model})" if several_models else ""
    fraction = cell.cloud_fraction
    unknown = "?" if cell.cloud.unknown_calls or cell.local.unknown_calls else ""
    return [
        name + models,
        str(cell.trials),
        str(cell.tasks),
        f"{cell.pass_rate:.2f}",
        interval_text(cell.interval),
        interval_text(cell.row_bootstrap),
        "n/a" if fraction is None else f"{fraction:.0%}" + unknown,
        f"{cell.cloud.total:,}" + ("+?" if cell.cloud.unknown_calls else ""),
        f"{cell.cost:.4f}" + ("+?" if cell.cloud.unknown_calls else ""),
        f"{cell.seconds:.1f}",
        str(cell.errors) + ("" if cell.comparable else ", not comparable"),
    ]


def interval_text(interval: Interval | None) -> str:
    """`[.88, 1.00]`; n/a where there is none."""
    return "n/a" if interval is None else f"[{_short(interval.low)}, {_short(interval.high)}]"


def _short(value: float) -> str:
    return f"{value:.2f}".removeprefix("0") if value >= 0 else f"{value:.2f}"


def _interval_json(interval: Interval | None) -> dict[str, float] | None:
    return None if interval is None else asdict(interval)


def _cell_json(cell: Cell) -> dict[str, Any]:
    return {
        **asdict(cell.key),
        "simulated": cell.simulated,
        "tasks": cell.tasks,
        "trials": cell.trials,
        "passed": cell.passed,
        "failed": cell.failed,
        "errors": cell.errors,
        "comparable": cell.comparable,
        "pass_rate": cell.pass_rate,
        "cloud_fraction": cell.cloud_fraction,
        "cloud_tokens": asdict(cell.cloud),
        "local_tokens": asdict(cell.local),
        "overhead_tokens": cell.overhead_tokens,
        "cost_usd": cell.cost,
        "seconds_per_trial": cell.seconds,
    }
