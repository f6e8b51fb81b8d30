"""What is worked out from a run's records, and the files that hold it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from studies import FAILED, PASSED, RUN, arm, benchmark, priced

from pytest_hybrideval.core.records import TrialRecord
from pytest_hybrideval.reporting.gate import GateState, parse_condition
from pytest_hybrideval.reporting.report import (
    DERIVED,
    Declared,
    Report,
    compared,
    make_report,
    matrix_markdown,
    write_report,
)
from pytest_hybrideval.reporting.run_directory import RunDirectory
from pytest_hybrideval.reporting.runs import Run
from pytest_hybrideval.reporting.sentences import SIMULATED
from pytest_hybrideval.reporting.terminal import summary

MANY = [PASSED] * 100


def report(
    records: list[TrialRecord],
    *gate: str,
    earlier: list[TrialRecord] | None = None,
    margin: float = 0.05,
    **more: Any,
) -> Report:
    old = None if earlier is None else Run(Path("results/main"), {**RUN, "run_id": "other"}, tuple(earlier))
    declared = Declared(margin, 0.95, tuple(map(parse_condition, gate)), old)
    return make_report(records, RUN, priced, declared, **more)


def test_every_file_is_written(tmp_path: Path) -> None:
    directory = RunDirectory(tmp_path / "run")
    write_report(report(benchmark(), "errors<=0.02", earlier=benchmark()), directory)
    names = {path.name for path in directory.path.iterdir()}
    assert names == set(DERIVED) == {"aggregate.json", "bootstrap_cis.json", "decision_matrix.md", "findings.md"}
    aggregate = json.loads((directory.path / "aggregate.json").read_text())
    assert aggregate["gate"]["state"] == "not met"
    assert aggregate["compared"]["run_id"] == "main"
    assert (directory.path / "findings.md").read_text().startswith("# Findings")


def test_a_file_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("no folder")
    with pytest.raises(OSError, match="run"):
        write_report(report(benchmark()), RunDirectory(tmp_path / "run"))


def test_injected_faults_and_replayed_trials_are_said_in_the_matrix() -> None:
    found = make_report(
        [
            *arm("always-cloud", [PASSED] * 2, replayed_calls=3),
            *arm("cascade", [PASSED], replayed_calls=1),
            *arm("heuristic", [PASSED]),
        ],
        {**RUN, "options": {"inject": "cloud:429=0.1"}},
        priced,
        Declared(0.05, 0.95, (), None),
    )
    text = matrix_markdown(found)
    assert "- faults injected: cloud:429=0.1; not a clean measurement" in text
    assert "- answers: 2 of 4 trials replayed, 1 partly replayed, 1 live" in text
    plain = matrix_markdown(report(benchmark()))
    assert "- answers" not in plain
    assert "faults" not in plain


def test_what_was_not_asked_for_is_not_there() -> None:
    found = report(benchmark())
    assert (found.gate, found.against, found.earlier_id, list(compared(found))) == (None, None, "", [])
    assert re.findall(r"^## (.*)$", matrix_markdown(found), re.MULTILINE)[0] == "Suite exercism"


def test_the_matrix_has_the_gate_first() -> None:
    text = matrix_markdown(report(benchmark(), "errors<=0.02", earlier=benchmark()))
    titles = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert titles == [
        "Gate",
        "Against run main",
        "Suite exercism",
        "Suite real_dev",
        "All suites together",
        "How to read it",
    ]
    said = text.partition("## Gate\n\n")[2].partition("\n\n")[0].splitlines()
    assert said[0] == "- Gate not met: errors<=0.02: cascade t=12.5 has .17 (1 of 6 trials)."
    assert said[1:] == [
        "- not met: errors<=0.02: cascade t=12.5 has .17 (1 of 6 trials)",
        "- met: errors<=0.02: cascade t=20 has .00 (0 of 6 trials)",
        "- met: errors<=0.02: heuristic t=25 has .00 (0 of 6 trials)",
    ]


def test_the_margin_holds_for_the_verdicts_and_a_condition_has_its_own() -> None:
    records = [*arm("always-cloud", MANY), *arm("heuristic", MANY)]
    found = report(records, "non-inferior:0.05", margin=0.01)
    (line,) = found.study.tested
    assert line.comparison is not None
    assert line.comparison.verdict.value == "inconclusive"
    assert found.gate is not None
    assert found.gate.state is GateState.MET


def test_a_run_that_was_stopped_is_shown_and_meets_no_gate() -> None:
    found = report(benchmark(), "errors<=1", stopped="the session was interrupted")
    assert found.gate is not None
    assert found.gate.sentence == "Gate not met: errors<=1: the session was interrupted."
    assert len(found.study.lines) == 15


@pytest.mark.parametrize(("new", "old"), [(False, True), (True, False), (True, True)])
def test_a_simulated_run_on_either_side_is_said(new: bool, old: bool) -> None:
    found = report(
        arm("heuristic", MANY, simulated=new), "non-inferior:0.05", earlier=arm("heuristic", MANY, simulated=old)
    )
    assert found.simulated
    assert all(line.endswith(SIMULATED) for line in compared(found) if not line.startswith("differs"))
    assert found.gate is not None
    assert found.gate.sentence == f"Gate met: every condition holds. {SIMULATED}"


def test_two_measurements_are_measurements() -> None:
    found = report(arm("heuristic", MANY), "non-inferior:0.05", earlier=arm("heuristic", MANY))
    assert not found.simulated
    assert SIMULATED not in matrix_markdown(found)


def test_the_earlier_run_is_called_by_its_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    here = Run(Path(), {**RUN, "run_id": "renamed"}, tuple(benchmark()))
    assert make_report(benchmark(), RUN, priced, Declared(earlier=here)).earlier_id == tmp_path.name


@pytest.mark.parametrize(
    ("expression", "state", "colour"),
    [("errors<=0", "met", "green"), ("pass_rate>=0.99", "inconclusive", "yellow"), ("errors>0", "not met", "red")],
)
def test_the_terminal_ends_with_comparison_and_gate(expression: str, state: str, colour: str) -> None:
    records = arm("heuristic", MANY)
    lines = list(summary(report(records, expression, earlier=arm("heuristic", [FAILED] * 100)), Path("r"), ""))
    sections = [line for line, markup in lines if markup == "section"]
    assert sections == ["decision matrix", "against run main", "gate"]
    texts = [line for line, _ in lines]
    at = texts.index("gate")
    assert texts[at - 1].startswith("heuristic solves more tasks than that of run main: 1.00 against .00 on 100 tasks.")
    assert texts[at + 1].startswith(f"{state}: {expression}: heuristic has ")
    assert lines[at + 2][0].startswith(f"Gate {state}: ")
    assert lines[at + 2][1] == colour
