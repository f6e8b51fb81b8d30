"""Why each router lost, for people (`findings.md`) and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from pytest_hybrideval.analysis.cells import ALL_SUITES, ALWAYS_CLOUD, ALWAYS_LOCAL, CONTROLS, CellKey
from pytest_hybrideval.analysis.oracle import Oracle, Standing
from pytest_hybrideval.analysis.regret import Cause, CellRegrets, Control, Regret, RegretKind
from pytest_hybrideval.core.domain import ErrorKind, FailureMode, Outcome
from pytest_hybrideval.reporting.markdown import code, markdown_table, one_line
from pytest_hybrideval.reporting.matrix import SIMULATED_NOTICE, surroundings

NAMED_TRIALS = 20
DETAIL_LENGTH = 160

# The controls without which a kind cannot be found at all.
_NEEDS = {
    RegretKind.UNDER_ROUTED: (ALWAYS_CLOUD,),
    RegretKind.OVER_ROUTED: (ALWAYS_LOCAL,),
    RegretKind.UNSOLVED: CONTROLS,
    RegretKind.LUCKY: CONTROLS,
}

_NOTES = """\
Each trial is held against its controls: always-cloud and always-local on the same task and seed.

- **under-routed**: it failed, and always-cloud passed. USD: what the trial cost, spent for nothing.
- **over-routed**: always-local passed. Either the trial passed too and cost more (USD: the difference), or it failed,
  as always-cloud did (USD: what it cost).
- **unsolved**: it failed, and so did both controls. USD: what it cost.
- **lucky**: it passed where both controls failed. Do not count on it. USD: what it cost.
- **not judged**: a control did not run or ended in an error, and the kind depends on it. No other seed stands in.
- **cloud calls**: how many of the agent's calls went to the cloud. A trial that asked one model only and ended
  otherwise than that model's control shows the model's chance, not the router's fault.
- **oracle**: for each task and seed the control that passes and costs least; where neither passes, the cheaper one. It
  bounds routers that choose one model per trial; one that mixes models within a trial can beat it. It knows the
  outcomes beforehand, so part of its lead is luck. All lines of its table are about these tasks and seeds.
- **+?**: a cloud model did not say its tokens; the USD are the least it can be.
"""


def markdown(cells: Sequence[CellRegrets], oracles: Sequence[Oracle], manifest: Mapping[str, Any]) -> str:
    """`findings.md`. A suite's section names trials of each strategy, most costly first, `NAMED_TRIALS` at most."""
    lines = ["# Findings: why it lost", ""]
    if any(cell.simulated for cell in cells):
        lines += [f"> **{SIMULATED_NOTICE}**", ""]
    lines += [f"- {name}: {value}" for name, value in surroundings(manifest)]
    for scope in dict.fromkeys(cell.key.scope for cell in cells):
        inside = [cell for cell in cells if cell.key.scope == scope]
        title = "All suites together" if scope == ALL_SUITES else f"Suite {scope}"
        lines += ["", f"## {title}", "", *_regrets(inside), "", "### Failure modes and errors", "", _causes(inside)]
        lines += ["", "### Against the oracle", "", *_oracles(inside, [o for o in oracles if o.key.scope == scope])]
        lines += _named(inside) if scope != ALL_SUITES else []
    return "\n".join([*lines, "", "## How to read it", "", _NOTES])


def regret_json(cells: Sequence[CellRegrets], oracles: Sequence[Oracle]) -> dict[str, Any]:
    """Counts and USD by cell, the oracles with the strategies beside them, and every regret once."""
    return {
        "cells": [_cell_json(cell) for cell in cells],
        "oracles": [
            {
                **asdict(oracle.key),
                **asdict(oracle.standing),
                "strategies": [{**asdict(key), **asdict(standing)} for key, standing in oracle.others],
            }
            for oracle in oracles
        ],
        "trials": [asdict(regret) for cell in cells if cell.key.scope != ALL_SUITES for regret in cell.regrets],
    }


def _regrets(cells: Sequence[CellRegrets]) -> Iterator[str]:
    routers = [cell for cell in cells if not cell.is_control]
    if not routers:
        yield "Only controls ran: there is no router to judge."
        return
    yield from ("Trials by kind of regret, with the USD at stake:", "")
    headers = ["strategy", "trials", *map(_kind, RegretKind), "no regret", "not judged", "errors"]
    rows = [
        [
            _name(cell.key, cells),
            str(cell.trials),
            *(_count(cell, kind) for kind in RegretKind),
            *(str(count) for count in (cell.no_regret, cell.not_judged, cell.errors)),
        ]
        for cell in routers
    ]
    yield markdown_table(headers, rows)
    needs = [line for cell in routers for line in _needs(cell, _name(cell.key, cells))]
    yield from ("", *needs) if needs else ()


def _count(cell: CellRegrets, kind: RegretKind) -> str:
    """`3 (0.0310)`; where trials wait to be judged and none has the control that it takes, that control by name."""
    missing = [name for name in _NEEDS[kind] if _without(cell, name) == cell.trials - cell.errors]
    if missing and cell.not_judged:
        return f"needs {' and '.join(missing)}"
    found = cell.of_kind(kind)
    unknown = any(regret.unknown_usage for regret in found)
    return f"{len(found)} ({_usd(sum(regret.usd for regret in found), unknown)})" if found else "0"


def _without(cell: CellRegrets, control: str) -> int:
    return cell.not_run.get(control, 0) + cell.in_error.get(control, 0)


def _needs(cell: CellRegrets, name: str) -> Iterator[str]:
    """Which controls a line lacks, and for how many of its trials."""
    candidates = cell.trials - cell.errors
    for control in CONTROLS:
        if _without(cell, control):
            counts = {"did not run": cell.not_run, "ended in an error": cell.in_error}
            said = " and ".join(f"{what} for {by[control]}" for what, by in counts.items() if by.get(control))
            yield f"- {name} needs {control}: it {said} of the {candidates} trials (same task and seed)."


def _causes(cells: Sequence[CellRegrets]) -> str:
    order: list[Cause] = [*FailureMode, *ErrorKind, None]
    causes = [cause for cause in order if any(cell.causes.get(cause) for cell in cells)]
    if not causes:
        return "No trial failed or ended in an error."
    rows = [[_name(cell.key, cells), *(str(cell.causes.get(cause, 0)) for cause in causes)] for cell in cells]
    return markdown_table(["strategy", *map(_cause, causes)], rows)


def _cause(cause: Cause) -> str:
    if cause is None:
        return "unknown"
    words = cause.value.replace("_", " ")
    return f"error: {words}" if isinstance(cause, ErrorKind) else words


def _oracles(cells: Sequence[CellRegrets], oracles: Sequence[Oracle]) -> Iterator[str]:
    ran = {cell.key.strategy for cell in cells}
    missing = [name for name in CONTROLS if name not in ran]
    if missing:
        yield f"The oracle needs {' and '.join(missing)}."
    elif not oracles:
        yield f"The oracle needs {' and '.join(CONTROLS)} without an error on the same task and seed."
    for number, oracle in enumerate(oracles):
        if len(oracles) > 1:
            yield from ("",) if number else ()
            yield from (f"{oracle.key.local_model} + {oracle.key.cloud_model} [{oracle.key.agent}]:", "")
        lines = [("oracle", oracle.standing), *((_level(key), standing) for key, standing in oracle.others)]
        yield markdown_table(["", "trials", "tasks", "pass rate", "cost USD"], [_standing(*line) for line in lines])


def _standing(name: str, standing: Standing) -> list[str]:
    return [name, str(standing.trials), str(standing.tasks), f"{standing.pass_rate:.2f}", f"{standing.cost:.4f}"]


def _named(cells: Sequence[CellRegrets]) -> Iterator[str]:
    """The trials of each strategy that has regrets."""
    for cell in cells:
        if cell.regrets:
            yield from ("", f"### {_name(cell.key, cells)}: the trials", "")
            shown = _most_telling(cell.regrets)
            headers = ["trial", "kind", "USD", "cloud calls", "outcome", *(f"{name} (USD)" for name in CONTROLS)]
            yield markdown_table(headers, [_trial(regret) for regret in shown], left=(0, 1, 4, 5, 6))
            more = len(cell.regrets) - len(shown)
            if more:
                yield from ("", f"And {more} more, each less costly than those of its kind above; see `raw.jsonl`.")


def _most_telling(regrets: Sequence[Regret]) -> list[Regret]:
    """As many as are named, in their order: the most costly of each kind, so that no kind hides another."""
    seen: dict[RegretKind, int] = {}
    ranks = []
    for at, regret in enumerate(regrets):
        seen[regret.kind] = seen.get(regret.kind, 0) + 1
        ranks.append((seen[regret.kind], at))
    return [regrets[at] for at in sorted(at for _, at in sorted(ranks)[:NAMED_TRIALS])]


def _trial(regret: Regret) -> list[str]:
    calls = f"{regret.cloud_calls} of {regret.cloud_calls + regret.local_calls}"
    controls = [_control(control) for control in (regret.cloud, regret.local)]
    return [
        code(regret.trial),
        _kind(regret.kind),
        _usd(regret.usd, regret.unknown_usage),
        calls,
        _outcome(regret),
        *controls,
    ]


def _outcome(regret: Regret) -> str:
    if regret.outcome is Outcome.PASSED:
        return "passed"
    mode = "failed" if regret.failure_mode is None else _cause(regret.failure_mode)
    return one_line(f"{mode}: {regret.detail}" if regret.detail else mode, DETAIL_LENGTH)


def _control(control: Control) -> str:
    if control.outcome is None:
        return "did not run"
    return "error" if control.passed is None else f"{control.outcome.value} ({control.cost:.4f})"


def _kind(kind: RegretKind) -> str:
    return kind.value.replace("_", "-")


def _usd(usd: float, unknown: bool) -> str:
    return f"{usd:.4f}" + ("+?" if unknown else "")


def _name(key: CellKey, cells: Sequence[CellRegrets]) -> str:
    """The strategy with its threshold, and its models and agent where the cells differ in them."""
    several_models = len({(cell.key.local_model, cell.key.cloud_model) for cell in cells}) > 1
    several_agents = len({cell.key.agent for cell in cells}) > 1
    models = f" ({key.local_model} + {key.cloud_model})" if several_models else ""
    return _level(key) + models + (f" [{key.agent}]" if several_agents else "")


def _level(key: CellKey) -> str:
    return key.strategy + ("" if key.threshold is None else f" t={str(key.threshold).removesuffix('.0')}")


def _cell_json(cell: CellRegrets) -> dict[str, Any]:
    kinds = {kind.value: cell.of_kind(kind) for kind in RegretKind}
    return {
        **asdict(cell.key),
        "simulated": cell.simulated,
        "trials": cell.trials,
        "errors": cell.errors,
        "no_regret": cell.no_regret,
        "not_judged": cell.not_judged,
        "kinds": {name: {"trials": len(found), "usd": sum(r.usd for r in found)} for name, found in kinds.items()},
        "not_run": dict(cell.not_run),
        "in_error": dict(cell.in_error),
        "causes": {cause.value if cause else "unknown": count for cause, count in cell.causes.items()},
    }
