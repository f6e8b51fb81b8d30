"""The gate: conditions that a run must meet, judged on intervals, so that luck neither opens nor shuts it."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from pytest_hybrideval.analysis.assessment import Assessment
from pytest_hybrideval.analysis.cells import ALWAYS_CLOUD, CellKey
from pytest_hybrideval.analysis.comparison import Comparison
from pytest_hybrideval.analysis.study import Study
from pytest_hybrideval.analysis.verdict import Verdict
from pytest_hybrideval.core.errors import ConfigurationError
from pytest_hybrideval.reporting.gate_quantities import QUANTITIES
from pytest_hybrideval.reporting.numbers import beside_bound, names_of
from pytest_hybrideval.reporting.sentences import SIMULATED, solves

NON_INFERIOR = "non-inferior"
EXAMPLES = "non-inferior:0.05, pass_rate>=0.85, cloud_fraction<=0.6, savings>=0.2, errors<=0.02, lift>0"

_NAMED = 3
_PARTS = re.compile(r"(?P<name>[^<>=!:\s]*)\s*(?P<operator>[<>=!:]*)\s*(?P<bound>.*)", re.DOTALL)
_HOLDS: Mapping[str, Callable[[float, float], bool]] = {
    ">=": lambda value, bound: value >= bound,
    ">": lambda value, bound: value > bound,
    "<=": lambda value, bound: value <= bound,
    "<": lambda value, bound: value < bound,
}


class GateState(str, Enum):
    """Whether a condition holds; inconclusive where the data allow both answers."""

    MET = "met"
    NOT_MET = "not met"
    INCONCLUSIVE = "inconclusive"


_GRAVEST_FIRST = (GateState.NOT_MET, GateState.INCONCLUSIVE, GateState.MET)


@dataclass(frozen=True)
class Condition:
    """One parsed expression: `text` as the user wrote it. `quantity` is `NON_INFERIOR` for a margin in `bound`."""

    text: str
    quantity: str
    operator: str
    bound: float


@dataclass(frozen=True)
class Finding:
    """What became of one condition for one line of the matrix; `line` is empty where it is about the whole run."""

    condition: str
    line: str
    state: GateState
    why: str


@dataclass(frozen=True)
class GateResult:
    """All findings, and the state of the gate: met only where every condition is met for every strategy under test."""

    findings: tuple[Finding, ...]
    simulated: bool

    @property
    def state(self) -> GateState:
        """The gravest state of all findings."""
        states = {finding.state for finding in self.findings}
        return next((state for state in _GRAVEST_FIRST if state in states), GateState.MET)

    @property
    def sentence(self) -> str:
        """The verdict in a sentence: why the gate is not met, gravest first, or that it is."""
        unmet = [finding for finding in self.findings if finding.state is not GateState.MET]
        reasons = [finding.why for finding in sorted(unmet, key=lambda finding: _GRAVEST_FIRST.index(finding.state))]
        more = f"; and {len(reasons) - _NAMED} more" if len(reasons) > _NAMED else ""
        said = "; ".join(reasons[:_NAMED]) + more if reasons else "every condition holds"
        return f"Gate {self.state.value}: {said}." + (f" {SIMULATED}" if self.simulated else "")


Comparisons = Mapping[CellKey, Comparison]


def parse_condition(text: str) -> Condition:
    """Read an expression such as `pass_rate>=0.85`. Raises `ConfigurationError` that says what would be right."""
    found = _PARTS.fullmatch(text.strip())
    assert found is not None, "each part may be empty"
    name, operator, written = found["name"], found["operator"], found["bound"]
    known = (*QUANTITIES, NON_INFERIOR)
    if name not in known:
        close = difflib.get_close_matches(name.lower(), known, n=1)
        raise _wrong(text, f"is not understood; did you mean '{close[0]}'?" if close else "is not understood")
    if name == NON_INFERIOR and operator != ":":
        raise _wrong(text, f"has no margin; write {NON_INFERIOR}:MARGIN")
    if not operator and not written:
        raise _wrong(text, "has no bound; quote the expression, for the shell takes < and > to itself")
    if name != NON_INFERIOR and operator not in _HOLDS:
        raise _wrong(text, f"does not compare; use one of {', '.join(_HOLDS)}")
    return Condition(text.strip(), name, "" if operator == ":" else operator, _bound(text, name, written))


def judge(
    conditions: Sequence[Condition],
    study: Study,
    comparisons: Callable[[float], Comparisons],
    *,
    baseline: str = ALWAYS_CLOUD,
    simulated: bool = False,
    stopped: str = "",
) -> GateResult:
    """Judge every condition for every strategy under test (for the controls where nothing else ran).

    `comparisons` gives the comparisons at a margin by line, with `baseline`: always-cloud or an earlier run, which may
    be `simulated` where this one is not. `stopped` says why the run did not come to its end, empty if it did: what is
    not complete meets no condition.
    """
    lines = study.tested
    names = names_of(line.key for line in lines)
    findings = [_stopped(condition, stopped) for condition in conditions if stopped or not lines]
    for condition in conditions if lines and not stopped else ():
        if condition.quantity == NON_INFERIOR:
            beside = comparisons(condition.bound)
            findings += [_non_inferior(condition, line, names[line.key], beside, baseline) for line in lines]
        else:
            findings += [_bounded(condition, line, names[line.key]) for line in lines]
    return GateResult(tuple(findings), study.simulated or simulated)


def _stopped(condition: Condition, why: str) -> Finding:
    return Finding(condition.text, "", GateState.NOT_MET, f"{condition.text}: {why or 'no trial ran'}")


def _non_inferior(
    condition: Condition, line: Assessment, name: str, comparisons: Comparisons, baseline: str
) -> Finding:
    found, own = comparisons.get(line.key), baseline == ALWAYS_CLOUD
    if own and line.key.strategy == ALWAYS_CLOUD:
        state, why = GateState.MET, f"{name} is the baseline itself"
    elif found is None:
        state = GateState.INCONCLUSIVE
        why = (
            f"{name} needs {baseline} on the same tasks and seeds"
            if own
            else f"{name} has no counterpart in {baseline}"
        )
    else:
        state, why = _state(found), solves(found, baseline if own else f"that of {baseline}", name).rstrip(".")
    return Finding(condition.text, name, state, f"{condition.text}: {why}")


def _state(comparison: Comparison) -> GateState:
    alpha = (1.0 - comparison.interval.confidence) / 2.0
    if comparison.verdict is Verdict.NOT_COMPARABLE:
        return GateState.INCONCLUSIVE
    if comparison.p_holm <= alpha or comparison.verdict is Verdict.BETTER:
        return GateState.MET
    return GateState.NOT_MET if comparison.verdict is Verdict.INFERIOR else GateState.INCONCLUSIVE


def _bounded(condition: Condition, line: Assessment, name: str) -> Finding:
    def holds(value: float) -> bool:
        return _HOLDS[condition.operator](value, condition.bound)

    def shown(value: float) -> str:
        return beside_bound(value, condition.bound)

    read = QUANTITIES[condition.quantity].read(line)
    if read.value is None:
        return Finding(condition.text, name, GateState.INCONCLUSIVE, f"{condition.text}: {name} {read.why}")
    why = f"{condition.text}: {name} has {shown(read.value)}"
    if read.interval is None:
        why += f" ({read.why})" if read.why else ""
        return Finding(condition.text, name, GateState.MET if holds(read.value) else GateState.NOT_MET, why)
    low, high = read.interval.low, read.interval.high
    why += f" [{shown(low)}, {shown(high)}]"
    if condition.operator.startswith(">"):
        worst, best, worst_name, best_name, enough = low, high, "lower limit", "upper limit", "high enough"
    else:
        worst, best, worst_name, best_name, enough = high, low, "upper limit", "lower limit", "low enough"
    if holds(worst):
        return Finding(condition.text, name, GateState.MET, f"{why}, and even its {worst_name} is {enough}")
    if not holds(best):
        return Finding(condition.text, name, GateState.NOT_MET, f"{why}, and not even its {best_name} is {enough}")
    return Finding(condition.text, name, GateState.INCONCLUSIVE, f"{why}, and only its {best_name} is {enough}")


def _bound(text: str, name: str, written: str) -> float:
    try:
        value = float(written)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise _wrong(text, f"has '{written}' where a number should be; each condition is one expression")
    if name == NON_INFERIOR:
        if not 0.0 < value < 1.0:
            raise _wrong(text, "has a margin that is not between 0 and 1")
        return value
    least, most = QUANTITIES[name].least, QUANTITIES[name].most
    if not least <= value <= most:
        reach = f"is at most {most:g}" if math.isinf(least) else f"lies between {least:g} and {most:g}"
        raise _wrong(text, f"decides nothing: {name} {reach}, a share and no count or per cent")
    return value


def _wrong(text: str, what: str) -> ConfigurationError:
    return ConfigurationError(f"gate '{text.strip()}' {what} (for example: {EXAMPLES})")
