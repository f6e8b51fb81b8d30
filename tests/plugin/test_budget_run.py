"""A run with a budget: no worker goes beyond it, what was not run is said, and a higher budget goes on with it."""

from __future__ import annotations

import sqlite3

import pytest
from bench import Bench, one_line, outcomes

pytest_plugins = ["pytester"]

CAP = ("--hybrid-cloud-max-tokens", "1000")
WORKERS = pytest.mark.parametrize("workers", [(), ("-n", "4")], ids=["plain", "workers"])


def spent(bench: Bench) -> float:
    with sqlite3.connect(bench.directory() / "budget.sqlite") as ledger:
        total: float = ledger.execute("SELECT sum(coalesce(settled, reserved)) FROM reservations").fetchone()[0]
    return total


def billed(bench: Bench) -> float:
    """USD of all recorded calls, at the packaged price."""
    usages = [call["usage"] for call in bench.calls()]
    return sum((usage["prompt"] * 5 + usage["completion"] * 30) / 1e6 for usage in usages if usage["prompt"])


@WORKERS
def test_the_sum_never_passes_the_cap_and_the_rest_is_skipped(bench: Bench, workers: tuple[str, ...]) -> None:
    for name in ("one", "two", "three"):
        bench.native(name)
    bench.agent("ScriptedAgent(requests=3)")
    limit = 0.04  # a call can cost about .034 and does cost about .001
    result = bench.run("--seeds", "1,2,3,4", "--hybrid-max-cost", str(limit), *CAP, *workers, new_process=bool(workers))
    assert 0 < billed(bench) <= spent(bench) <= limit
    kinds = list(outcomes(bench.records()).values())
    assert kinds.count("error budget") >= 1
    assert len(kinds) < 12
    assert result.ret != 0
    result.stdout.fnmatch_lines(["*The budget is used up: * trials were not run; --hybrid-resume=r*"])
    again = bench.resume("r", "--seeds", "1,2,3,4", "--hybrid-max-cost", "5", *CAP, *workers, new_process=bool(workers))
    assert again.ret == 0
    cell = bench.json("aggregate.json")["cells"][0]
    assert (cell["trials"], cell["passed"]) == (12, 12)


def test_a_trials_own_limit_leaves_the_others_alone(bench: Bench) -> None:
    bench.native("small")
    bench.native("greedy")
    bench.agent(small="ScriptedAgent()", greedy="ScriptedAgent(requests=9)")
    bench.run("--hybrid-max-trial-cost", "0.037", *CAP)
    refused = {call["trial"].partition("[")[0] for call in bench.calls() if call["fault"] == "budget"}
    assert refused == {"small/greedy"}
    assert outcomes(bench.records()) == {
        "small/greedy[always-cloud-s42]": "error budget",
        "small/small[always-cloud-s42]": "passed",
    }


def test_a_longest_answer_must_be_named(bench: Bench) -> None:
    bench.native()
    bench.agent()
    assert "need --hybrid-cloud-max-tokens N" in one_line(bench.run("--hybrid-max-cost", "1"))


@WORKERS
def test_a_ledger_that_is_none_is_refused_before_anything_is_spent(bench: Bench, workers: tuple[str, ...]) -> None:
    bench.native()
    bench.agent()
    bench.directory().mkdir(parents=True)
    (bench.directory() / "budget.sqlite").write_bytes(b"no ledger " * 500)
    result = bench.run("--hybrid-max-cost", "1", *CAP, *workers, new_process=bool(workers))
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    lines = [*result.outlines, *result.errlines]
    assert any("budget.sqlite, cannot be used: file is not a database" in line for line in lines)
    assert not any("Traceback" in line for line in lines)
    assert bench.records() == []


def test_a_fixture_of_the_users_may_skip_a_trial(bench: Bench) -> None:
    bench.native()
    bench.agent()
    bench.conftest("""
        @pytest.fixture(autouse=True)
        def not_today():
            pytest.skip("not today")
    """)
    bench.run().assert_outcomes(skipped=1)
    assert bench.records() == []
