"""Why a router lost, on paper: what is said, what is named, and what must never be left blank."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import pytest
from builders import make_record
from syrupy.assertion import SnapshotAssertion

from pytest_hybrideval.analysis.cells import ALWAYS_CLOUD, ALWAYS_LOCAL
from pytest_hybrideval.analysis.oracle import oracles
from pytest_hybrideval.analysis.regret import regrets
from pytest_hybrideval.core.domain import ErrorKind, FailureMode, Outcome, Tier
from pytest_hybrideval.core.records import TierTokens, TrialRecord
from pytest_hybrideval.reporting.findings import NAMED_TRIALS, markdown, regret_json
from pytest_hybrideval.reporting.matrix import SIMULATED_NOTICE

RUN = {
    "run_id": "20261120-120000-abcd",
    "agent": "aider 0.86.2 architect",
    "sandbox": "bubblewrap (no network)",
    "prices": "pricing.yaml as of 2026-11-01 (sha256 0123456789ab)",
    "models": {"ollama/gemma4:31b": {"digest": None}, "openai/gpt-5.5": {"digest": None}},
}
PASSED, FAILED, ERROR = Outcome.PASSED, Outcome.FAILED, Outcome.ERROR
CONTROLS = (ALWAYS_CLOUD, ALWAYS_LOCAL)
TOKENS = {ALWAYS_CLOUD: {Tier.CLOUD: TierTokens(3, 9000, 3000)}, ALWAYS_LOCAL: {Tier.LOCAL: TierTokens(3, 9000, 3000)}}


def usd(record: TrialRecord) -> float:
    return record.tier_tokens(Tier.CLOUD).total / 100_000


def trial(task: str, strategy: str, outcome: Outcome, seed: int = 42, **changes: Any) -> TrialRecord:
    """A record; failed ones failed their tests, errors are the backend's."""
    threshold = changes.pop("threshold", None if strategy in CONTROLS else 25.0)
    defaults = {
        "tokens": TOKENS.get(strategy, make_record().tokens),
        "failure_mode": FailureMode.TESTS_FAILED if outcome is FAILED else None,
        "error_kind": ErrorKind.BACKEND if outcome is ERROR else None,
        "detail": "" if outcome is PASSED else "1 of 3 tests did not pass: test_slug.py::test_blanks",
        "trial": f"{task}[{strategy}-s{seed}]",
    }
    return make_record(
        task=task, strategy=strategy, threshold=threshold, outcome=outcome, seed=seed, **{**defaults, **changes}
    )


def controls(task: str, cloud: Outcome, local: Outcome, seed: int = 42) -> list[TrialRecord]:
    return [trial(task, ALWAYS_CLOUD, cloud, seed), trial(task, ALWAYS_LOCAL, local, seed)]


def benchmark() -> list[TrialRecord]:
    """Two suites, two routers, every kind of regret, an error, and a control that ended in an error."""
    free = {Tier.LOCAL: TierTokens(3, 9000, 3000)}
    return [
        *controls("exercism/grep", PASSED, FAILED),
        *controls("exercism/grep", FAILED, FAILED, seed=7),
        *controls("exercism/list-ops", FAILED, PASSED),
        *controls("exercism/list-ops", FAILED, ERROR, seed=7),
        *controls("real_dev/rate-limit", PASSED, PASSED),
        trial("exercism/grep", "heuristic", FAILED, tokens=free, failure_mode=FailureMode.NO_EDIT, detail="no change"),
        trial("exercism/grep", "heuristic", PASSED, seed=7),
        trial("exercism/list-ops", "heuristic", FAILED),
        trial("exercism/list-ops", "heuristic", FAILED, seed=7),
        trial("real_dev/rate-limit", "heuristic", PASSED),
        trial("exercism/grep", "cascade", PASSED, threshold=12.5),
        trial("exercism/grep", "cascade", FAILED, seed=7, threshold=12.5),
        trial("exercism/list-ops", "cascade", ERROR, threshold=12.5),
        trial("real_dev/rate-limit", "cascade", PASSED, tokens=free, threshold=12.5),
    ]


def findings(records: Sequence[TrialRecord]) -> str:
    return markdown(regrets(records, usd), oracles(records, usd), RUN)


def tables(text: str) -> list[list[dict[str, str]]]:
    """Every Markdown table as rows by column. A pipe that is escaped does not end a cell."""
    found = []
    for block in re.findall(r"(?:^\|.*\n?)+", text, re.MULTILINE):
        header, _, *rows = [
            [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in block.splitlines()
        ]
        found.append([dict(zip(header, row, strict=True)) for row in rows])
    return found


def table_with(text: str, column: str) -> list[dict[str, str]]:
    """The first table that has this column."""
    return next(rows for rows in tables(text) if column in rows[0])


def test_whole_findings(snapshot: SnapshotAssertion) -> None:
    assert findings(benchmark()) == snapshot


def test_one_simulated_record_puts_the_notice_above_every_number() -> None:
    text = findings([*benchmark(), trial("real_dev/rate-limit", ALWAYS_LOCAL, PASSED, seed=9, simulated=True)])
    assert text.index(SIMULATED_NOTICE) < text.index("| strategy")
    assert SIMULATED_NOTICE not in findings(benchmark())


def test_each_kind_is_counted_with_its_usd() -> None:
    lines = {line["strategy"]: line for line in table_with(findings(benchmark()), "under-routed")}
    assert lines["heuristic t=25"] == {
        "strategy": "heuristic t=25",
        "trials": "4",
        "under-routed": "1 (0.0000)",
        "over-routed": "1 (0.0600)",
        "unsolved": "0",
        "lucky": "1 (0.0600)",
        "no regret": "0",
        "not judged": "1",
        "errors": "0",
    }
    assert lines["cascade t=12.5"]["unsolved"] == "1 (0.0600)"
    assert (lines["cascade t=12.5"]["no regret"], lines["cascade t=12.5"]["errors"]) == ("1", "1")


def test_a_trial_is_named_with_its_cause_and_what_the_controls_did() -> None:
    text = findings(benchmark())
    named = {line["trial"]: line for rows in tables(text) if "outcome" in rows[0] for line in rows}
    assert named["`exercism/grep[heuristic-s42]`"] == {
        "trial": "`exercism/grep[heuristic-s42]`",
        "kind": "under-routed",
        "USD": "0.0000",
        "cloud calls": "0 of 3",
        "outcome": "no edit: no change",
        "always-cloud (USD)": "passed (0.1200)",
        "always-local (USD)": "failed (0.0000)",
    }
    assert named["`real_dev/rate-limit[heuristic-s42]`"]["outcome"] == "passed"


def test_a_strategy_without_regrets_has_no_list_of_trials() -> None:
    titles = re.findall(r"^### (.*): the trials$", findings(benchmark()), re.MULTILINE)
    assert titles == ["cascade t=12.5", "heuristic t=25", "heuristic t=25"]  # cascade has none in real_dev


def test_trials_are_named_once_in_their_suites() -> None:
    text = findings(benchmark())
    assert text.count("exercism/grep[heuristic-s42]") == 1
    assert (
        text.index("## Suite exercism") < text.index("exercism/grep[heuristic-s42]") < text.index("## Suite real_dev")
    )


def under_routed(number: int, **changes: Any) -> list[TrialRecord]:
    """As many trials of the heuristic, each of its own price, that always-cloud would have solved."""
    return [
        entry
        for at in range(number)
        for entry in (
            *controls(f"samples/{at:02}", PASSED, FAILED),
            trial(
                f"samples/{at:02}", "heuristic", FAILED, tokens={Tier.CLOUD: TierTokens(1, 1000 * (at + 1))}, **changes
            ),
        )
    ]


def test_the_most_costly_stand_first_and_the_rest_is_counted() -> None:
    text = findings(under_routed(NAMED_TRIALS + 3))
    named = table_with(text, "outcome")
    assert len(named) == NAMED_TRIALS
    assert [line["USD"] for line in named][:2] == ["0.2300", "0.2200"]
    assert "And 3 more" in text
    assert "more, each less costly" not in findings(under_routed(NAMED_TRIALS))


def test_many_costly_trials_of_one_kind_do_not_hide_another_kind() -> None:
    free = {Tier.LOCAL: TierTokens(3, 9000, 3000)}
    records = [*under_routed(NAMED_TRIALS + 3), *controls("samples/x", FAILED, FAILED)]
    named = table_with(findings([*records, trial("samples/x", "heuristic", FAILED, tokens=free)]), "outcome")
    assert len(named) == NAMED_TRIALS
    assert (named[-1]["kind"], named[-1]["USD"]) == ("unsolved", "0.0000")


@pytest.mark.parametrize(
    "detail", ["a | b", "`code` and ``more``", "two\nlines | and\r\nmore", "\\|", "x|" * 500, "| --- |\n| --- |", "\\"]
)
def test_no_detail_breaks_the_table(detail: str) -> None:
    text = findings([*controls("samples/a", PASSED, FAILED), trial("samples/a", "heuristic", FAILED, detail=detail)])
    (line,) = table_with(text, "outcome")
    assert line["outcome"].startswith("tests failed: ")
    assert (line["always-cloud (USD)"], line["always-local (USD)"]) == ("passed (0.1200)", "failed (0.0000)")
    assert len(line["outcome"].replace("\\", "")) <= 160


def test_a_long_detail_is_cut() -> None:
    text = findings(under_routed(1, detail="long " * 100))
    (line,) = table_with(text, "outcome")
    assert line["outcome"].endswith("long…")
    assert 150 < len(line["outcome"]) <= 160


@pytest.mark.parametrize("control", CONTROLS)
def test_a_control_that_did_not_run_is_asked_for_by_name(control: str) -> None:
    records = [record for record in benchmark() if record.strategy != control]
    text = findings(records)
    counts = table_with(text, "under-routed")[-1]
    assert counts["strategy"] == "heuristic t=25"
    assert counts["unsolved"] == counts["lucky"] == f"needs {control}"
    assert counts["under-routed" if control == ALWAYS_CLOUD else "over-routed"] == f"needs {control}"
    assert f"- heuristic t=25 needs {control}: it did not run for 4 of the 4 trials" in text
    assert f"The oracle needs {control}." in text


def test_without_any_control_everything_is_asked_for() -> None:
    text = findings([record for record in benchmark() if record.strategy not in CONTROLS])
    counts = table_with(text, "under-routed")[-1]
    assert counts["unsolved"] == "needs always-cloud and always-local"
    assert counts["not judged"] == "4"
    assert "The oracle needs always-cloud and always-local." in text


def test_a_control_that_ended_in_an_error_is_told_from_one_that_did_not_run() -> None:
    records = [
        *controls("samples/a", FAILED, ERROR),
        trial("samples/b", ALWAYS_CLOUD, FAILED),
        *(trial(task, "heuristic", FAILED) for task in ("samples/a", "samples/b")),
    ]
    text = findings(records)
    assert "needs always-local: it did not run for 1 and ended in an error for 1 of the 2 trials" in text
    assert "The oracle needs always-cloud and always-local without an error on the same task and seed." in text


def test_a_count_that_a_missing_control_cannot_change_is_a_number() -> None:
    records = [trial("samples/a", "heuristic", PASSED), trial("samples/a", ALWAYS_LOCAL, PASSED)]
    (counts,) = table_with(findings(records), "under-routed")
    assert (counts["under-routed"], counts["over-routed"], counts["not judged"]) == ("0", "1 (0.0600)", "0")


def test_a_control_beside_a_regret_may_not_have_run_or_ended_in_an_error() -> None:
    records = [
        trial("samples/a", "heuristic", FAILED),
        trial("samples/a", ALWAYS_CLOUD, PASSED),
        trial("samples/b", "heuristic", FAILED),
        *controls("samples/b", PASSED, ERROR),
    ]
    assert [line["always-local (USD)"] for line in table_with(findings(records), "outcome")] == ["did not run", "error"]


def test_controls_alone_leave_no_router_to_judge_but_their_oracle() -> None:
    text = findings(controls("samples/a", PASSED, FAILED))
    assert "Only controls ran: there is no router to judge." in text
    assert [line[""] for line in table_with(text, "pass rate")] == ["oracle", ALWAYS_CLOUD, ALWAYS_LOCAL]


def test_the_oracle_stands_beside_the_strategies_on_the_same_trials() -> None:
    lines = {line[""]: line for line in table_with(findings(benchmark()), "pass rate")}
    assert lines["oracle"] == {"": "oracle", "trials": "3", "tasks": "2", "pass rate": "0.75", "cost USD": "0.1200"}
    assert lines["heuristic t=25"]["trials"] == "3"  # always-local has no verdict for the fourth
    assert lines["cascade t=12.5"]["pass rate"] == "0.25"


def test_failure_modes_and_errors_stand_apart_for_every_line() -> None:
    lines = {line["strategy"]: line for line in table_with(findings(benchmark()), "tests failed")}
    assert lines["heuristic t=25"] == {
        "strategy": "heuristic t=25",
        "no edit": "1",
        "tests failed": "2",
        "error: backend": "0",
    }
    assert lines["cascade t=12.5"]["error: backend"] == "1"
    assert lines[ALWAYS_LOCAL]["tests failed"] == "2"


def test_a_suite_in_which_nothing_failed_says_so() -> None:
    assert "No trial failed or ended in an error." in findings(controls("samples/a", PASSED, PASSED))


def test_a_failure_without_a_recorded_cause_is_still_counted() -> None:
    text = findings(
        [*controls("samples/a", PASSED, PASSED), trial("samples/a", "heuristic", FAILED, failure_mode=None, detail="")]
    )
    assert table_with(text, "unknown")[-1]["unknown"] == "1"
    assert table_with(text, "outcome")[0]["outcome"] == "failed"


def test_usd_that_a_cloud_model_did_not_tell_are_marked() -> None:
    tokens = {Tier.CLOUD: TierTokens(calls=2, prompt=5000, completion=1000, unknown_calls=1)}
    text = findings([*controls("samples/a", PASSED, FAILED), trial("samples/a", "heuristic", FAILED, tokens=tokens)])
    assert table_with(text, "under-routed")[0]["under-routed"] == "1 (0.0600+?)"
    assert table_with(text, "outcome")[0]["USD"] == "0.0600+?"


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
    records = [trial("samples/a", "heuristic", FAILED, **{field: value}) for value in values]
    names = [line["strategy"] for line in table_with(findings(records), "under-routed")]
    assert len(set(names)) == 2


def test_each_oracle_says_whose_it_is_where_there_are_several() -> None:
    records = [
        trial("samples/a", ALWAYS_CLOUD, PASSED),
        *(trial("samples/a", ALWAYS_LOCAL, FAILED, local_model=name) for name in ("ollama/a", "ollama/b")),
    ]
    text = findings(records)
    for name in ("ollama/a", "ollama/b"):
        assert f"{name} + openai/gpt-5.5 [aider 0.86.2 architect]:\n\n|" in text
    assert len([rows for rows in tables(text) if "pass rate" in rows[0]]) == 2


def test_the_json_has_the_counts_by_cell_and_each_trial_once() -> None:
    records = benchmark()
    found = json.loads(json.dumps(regret_json(regrets(records, usd), oracles(records, usd)), allow_nan=False))
    cell = next(c for c in found["cells"] if (c["scope"], c["strategy"]) == ("exercism", "heuristic"))
    assert cell["kinds"]["under_routed"] == {"trials": 1, "usd": 0.0}
    assert cell["kinds"]["lucky"] == {"trials": 1, "usd": pytest.approx(0.06)}
    assert (cell["trials"], cell["errors"], cell["no_regret"], cell["not_judged"]) == (4, 0, 0, 1)
    assert (cell["not_run"], cell["in_error"]) == ({}, {ALWAYS_LOCAL: 1})
    assert cell["causes"] == {"no_edit": 1, "tests_failed": 2}
    assert {oracle["scope"]: oracle["pass_rate"] for oracle in found["oracles"]}["exercism"] == 0.75
    assert {line["strategy"] for line in found["oracles"][0]["strategies"]} == {*CONTROLS, "heuristic", "cascade"}
    names = [trial["trial"] for trial in found["trials"]]
    assert sorted(names) == sorted(set(names))
    first = next(trial for trial in found["trials"] if trial["trial"] == "exercism/grep[heuristic-s42]")
    assert (first["kind"], first["usd"], first["failure_mode"]) == ("under_routed", 0.0, "no_edit")
    assert (first["cloud"], first["local"]["outcome"]) == ({"outcome": "passed", "cost": 0.12}, "failed")
