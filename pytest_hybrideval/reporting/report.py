"""Everything that is worked out from a run's records, and its files: made when a run ends, and again later."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_hybrideval.analysis.against import Against, against
from pytest_hybrideval.analysis.assessment import Cost, comparisons
from pytest_hybrideval.analysis.cells import ALWAYS_CLOUD
from pytest_hybrideval.analysis.study import DEFAULT_MARGIN, Study, study
from pytest_hybrideval.core.records import TrialRecord
from pytest_hybrideval.reporting import aggregate, comparing, findings, matrix
from pytest_hybrideval.reporting.attempts import split_attempts
from pytest_hybrideval.reporting.gate import Comparisons, Condition, GateResult, judge
from pytest_hybrideval.reporting.numbers import usd
from pytest_hybrideval.reporting.run_directory import RunDirectory
from pytest_hybrideval.reporting.runs import Run

AGGREGATE, INTERVALS, MATRIX, FINDINGS = DERIVED = (
    "aggregate.json",
    "bootstrap_cis.json",
    "decision_matrix.md",
    "findings.md",
)


@dataclass(frozen=True)
class Declared:
    """What was declared before the run: margin and confidence, the gate's conditions, the run to compare with."""

    margin: float = DEFAULT_MARGIN
    confidence: float = 0.95
    conditions: tuple[Condition, ...] = ()
    earlier: Run | None = None


@dataclass(frozen=True)
class Report:
    """A run's study, beside an earlier run and before the gate, as far as these were asked for.

    `differences` are what the manifests of both runs differ in, of what matters. `simulated` says whether any trial of
    either was made with an embedded model.
    """

    study: Study
    manifest: Mapping[str, Any]
    earlier: Run | None = None
    against: Against | None = None
    differences: tuple[str, ...] = ()
    gate: GateResult | None = None
    simulated: bool = False

    @property
    def earlier_id(self) -> str:
        """The earlier run as users call it: its directory's name; empty where none was asked for."""
        return "" if self.earlier is None else _id(self.earlier)


def make_report(
    records: Sequence[TrialRecord],
    manifest: Mapping[str, Any],
    cost: Cost,
    declared: Declared,
    *,
    stopped: str = "",
) -> Report:
    """Work out everything. `cost` prices a record in USD; `stopped` says why the run did not come to its end, if so.

    Of a trial that was tried again the last attempt counts; what the others cost is told beside the tables.
    """
    margin, confidence, old = declared.margin, declared.confidence, declared.earlier
    records, superseded = split_attempts(records)
    earlier_records = split_attempts(old.records)[0] if old else []
    if superseded:
        spent = usd(sum(map(cost, superseded)))
        manifest = {**manifest, "earlier_attempts": f"{len(superseded)} ended in errors; they cost {spent} USD more"}
    if any(record.replayed_calls for record in records):
        manifest = {**manifest, "answers": _answers(records)}
    found = study(records, cost, margin, confidence)
    simulated = found.simulated or any(record.simulated for record in earlier_records)

    def beside(at: float) -> Comparisons:
        if old is not None:
            return against(records, earlier_records, cost, at, confidence).by_line
        return comparisons(records, cost, at, confidence)

    baseline = ALWAYS_CLOUD if old is None else f"run {_id(old)}"
    gate = judge(declared.conditions, found, beside, baseline=baseline, simulated=simulated, stopped=stopped)
    return Report(
        study=found,
        manifest=manifest,
        earlier=old,
        against=None if old is None else against(records, earlier_records, cost, margin, confidence),
        differences=() if old is None else tuple(comparing.differences(manifest, old.manifest)),
        gate=gate if declared.conditions else None,
        simulated=simulated,
    )


def _answers(records: Sequence[TrialRecord]) -> str:
    """How many trials were live, and how many were not."""
    replayed = sum(record.replayed for record in records)
    partly = sum(0 < record.replayed_calls < record.calls for record in records)
    mixed = f"{partly} partly replayed, " if partly else ""
    return f"{replayed} of {len(records)} trials replayed, {mixed}{len(records) - replayed - partly} live"


def write_report(report: Report, directory: RunDirectory) -> None:
    """Write what is derived from the records. Raises `OSError` where the disk does not take it."""
    run, manifest = report.study, report.manifest
    compared = None
    if report.against is not None:
        compared = aggregate.compared_json(report.against, report.earlier_id, report.differences)
    directory.write_json(AGGREGATE, aggregate.aggregate_json(run, manifest, compared, report.gate))
    directory.write_json(INTERVALS, aggregate.intervals_json(run, manifest))
    directory.write_text(MATRIX, matrix_markdown(report))
    directory.write_text(FINDINGS, findings.markdown(run.regrets, run.oracles, manifest))


def matrix_markdown(report: Report) -> str:
    """`decision_matrix.md`: the gate's verdict first, then the comparison with an earlier run, then the tables."""
    return matrix.markdown(report.study, report.manifest, sections=_sections(report))


def _sections(report: Report) -> Iterator[tuple[str, list[str]]]:
    """Title and lines of what was asked for beside the matrix."""
    if report.gate is not None:
        yield "Gate", [report.gate.sentence, *(f"{each.state.value}: {each.why}" for each in report.gate.findings)]
    if report.against is not None:
        yield f"Against run {report.earlier_id}", list(compared(report))


def compared(report: Report) -> Iterator[str]:
    """The comparison with the earlier run, a sentence a line; nothing where none was asked for."""
    if report.against is not None:
        yield from comparing.lines(report.against, report.earlier_id, report.differences, report.simulated)


def _id(run: Run) -> str:
    return run.path.resolve().name
