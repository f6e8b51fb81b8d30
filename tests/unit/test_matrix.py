"""The decision matrix on paper and on the terminal: what it says, and what it must never leave out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from builders import make_record
from studies import (
    CLOUD_ONLY,
    ERROR,
    FAILED,
    LOCAL_ONLY,
    PASSED,
    RUN,
    arm,
    benchmark,
    priced,
    studied,
)
from syrupy.assertion import SnapshotAssertion

from pytest_hybrideval.core.domain import Tier
from pytest_hybrideval.core.records import TierTokens, TrialRecord
from pytest_hybrideval.reporting.matrix import SIMULATED_NOTICE, markdown, saved_table, solved_table
from pytest_hybrideval.reporting.report import Declared, Report, make_report
from pytest_hybrideval.reporting.terminal import summary

EIGHT = [PASSED] * 8


def rows(table: str) -> list[dict[str, str]]:
    """The lines of a Markdown table by column; of columns with one name the last stands as `NAME 2`."""
    header, _, *lines = ([part.strip() for part in line.strip("|").split("|")] for line in table.splitlines())
    names = [f"{name} {1 + header[:at].count(name)}" if name in header[:at] else name for at, name in enumerate(header)]
    return [dict(zip(names, line, strict=True)) for line in lines]


def solved(records: Iterable[TrialRecord]) -> list[dict[str, str]]:
    return rows(solved_table(studied(records).overall, "github"))


def saved(records: Iterable[TrialRecord]) -> list[dict[str, str]]:
    return rows(saved_table(studied(records).overall, "github"))


def reported(records: Iterable[TrialRecord]) -> Report:
    return make_report(list(records), RUN, priced, Declared())


def shown(records: Iterable[TrialRecord], problem: str = "") -> list[tuple[str, str]]:
    """The terminal's lines with their markup."""
    return list(summary(reported(records), Path("results/x"), problem))


def swept(low: Any, high: Any, *controls: TrialRecord) -> str:
    """What is said of a sweep with these outcomes at its two thresholds."""
    records = [*arm("cascade", low, threshold=5.0), *arm("cascade", high, threshold=25.0), *controls]
    text = markdown(studied(records), RUN)
    return next(line for line in text.splitlines() if line.startswith("- cascade: "))


def test_a_whole_matrix(snapshot: SnapshotAssertion) -> None:
    sections = [("Gate", ["Gate met: every condition holds."]), ("Against run old", ["differs: agent"])]
    assert markdown(studied(benchmark()), RUN, sections) == snapshot


def test_a_whole_terminal(snapshot: SnapshotAssertion) -> None:
    assert "\n".join(f"{markup:8}{line}".rstrip() for line, markup in shown(benchmark())) == snapshot


class TestSimulated:
    """Numbers of embedded models are never taken for a measurement."""

    def test_one_record_puts_the_notice_above_every_number(self) -> None:
        records = [*benchmark(), make_record(seed=99, simulated=True)]
        text = markdown(studied(records), RUN, [("Gate", ["Gate met"])])
        assert text.index(SIMULATED_NOTICE) < text.index("## Gate") < text.index("| strategy")
        lines = [line for line, _ in shown(records)]
        assert lines.index(SIMULATED_NOTICE) < next(at for at, line in enumerate(lines) if line.startswith("strategy"))

    def test_a_verdict_says_so_in_its_own_cell(self) -> None:
        records = [*arm("always-cloud", EIGHT), *arm("heuristic", EIGHT, simulated=True)]
        cloud, router = solved(records)
        assert cloud["verdict"] == "baseline"
        assert router["verdict"].endswith(" (simulated)")

    def test_a_measurement_bears_no_notice(self) -> None:
        assert "imulated" not in markdown(studied(benchmark()), RUN).replace("rest on simulation", "")
        assert "imulated" not in "\n".join(line for line, _ in shown(benchmark()))


class TestErrors:
    """Trials that ended in errors are counted and seen."""

    @pytest.mark.parametrize(
        ("errors", "passed", "text"),
        [(0, "20 of 20", "0"), (1, "19 of 20 (19 judged)", "1"), (2, "18 of 20 (18 judged)", "2, not comparable")],
    )
    def test_they_are_marked(self, errors: int, passed: str, text: str) -> None:
        records = arm("heuristic", [ERROR] * errors + [PASSED] * (20 - errors))
        assert solved(records)[0]["passed"] == passed
        assert saved(records)[0]["errors"] == text

    def test_too_many_leave_no_verdict(self) -> None:
        records = [*arm("always-cloud", EIGHT), *arm("heuristic", [ERROR, *EIGHT[1:]])]
        assert solved(records)[1]["verdict"] == "not comparable"

    def test_what_nothing_is_known_of_is_not_available(self) -> None:
        records = arm("heuristic", [ERROR, ERROR], tokens={})
        row = solved(records)[0] | saved(records)[0]
        for name in ("row bootstrap", "cloud", "USD per solved"):
            assert row[name] == "n/a", name
        assert solved(records)[0]["pass rate"] == ".00"
        assert solved(records)[0]["95 % interval"] == "[.00, 1.00]"


class TestUnknownTokens:
    """What a model did not say is not shown as if it were known."""

    def test_what_the_cloud_did_not_tell_is_marked(self) -> None:
        tokens = {Tier.CLOUD: TierTokens(calls=2, prompt=5000, completion=1000, unknown_calls=1)}
        row = saved(arm("heuristic", [PASSED], tokens=tokens))[0]
        assert row["cloud tokens"] == "6,000+?"
        assert row["cost USD"] == "0.0600+?"
        assert row["USD per solved"] == "0.0600+?"

    def test_no_cost_per_solved_trial_is_no_more_than_that(self) -> None:
        tokens = {Tier.CLOUD: TierTokens(calls=2, prompt=5000, completion=1000, unknown_calls=1)}
        assert saved(arm("heuristic", [FAILED], tokens=tokens))[0]["USD per solved"] == "n/a"

    @pytest.mark.parametrize("tier", list(Tier))
    def test_a_fraction_of_them_is_marked(self, tier: Tier) -> None:
        tokens = {which: TierTokens(1, 5000, 1000, unknown_calls=int(which is tier)) for which in Tier}
        assert saved(arm("heuristic", [PASSED], tokens=tokens))[0]["cloud"] == "50 %?"

    def test_all_known_tokens_bear_no_mark(self) -> None:
        assert "?" not in saved_table(studied(benchmark()).overall, "github")


class TestNames:
    """Lines that are not pooled can be told apart."""

    def test_a_threshold_stands_beside_its_strategy(self) -> None:
        records = [make_record(threshold=value) for value in (None, 5.0, 12.5)]
        assert [row["strategy"] for row in solved(records)] == ["heuristic", "heuristic t=5", "heuristic t=12.5"]

    @pytest.mark.parametrize(
        ("field", "values"),
        [
            ("local_model", ["ollama/gemma4:31b", "ollama/qwen3-coder:30b"]),
            ("cloud_model", ["openai/gpt-5.5", "openrouter/gpt-5.5"]),
            ("agent", ["aider 0.86.2 architect", "aider 0.86.2 whole"]),
            ("threshold", [5.0, 5.0000001]),
        ],
    )
    def test_in_tables_and_sentences(self, field: str, values: list[Any]) -> None:
        records = [
            record
            for value in values
            for strategy in ("always-cloud", "heuristic")
            for record in arm(strategy, EIGHT, **{"threshold": 5.0, field: value})
        ]
        for table in (solved(records), saved(records)):
            assert len({row["strategy"] for row in table}) == 4
        said = [line for line in markdown(studied(records), RUN).splitlines() if line.startswith("- Undecided")]
        names = set(re.findall("whether (.*) can stand in", "\n".join(said)))
        assert len(names) >= 2
        assert {line for line, _ in shown(records) if line.startswith("Undecided")} == {line[2:] for line in said}

    def test_models_are_not_repeated_where_there_is_one_pair(self) -> None:
        assert solved([make_record()])[0]["strategy"] == "heuristic t=25"


class TestControls:
    """What depends on a control that did not run names it."""

    def test_without_any(self) -> None:
        records = arm("heuristic", EIGHT)
        assert solved(records)[0]["verdict"] == "needs always-cloud"
        row = saved(records)[0]
        assert (row["savings"], row["lift"]) == ("needs always-cloud", "needs always-cloud and always-local")
        assert (row["PGR"], row["frontier"]) == ("n/a", "n/a")

    def test_a_terminal_says_it_once(self) -> None:
        lines = [line for line, _ in shown(arm("heuristic", EIGHT))]
        assert sum("needs always" in line for line in lines) == 1
        assert "heuristic has nothing to be measured by: run always-cloud and always-local" in "\n".join(lines)
        assert max(map(len, lines)) < 130

    def test_with_one(self) -> None:
        records = [*arm("always-cloud", EIGHT), *arm("heuristic", EIGHT)]
        assert saved(records)[1]["savings"] == "50 %"
        assert saved(records)[1]["lift"] == "needs always-local"

    def test_with_both(self) -> None:
        records = [*arm("always-cloud", EIGHT), *arm("always-local", [FAILED] * 8), *arm("heuristic", EIGHT)]
        cloud, local, router = saved(records)
        assert (cloud["cloud"], cloud["95 % interval 2"]) == ("100 %", "by design")
        assert (local["savings"], local["95 % interval"]) == ("100 %", "by design")
        assert (cloud["lift"], local["lift"], cloud["PGR"]) == ("", "", "")
        assert (router["lift"], router["PGR"]) == (".50", "1.00")
        assert local["frontier"] == "on the frontier (100 %)"

    def test_who_dominates_is_named_as_in_its_own_line(self) -> None:
        many = [PASSED] * 100
        cheap: dict[str, Any] = {"local_model": "ollama/tiny", "tokens": LOCAL_ONLY}
        records = [*arm("always-cloud", many), *arm("heuristic", many, tokens=CLOUD_ONLY)]
        records += arm("heuristic", many, **cheap)
        found = {row["strategy"]: row["frontier"] for row in saved(records)}
        dominated = "dominated by heuristic (ollama/tiny + openai/gpt-5.5)"
        assert found["heuristic (ollama/gemma4:31b + openai/gpt-5.5)"] == dominated


class TestSweeps:
    """What a threshold does is said in a sentence that means what its numbers say."""

    def test_nothing_is_shown(self) -> None:
        assert swept(EIGHT, EIGHT).startswith(
            "- cascade: from 5 to 25 (2 thresholds) it is not shown that the threshold moves the pass rate (.00 [-"
        )

    def test_it_lowers_the_pass_rate_by_so_much(self) -> None:
        text = swept(EIGHT * 3, [FAILED] * 24)
        assert " a higher threshold lowers the pass rate by 1.00 [.7" in text
        assert text.count("p < 0.001, corrected") == 1

    def test_it_raises_the_pass_rate(self) -> None:
        assert " a higher threshold raises the pass rate by 1.00 [.7" in swept([FAILED] * 24, EIGHT * 3)

    def test_its_area_needs_both_controls(self) -> None:
        assert swept(EIGHT, EIGHT).endswith("APGR needs always-cloud and always-local.")
        controls = [*arm("always-cloud", EIGHT), *arm("always-local", [FAILED] * 8)]
        assert re.search(r"APGR \.\d\d \(a coin has \.50\)\.$", swept(EIGHT, EIGHT, *controls))
        controls = [*arm("always-cloud", EIGHT), *arm("always-local", EIGHT)]
        assert swept(EIGHT, EIGHT, *controls).endswith("APGR n/a: the gap between the controls is not established.")

    def test_tasks_that_the_thresholds_do_not_share(self) -> None:
        records = [*arm("cascade", EIGHT, "one", threshold=5.0), *arm("cascade", EIGHT, "two", threshold=25.0)]
        assert "the runs have no task and seed in common." in markdown(studied(records), RUN)


def test_suites_stand_before_all_of_them_together() -> None:
    text = markdown(studied(benchmark()), RUN, [("Gate", ["Gate met"])])
    titles = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert titles == ["Gate", "Suite exercism", "Suite real_dev", "All suites together", "How to read it"]


def test_a_run_that_reached_nothing_says_so() -> None:
    text = markdown(studied(arm("heuristic", [ERROR])), {"run_id": "x", "prices": "p"})
    for line in ("- models: none was reached", "- agent: none was started", "- sandbox: none was used"):
        assert line in text


def test_a_margin_is_shown_as_it_was_declared() -> None:
    assert "- margin: .025, confidence 95 %" in markdown(studied(benchmark(), margin=0.025), RUN)


def test_the_terminal_shows_the_same_rows_and_where_the_files_are() -> None:
    lines = shown(benchmark())
    assert lines[0] == ("decision matrix", "section")
    assert [line for line, markup in lines if markup == "bold"] == [
        "Suite exercism",
        "Suite real_dev",
        "All suites together",
    ]
    assert (str(Path("results/x/decision_matrix.md")), "") == lines[-1]
    text = "\n".join(line for line, _ in lines)
    assert text.count("\nalways-local ") == 6, "two tables for each scope"
    assert "not comparable" in text


def test_a_problem_with_the_files_is_shown_in_red() -> None:
    problem = "3 lines could not be written to results/x: No space left on device"
    assert shown([make_record()], problem)[-1] == (problem, "red")
