"""The matrix as JSON: `aggregate.json` has the numbers, `bootstrap_cis.json` every interval by its method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from pytest_hybrideval.analysis.against import Against
from pytest_hybrideval.analysis.assessment import Assessment
from pytest_hybrideval.analysis.cells import Cell
from pytest_hybrideval.analysis.comparison import Comparison
from pytest_hybrideval.analysis.curves import Curve
from pytest_hybrideval.analysis.intervals import Interval
from pytest_hybrideval.analysis.study import Study
from pytest_hybrideval.reporting.findings import regret_json
from pytest_hybrideval.reporting.gate import GateResult
from pytest_hybrideval.reporting.numbers import names_of
from pytest_hybrideval.reporting.sentences import sentence

SCHEMA_VERSION = 2


def aggregate_json(
    study: Study,
    manifest: Mapping[str, Any],
    compared: Mapping[str, Any] | None = None,
    gate: GateResult | None = None,
) -> dict[str, Any]:
    """`aggregate.json`: every line's counts, tokens, cost, comparison and verdict; sweeps, regret, gate.

    `compared` is what `compared_json` says.
    """
    regret = regret_json(study.regrets, study.oracles)
    names = names_of(line.key for line in study.lines)
    return {
        "schema_version": SCHEMA_VERSION,
        "run_id": manifest["run_id"],
        "simulated": study.simulated,
        "margin": study.margin,
        "confidence": study.confidence,
        "cells": [_line_json(line, names[line.key]) for line in study.lines],
        "sweeps": [_curve_json(curve) for curve in study.curves],
        "regret": {"cells": regret["cells"], "oracles": regret["oracles"]},
        "compared": compared,
        "gate": None if gate is None else _gate_json(gate),
    }


def compared_json(earlier: Against, run_id: str, differences: Sequence[str] = ()) -> dict[str, Any]:
    """The comparisons with an earlier run; `differences` are what the manifests of both differ in."""
    return {
        "run_id": run_id,
        "differences": list(differences),
        "comparisons": [
            {
                **asdict(each.key),
                **_comparison_json(each),
                "interval": _interval(each.interval),
                "savings_interval": _interval(each.savings.interval),
            }
            for each in earlier.comparisons
        ],
        "unmatched": [asdict(key) for key in earlier.unmatched],
    }


def intervals_json(study: Study, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """`bootstrap_cis.json`: every line's intervals, each `{low, high, confidence}` or null where there is none."""
    return {
        "schema_version": SCHEMA_VERSION,
        "run_id": manifest["run_id"],
        "cells": [_intervals(line) for line in study.lines],
        "sweeps": [
            {
                **_without(asdict(curve.key), "threshold"),
                "change": _interval(curve.trend.interval if curve.trend else None),
            }
            for curve in study.curves
        ],
    }


def _line_json(line: Assessment, name: str) -> dict[str, Any]:
    return {
        **asdict(line.key),
        **_cell_json(line.cell),
        "needs": list(line.needs),
        "comparison": None if line.comparison is None else _comparison_json(line.comparison),
        "lift": None if line.lift is None else _without(asdict(line.lift), "interval"),
        "performance_gap_recovered": None if line.gap is None else _without(asdict(line.gap), "interval"),
        "frontier": None if line.place is None else asdict(line.place),
        "sentence": sentence(line, name),
    }


def _cell_json(cell: Cell) -> dict[str, Any]:
    return {
        "simulated": cell.simulated,
        "tasks": cell.tasks,
        "trials": cell.trials,
        "passed": cell.passed,
        "failed": cell.failed,
        "errors": cell.errors,
        "comparable": cell.comparable,
        "pass_rate": cell.pass_rate,
        "pass_rate_first_try": cell.first_try,
        "cloud_fraction": cell.cloud_fraction,
        "cloud_tokens": asdict(cell.cloud),
        "local_tokens": asdict(cell.local),
        "overhead_tokens": cell.overhead_tokens,
        "cost_usd": cell.cost,
        "cost_per_solved_usd": cell.cost_per_solved,
        "seconds_per_trial": cell.seconds,
    }


def _comparison_json(comparison: Comparison) -> dict[str, Any]:
    plain = asdict(comparison)
    savings = plain.pop("savings")
    return {
        **_without(plain, "key", "interval"),
        "verdict": comparison.verdict.value,
        "savings": savings["value"],
        "savings_note": savings["note"],
    }


def _curve_json(curve: Curve) -> dict[str, Any]:
    trend = curve.trend
    return {
        **_without(asdict(curve.key), "threshold"),
        "thresholds": [point.key.threshold for point in curve.points],
        "change": trend.change if trend else None,
        "p": trend.p_value if trend else None,
        "p_holm": curve.p_holm,
        "apgr": curve.apgr,
    }


def _gate_json(gate: GateResult) -> dict[str, Any]:
    return {
        "state": gate.state.value,
        "simulated": gate.simulated,
        "sentence": gate.sentence,
        "findings": [{**asdict(finding), "state": finding.state.value} for finding in gate.findings],
    }


def _intervals(line: Assessment) -> dict[str, Any]:
    cell, comparison = line.cell, line.comparison
    return {
        **asdict(line.key),
        "pass_rate": cell.pass_rate,
        "dirichlet_unseen_task": _interval(cell.interval),
        "first_try_dirichlet_unseen_task": _interval(cell.first_try_interval),
        "these_tasks_clopper_pearson": _interval(cell.trials_interval),
        "row_percentile_bootstrap": _interval(cell.row_bootstrap),
        "difference": _interval(comparison.interval if comparison else None),
        "savings": _interval(comparison.savings.interval if comparison else None),
        "cloud_fraction": _interval(cell.cloud_interval),
        "cost_per_trial_usd": _interval(cell.cost_interval),
        "lift": _interval(line.lift.interval if line.lift else None),
        "performance_gap_recovered": _interval(line.gap.interval if line.gap else None),
    }


def _interval(interval: Interval | None) -> dict[str, float] | None:
    return None if interval is None else asdict(interval)


def _without(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key not in names}
