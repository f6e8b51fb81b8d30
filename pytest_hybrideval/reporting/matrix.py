"""The decision matrix: whether the tasks are still solved, what is saved, and whether that is more than chance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from tabulate import tabulate

from pytest_hybrideval.analysis.assessment import Assessment
from pytest_hybrideval.analysis.cells import ALL_SUITES, ALWAYS_CLOUD, CONTROLS, Cell, CellKey
from pytest_hybrideval.analysis.comparison import BY_DESIGN
from pytest_hybrideval.analysis.curves import Curve
from pytest_hybrideval.analysis.intervals import Interval
from pytest_hybrideval.analysis.study import Study
from pytest_hybrideval.reporting.numbers import (
    NONE,
    declared,
    interval_text,
    names_of,
    percent,
    percent_interval,
    rate,
    usd,
)
from pytest_hybrideval.reporting.sentences import sentence

SIMULATED_NOTICE = "SIMULATED: these numbers come from embedded models, not from a measurement of any model."

NOTES = """\
- **passed**: trials that passed, of all trials; where some ended in errors, how many were judged stands beside it.
- **pass rate**: mean over tasks of the seeds' mean; a trial that ended in an error counts as not passed. Its **95 %
  interval** is for tasks like these (Dirichlet weights over task means with one unseen task; never zero-width). The
  lower limit takes every missing trial as failed, the upper as passed.
- **row bootstrap**: the percentile bootstrap over trial rows that older tools print, for comparison only: trials of one
  task are not independent, so it is too narrow.
- **against always-cloud**: the difference of the pass rates on common tasks and seeds, with the interval for tasks like
  these. **verdict**: *better*, *non-inferior* (less than the margin worse), *worse*, *inferior* (worse by more than the
  margin), else *inconclusive*, with the number of further tasks that a verdict would about take. The comparisons of one
  table are one family (Holm); a verdict survives the worst case of missing trials. *not comparable*: more than 5 % of
  the trials of one side ended in errors.
- **savings**: 1 - cost / always-cloud's cost, over trials whose cost both sides know. **USD per solved**: the cost of
  all trials over the number that passed.
- **cloud**: cloud tokens over all tokens, the strategy's own calls included. `?`: a model did not say all its tokens,
  and `+?`: so it is at least so much.
- **lift**: how much more passes than if a coin, tossed for each task, chose between always-local and always-cloud at
  the same cost; only above 0 is the router worth more than a coin. **PGR**: the share of the gap between always-local
  and always-cloud that is recovered; n/a unless that gap is established.
- **frontier**: *dominated* by a strategy that is cheaper and non-inferior, *on the frontier* if better than every
  cheaper one, else *undetermined*. The share says in how many random draws the strategy lies on the frontier; it proves
  nothing.
- **n/a**: it cannot be told from these trials. **needs**: nor can it without this control on the same tasks and seeds.
- The intervals of savings, cloud, cost and lift rest on simulation alone; that of the pass rate on a bound for which no
  counterexample is known.
"""


FIRST_TRY_NOTE = """\
- **first try**: the pass rate without the agent's further tries, before which it is shown the hidden tests' output; all
  other numbers are with them.
"""

_NEEDS = "needs "
_LEAST_P = 0.001

Sections = Iterable[tuple[str, Sequence[str]]]


def markdown(study: Study, manifest: Mapping[str, Any], sections: Sections = ()) -> str:
    """`decision_matrix.md`. `sections` (title, lines) go before the tables: what a reader looks for first."""
    lines = ["# Decision matrix", ""]
    if study.simulated:
        lines += [f"> **{SIMULATED_NOTICE}**", ""]
    lines += [f"- {name}: {value}" for name, value in surroundings(manifest)]
    lines += [f"- margin: {declared(study.margin)}, confidence {percent(study.confidence)}"]
    for title, said in sections:
        lines += ["", f"## {title}", "", *(f"- {text}" for text in said)]
    for title, group in by_scope(study):
        lines += ["", f"## {title}", "", solved_table(group, "github"), "", saved_table(group, "github")]
        lines += _said(group)
        swept = [curve for curve in study.curves if curve.key.scope == group[0].key.scope]
        lines += ["", *sweeps(swept)] if swept else []
    tried = any(line.cell.first_try is not None for line in study.lines)
    return "\n".join([*lines, "", "## How to read it", "", NOTES + (FIRST_TRY_NOTE if tried else "")])


def by_scope(study: Study) -> list[tuple[str, list[Assessment]]]:
    """The lines of each suite in order of their names, then of all suites together, with a title."""
    scopes = list(dict.fromkeys(line.key.scope for line in study.lines))
    return [(title_of(scope), [line for line in study.lines if line.key.scope == scope]) for scope in scopes]


def title_of(scope: str) -> str:
    """The title of a scope's tables."""
    return "All suites together" if scope == ALL_SUITES else f"Suite {scope}"


def surroundings(manifest: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a reader must know beside the numbers: run, models, agent, sandbox, prices."""
    models = ", ".join(f"{name}{_digest(info)}" for name, info in manifest.get("models", {}).items())
    return [
        ("run", str(manifest["run_id"])),
        ("models", models or "none was reached"),
        ("agent", str(manifest.get("agent") or "none was started")),
        *([("agent's sandbox", str(confined))] if (confined := manifest.get("agent_sandbox")) else []),
        ("sandbox", str(manifest.get("sandbox") or "none was used")),
        ("prices", str(manifest["prices"])),
        *_apart_from_plain(manifest),
    ]


def _apart_from_plain(manifest: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What makes these trials other than plain live ones that went through at the first attempt."""
    faults = manifest.get("options", {}).get("inject")
    said = [("faults injected", f"{faults}; not a clean measurement")] if faults else []
    names = {"answers": "answers", "earlier_attempts": "earlier attempts"}
    return said + [(name, str(manifest[key])) for key, name in names.items() if manifest.get(key)]


def solved_table(lines: Sequence[Assessment], style: str, *, narrow: bool = False) -> str:
    """The table that says whether the tasks are still solved, in one of tabulate's styles.

    `narrow` is for terminals: short headers, and no row bootstrap, which is for comparison only.
    """
    headers = ["strategy", "passed", "tasks", "pass rate", "95 % interval", "row bootstrap"]
    headers += ["against always-cloud", "95 % interval", "verdict"]
    rows = [_solved(line, name) for line, name in named(lines)]
    if narrow:
        headers = ["strategy", "passed", "tasks", "rate", "95 %", "against\ncloud", "95 %", "verdict"]
        rows = [_without(row, 5) for row in rows]
    if any(line.cell.first_try is not None for line in lines):
        at = headers.index("verdict")
        headers[at:at] = ["first\ntry", "95 %"] if narrow else ["first try", "95 % interval"]
        rows = [[*row[:at], *_first_try(line), *row[at:]] for line, row in zip(lines, rows, strict=True)]
    return _table(headers, rows, style, left=(0, len(headers) - 1))


def saved_table(lines: Sequence[Assessment], style: str, *, narrow: bool = False) -> str:
    """The table that says what is saved, and whether that is more than a coin would; `narrow` as above."""
    headers = ["strategy", "cost USD", "USD per solved", "savings", "95 % interval", "cloud tokens", "cloud"]
    headers += ["95 % interval", "lift", "95 % interval", "PGR", "frontier", "s/trial", "errors"]
    names = names_of(line.key for line in lines)
    rows = [_saved(line, names) for line in lines]
    if narrow:
        headers = ["strategy", "cost\nUSD", "USD per\nsolved", "savings", "95 %", "cloud", "lift", "95 %", "PGR"]
        headers += ["frontier", "s/trial", "errors"]
        rows = [[NONE if text.startswith(_NEEDS) else text for text in _without(row, 5, 7)] for row in rows]
    return _table(headers, rows, style, left=(0,))


def sweeps(curves: Sequence[Curve]) -> Iterator[str]:
    """The threshold sweeps of one scope: whether the threshold moves the pass rate, and the curve's area."""
    yield from ("Threshold sweeps:", "")
    names = names_of(curve.key for curve in curves)
    for curve in curves:
        yield f"- {names[curve.key]}: {_trend(curve)} {_apgr(curve)}"


def named(lines: Sequence[Assessment]) -> list[tuple[Assessment, str]]:
    """Each line with what it is called among these."""
    names = names_of(line.key for line in lines)
    return [(line, names[line.key]) for line in lines]


def _said(group: Sequence[Assessment]) -> list[str]:
    said = [f"- {text}" for line, name in named(group) if (text := sentence(line, name))]
    return ["", *said] if said else []


def _solved(line: Assessment, name: str) -> list[str]:
    cell, comparison = line.cell, line.comparison
    judged = f" ({cell.trials - cell.errors} judged)" if cell.errors else ""
    row = [name, f"{cell.passed} of {cell.trials}{judged}", str(cell.tasks), rate(cell.pass_rate)]
    row += [interval_text(cell.interval), interval_text(cell.row_bootstrap)]
    if line.key.strategy == ALWAYS_CLOUD:
        return [*row, "", "", "baseline"]
    if comparison is None:
        return [*row, NONE, NONE, needs(line, ALWAYS_CLOUD)]
    more = f", about {comparison.more_tasks} more tasks" if comparison.more_tasks else ""
    word = comparison.verdict.value + more + (" (simulated)" if cell.simulated else "")
    return [*row, rate(comparison.difference), interval_text(comparison.interval), word]


def _first_try(line: Assessment) -> list[str]:
    interval = line.cell.first_try_interval
    return [rate(line.cell.first_try), interval_text(interval) if interval else NONE]


def _saved(line: Assessment, names: Mapping[CellKey, str]) -> list[str]:
    cell = line.cell
    doubt = "+?" if cell.cloud.unknown_calls else ""
    costs = [usd(cost) + (doubt if cost is not None else "") for cost in (cell.cost, cell.cost_per_solved)]
    place = NONE if line.place is None else f"{line.place.status.value} ({percent(line.place.share)})"
    if line.place is not None and line.place.dominated_by is not None:
        place = f"dominated by {names[line.place.dominated_by]}"
    errors = str(cell.errors) + ("" if cell.comparable else ", not comparable")
    row = [names[line.key], *costs, *_savings(line), *_cloud(cell), *_coin(line)]
    return [*row, place, f"{cell.seconds:.1f}", errors]


def _savings(line: Assessment) -> list[str]:
    if line.key.strategy == ALWAYS_CLOUD:
        return ["", ""]
    if line.comparison is None:
        return [needs(line, ALWAYS_CLOUD), NONE]
    savings = line.comparison.savings
    why = BY_DESIGN if savings.note == BY_DESIGN else NONE
    return [percent(savings.value), percent_interval(savings.interval) if savings.interval else why]


def _cloud(cell: Cell) -> list[str]:
    unknown = "?" if cell.cloud.unknown_calls or cell.local.unknown_calls else ""
    fixed = cell.key.strategy in CONTROLS
    tokens = f"{cell.cloud.total:,}" + ("+?" if cell.cloud.unknown_calls else "")
    return [
        tokens,
        percent(cell.cloud_fraction) + unknown,
        BY_DESIGN if fixed else percent_interval(cell.cloud_interval),
    ]


def _coin(line: Assessment) -> list[str]:
    if line.is_control:
        return ["", "", ""]
    if line.lift is None or line.gap is None:
        return [needs(line), NONE, NONE]
    return [
        rate(line.lift.value),
        interval_text(line.lift.interval),
        rate(line.gap.value if line.gap.established else None),
    ]


def needs(line: Assessment, control: str = "") -> str:
    """`needs always-local`: what has to be run before anything can be said."""
    missing = [name for name in line.needs if control in ("", name)]
    return _NEEDS + " and ".join(missing) if missing else NONE


def _trend(curve: Curve) -> str:
    thresholds = [str(point.key.threshold).removesuffix(".0") for point in curve.points]
    over = f"from {thresholds[0]} to {thresholds[-1]} ({len(thresholds)} thresholds)"
    if curve.trend is None or curve.p_holm is None:
        return f"{over} the runs have no task and seed in common."
    change, interval = curve.trend.change, curve.trend.interval
    p = f"p = {curve.p_holm:.3f}" if curve.p_holm >= _LEAST_P else f"p < {_LEAST_P}"
    if curve.p_holm > 1.0 - interval.confidence:
        moved = f"{rate(change)} {interval_text(interval)}"
        return f"{over} it is not shown that the threshold moves the pass rate ({moved}, {p}, corrected)."
    if change < 0.0:
        less = Interval(-interval.high, -interval.low, interval.confidence)
        return (
            f"{over} a higher threshold lowers the pass rate by {rate(-change)} {interval_text(less)} ({p}, corrected)."
        )
    return (
        f"{over} a higher threshold raises the pass rate by {rate(change)} {interval_text(interval)} ({p}, corrected)."
    )


def _apgr(curve: Curve) -> str:
    if curve.apgr is not None:
        return f"APGR {rate(curve.apgr)} (a coin has .50)."
    missing = needs(curve.points[0])
    return f"APGR {missing}." if missing != NONE else "APGR n/a: the gap between the controls is not established."


def _digest(info: Mapping[str, Any]) -> str:
    return f" ({info['digest'][:20]})" if info.get("digest") else ""


def _table(headers: Sequence[str], rows: Sequence[Sequence[str]], style: str, left: Sequence[int]) -> str:
    alignment = ["left" if at in left else "right" for at in range(len(headers))]
    return tabulate(rows, headers=headers, tablefmt=style, disable_numparse=True, colalign=alignment)


def _without(row: Sequence[str], *places: int) -> list[str]:
    return [text for at, text in enumerate(row) if at not in places]
