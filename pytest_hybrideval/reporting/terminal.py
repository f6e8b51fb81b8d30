"""What a run shows on the terminal when it ends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pytest_hybrideval.reporting.gate import GateState
from pytest_hybrideval.reporting.matrix import SIMULATED_NOTICE, by_scope, named, saved_table, solved_table, sweeps
from pytest_hybrideval.reporting.report import Report, compared
from pytest_hybrideval.reporting.sentences import sentence

_COLOURS = {GateState.MET: "green", GateState.NOT_MET: "red", GateState.INCONCLUSIVE: "yellow"}


def summary(report: Report, directory: Path, problem: str) -> Iterator[tuple[str, str]]:
    """The lines with their markup ("section", a colour, "bold", or empty).

    Each scope's tables, what they mean, the comparison with an earlier run, the gate.
    """
    study = report.study
    yield "decision matrix", "section"
    if study.simulated:
        yield SIMULATED_NOTICE, "yellow"
    for title, group in by_scope(study):
        yield "", ""
        yield title, "bold"
        yield from _plain(solved_table(group, "simple", narrow=True))
        yield "", ""
        yield from _plain(saved_table(group, "simple", narrow=True))
    yield "", ""
    for line, name in named(study.overall):
        if said := sentence(line, name):
            yield said, ""
    curves = [curve for curve in study.curves if curve.key.scope == study.overall[0].key.scope]
    if curves:
        yield "", ""
        yield from ((line, "") for line in sweeps(curves) if line)
    yield from beside(report)
    yield "", ""
    yield f"{directory / 'decision_matrix.md'}", ""
    if problem:
        yield problem, "red"


def beside(report: Report) -> Iterator[tuple[str, str]]:
    """What was asked for beside the matrix: the comparison with an earlier run, and the gate."""
    if report.against is not None:
        yield f"against run {report.earlier_id}", "section"
        yield from ((line, "") for line in compared(report))
    if report.gate is not None:
        yield "gate", "section"
        yield from ((f"{finding.state.value}: {finding.why}", "") for finding in report.gate.findings)
        yield report.gate.sentence, _COLOURS[report.gate.state]


def _plain(table: str) -> Iterator[tuple[str, str]]:
    return ((line.rstrip(), "") for line in table.splitlines())
