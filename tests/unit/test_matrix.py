"""The decision matrix on paper and on the terminal: what it says, and what it must never leave out."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from builders import make_record
from syrupy.assertion import SnapshotAssertion

from pytest_hybrideval.analysis.cells import ALL_SUITES, Cell, cells
from pytest_hybrideval.analysis.intervals import Interval
from pytest_hybrideval.core.domain import Outcome, Tier
from pytest_hybrideval.core.records import Stages, TierTokens, TrialRecord
from pytest_hybrideval.reporting.matrix import (
    SIMULATED_NOTICE,
    aggregate_json,
    interval_text,
    intervals_json,
    markdown,
    table,
)
from pytest_hybrideval.reporting.terminal import summary

RUN = {
    "run_id": "20261120-120000-abcd",
    "agent": "aider 0.86.2 architect",
    "sandbox": "bubblewrap (no network)",
    "prices": "pricing.yaml as of 2026-11-01 (sha256 0123456789ab)",
    "models": {
        "ollama/gemma4:31b": {"digest": "sha256:0123456789abcdef0123456789abcdef"},
        "openai/gpt-5.5": {"digest": None},
    },
}
LOCAL_ONLY = {Tier.LOCAL: TierTokens(calls=3, prompt=9000, completion=3000)}


def priced(record: TrialRecord) -> float:
    return record.tier_tokens(Tier.CLOUD).total / 100_000


def lines_of(text: str) -> list[list[str]]:
    """The rows of a Markdown table, cells stripped."""
    return [[part.strip() for part in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]


def row(cells_: Sequence[Cell]) -> dict[str, str]:
    """The first row of a table by column."""
    header, _, first, *_ = lines_of(table(cells_, "github"))
    return dict(zip(header, first, strict=True))


def outcomes(*found: Outcome, **changes: Any) -> list[TrialRecord]:
    return [make_record(task=f"samples/{number}", outcome=outcome, **changes) for number, outcome in enumerate(found)]


PASSED, FAILED, ERROR = Outcome.PASSED, Outcome.FAILED, Outcome.ERROR


def benchmark() -> list[TrialRecord]:
    """Two suites, two seeds, four strategies, a few failures and an error."""
    records = []
    for strategy, threshold, tokens in (
        ("always-cloud", None, {Tier.CLOUD: TierTokens(calls=3, prompt=9000, completion=3000)}),
        ("always-local", None, LOCAL_ONLY),
        ("heuristic", 25.0, make_record().tokens),
        ("cascade", 12.5, make_record().tokens),
    ):
        for task in ("exercism/grep", "exercism/list-ops", "real_dev/rate-limit"):
            for seed in (7, 42):
                hard = strategy == "always-local" and task == "exercism/grep"
                lost = strategy == "cascade" and task == "real_dev/rate-limit" and seed == 7
                records.append(
                    make_record(
                        task=task,
                        seed=seed,
                        strategy=strategy,
                        threshold=threshold,
                        tokens=tokens,
                        outcome=ERROR if lost else FAILED if hard else PASSED,
                        stages=Stages(total=20.0 + seed),
                    )
                )
    return records


def test_a_whole_matrix(snapshot: SnapshotAssertion) -> None:
    assert markdown(cells(benchmark(), priced), RUN) == snapshot


def test_one_simulated_record_puts_the_notice_above_every_number() -> None:
    records = [*benchmark(), make_record(seed=99, simulated=True)]
    text = markdown(cells(records, priced), RUN)
    assert text.index(SIMULATED_NOTICE) < text.index("| strategy")
    shown = [line for line, _ in summary(cells(records, priced), Path("results/x"), "")]
    assert shown.index(SIMULATED_NOTICE) < next(at for at, line in enumerate(shown) if line.startswith("strategy"))


def test_a_measurement_bears_no_notice() -> None:
    found = cells(benchmark(), priced)
    assert SIMULATED_NOTICE not in markdown(found, RUN)
    assert SIMULATED_NOTICE not in [line for line, _ in summary(found, Path("results/x"), "")]


def test_every_cell_of_the_json_says_whether_it_is_simulated() -> None:
    records = [make_record(), make_record(strategy="cascade", simulated=True)]
    found = aggregate_json(cells(records, priced), RUN)["cells"]
    assert {cell["strategy"]: cell["simulated"] for cell in found} == {"cascade": True, "heuristic": False}


@pytest.mark.parametrize(("errors", "text"), [(0, "0"), (1, "1"), (2, "2, not comparable")])
def test_too_many_errors_are_marked(errors: int, text: str) -> None:
    found = cells(outcomes(*[ERROR] * errors, *[PASSED] * (20 - errors)), priced)
    assert row(found)["errors"] == text


def test_what_nothing_is_known_of_is_not_available() -> None:
    shown = row(cells(outcomes(ERROR, ERROR, tokens={}), priced))
    assert shown["row bootstrap"] == "n/a"
    assert shown["cloud fraction"] == "n/a"
    assert shown["pass rate"] == "0.00"
    assert shown["95 % interval"] == "[.00, 1.00]"


def test_tokens_that_a_cloud_model_did_not_tell_are_marked() -> None:
    tokens = {Tier.CLOUD: TierTokens(calls=2, prompt=5000, completion=1000, unknown_calls=1)}
    shown = row(cells(outcomes(PASSED, tokens=tokens), priced))
    assert shown["cloud tokens"] == "6,000+?"
    assert shown["cost USD"] == "0.0600+?"


@pytest.mark.parametrize("tier", list(Tier))
def test_a_fraction_of_tokens_that_are_not_all_known_is_marked(tier: Tier) -> None:
    tokens = {which: TierTokens(1, 5000, 1000, unknown_calls=int(which is tier)) for which in Tier}
    assert "?" in row(cells(outcomes(PASSED, tokens=tokens), priced))["cloud fraction"]


def test_all_known_tokens_bear_no_mark() -> None:
    assert "?" not in "".join(row(cells(outcomes(PASSED), priced)).values())


def test_a_threshold_stands_beside_its_strategy() -> None:
    found = cells([make_record(threshold=value) for value in (None, 5.0, 12.5)], priced)
    names = [line[0] for line in lines_of(table(found, "github"))[2:]]
    assert names == ["heuristic", "heuristic t=5", "heuristic t=12.5"]


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("local_model", ["ollama/gemma4:31b", "ollama/qwen3-coder:30b"]),
        ("cloud_model", ["openai/gpt-5.5", "openrouter/gpt-5.5"]),
        ("agent", ["aider 0.86.2 architect", "aider 0.86.2 whole"]),
        ("threshold", [5.0, 5.0000001]),
    ],
)
def test_lines_that_are_not_pooled_can_be_told_apart(field: str, values: list[Any]) -> None:
    found = cells([make_record(**{field: value}) for value in values], priced)
    names = [line[0] for line in lines_of(table(found, "github"))[2:]]
    assert len(set(names)) == 2


def test_models_are_not_repeated_where_there_is_one_pair() -> None:
    assert row(cells([make_record()], priced))["strategy"] == "heuristic t=25"


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (0.0, 1.0, "[.00, 1.00]"),
        (0.88, 0.994, "[.88, .99]"),
        (0.1, 0.9, "[.10, .90]"),
        (0.5698, 0.99895, "[.57, 1.00]"),
        (0.995, 0.996, "[.99, 1.00]"),
    ],
)
def test_an_interval_is_written_without_leading_zeros(low: float, high: float, text: str) -> None:
    assert interval_text(Interval(low, high, 0.95)) == text


def test_no_interval_is_not_available() -> None:
    assert interval_text(None) == "n/a"


def test_suites_stand_before_all_of_them_together() -> None:
    titles = re.findall(r"^## (.*)$", markdown(cells(benchmark(), priced), RUN), re.MULTILINE)
    assert titles == ["Suite exercism", "Suite real_dev", "All suites together", "How to read it"]


def test_a_run_that_reached_nothing_says_so() -> None:
    text = markdown(cells(outcomes(ERROR), priced), {"run_id": "x", "prices": "p"})
    for line in ("- models: none was reached", "- agent: none was started", "- sandbox: none was used"):
        assert line in text


def test_both_json_files_hold_numbers_of_every_cell() -> None:
    found = cells(benchmark(), priced)
    aggregate = json.loads(json.dumps(aggregate_json(found, RUN), allow_nan=False))
    intervals = json.loads(json.dumps(intervals_json(found, RUN), allow_nan=False))
    assert aggregate["schema_version"] == intervals["schema_version"] == 1
    assert aggregate["run_id"] == intervals["run_id"] == RUN["run_id"]
    assert len(aggregate["cells"]) == len(intervals["cells"]) == len(found) == 12
    first = intervals["cells"][0]
    assert (first["scope"], first["strategy"], first["threshold"]) == ("exercism", "always-cloud", None)
    for method in ("dirichlet_unseen_task", "these_tasks_clopper_pearson", "row_percentile_bootstrap"):
        assert first[method]["low"] <= first["pass_rate"] <= first[method]["high"]
    lost = [cell for cell in aggregate["cells"] if not cell["comparable"]]
    assert {(cell["scope"], cell["strategy"]) for cell in lost} == {("real_dev", "cascade"), (ALL_SUITES, "cascade")}
    assert aggregate["cells"][0]["cost_usd"] == pytest.approx(4 * 0.12)


def test_a_row_bootstrap_of_errors_alone_is_null() -> None:
    found = intervals_json(cells(outcomes(ERROR), priced), RUN)["cells"][0]
    assert found["row_percentile_bootstrap"] is None


def test_the_terminal_shows_the_same_rows_and_where_the_files_are() -> None:
    found = cells(benchmark(), priced)
    shown = list(summary(found, Path("results/x"), ""))
    assert shown[0] == ("decision matrix", "section")
    assert [line for line, markup in shown if markup == "bold"] == [
        "Suite exercism",
        "Suite real_dev",
        "All suites together",
    ]
    assert (str(Path("results/x/decision_matrix.md")), "") == shown[-1]
    text = "\n".join(line for line, _ in shown)
    assert text.count("always-local") == 3
    assert "not comparable" in text


def test_a_problem_with_the_files_is_shown_in_red() -> None:
    problem = "3 lines could not be written to results/x: No space left on device"
    assert list(summary(cells([make_record()], priced), Path("results/x"), problem))[-1] == (problem, "red")
