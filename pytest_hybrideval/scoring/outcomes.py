"""Makes a score of what the runner reported: the fold of phases into outcomes, and the rule what passing means."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from pytest_hybrideval.core.domain import Score
from pytest_hybrideval.sandbox.process import RunResult

MISSING, UNTOLD = "missing", "untold"
_NAMED = 3
# Of the phases of one test the gravest outcome counts, whatever came later.
_GRAVITY = ("passed", "skipped", "xfailed", "failed", "error")


@dataclass(frozen=True)
class TestRun:
    """What a run of hidden tests gave. `ready` says whether the runner began, `reported` whether it could finish.

    `tests` maps test id -> passed, failed, error, skipped, xfailed, or missing where it was collected or begun and did
    not end, or untold where it passed and its own code was not seen to reach its end. `fault` says why nothing of it
    can be believed, or is empty; `tampering` that the fault is the tested code's attempt to be taken for a solution.
    `problems` are collection errors. `test_seconds` is what the tests themselves took.
    """

    __test__ = False

    ready: bool
    reported: bool = False
    exit_code: int | None = None
    timed_out: bool = False
    fault: str = ""
    tampering: bool = False
    tests: Mapping[str, str] = field(default_factory=dict)
    summaries: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)
    unfinished: str = ""
    test_seconds: float = 0.0


def read_run(result: RunResult) -> TestRun:
    """What the runner wrote to its standard output, and how it was ended."""
    lines = result.stdout.splitlines()
    ready = bool(lines) and lines[0] == b'{"ready": true}'
    if not ready or len(lines) < 2:
        return TestRun(ready=ready, timed_out=result.timed_out)
    try:
        report = json.loads(lines[1])
    except ValueError:
        return TestRun(ready=ready, timed_out=result.timed_out)
    messages: list[dict[str, Any]] = report["messages"]
    explained = [message for message in messages if message.get("summary")]
    return TestRun(
        ready=True,
        reported=True,
        exit_code=report["exit_code"],
        timed_out=report["timed_out"],
        fault=report["fault"],
        tampering=report["tampering"],
        tests=_fold(messages, set(report["told"])),
        summaries={message["id"]: message["summary"] for message in explained},
        texts={message["id"]: message["text"] for message in explained if "text" in message},
        problems={message["id"]: message["summary"] for message in messages if message["kind"] == "problem"},
        unfinished=_unfinished(messages),
        test_seconds=sum(message["seconds"] for message in messages if message["kind"] == "phase"),
    )


def _fold(messages: list[dict[str, Any]], told: set[str]) -> dict[str, str]:
    phases: dict[str, list[tuple[str, str]]] = {}
    for message in messages:
        for test in message.get("ids", ()):
            phases.setdefault(test, [])
        if message["kind"] == "started":
            phases.setdefault(message["id"], [])
        if message["kind"] == "phase":
            phases.setdefault(message["id"], []).append((message["when"], message["outcome"]))
    outcomes = {test: _outcome(seen) for test, seen in phases.items()}
    return {test: UNTOLD if said == "passed" and test not in told else said for test, said in outcomes.items()}


def _outcome(phases: list[tuple[str, str]]) -> str:
    named = ["error" if outcome == "failed" and when != "call" else outcome for when, outcome in phases]
    gravest = max(named, key=_GRAVITY.index, default=MISSING)
    complete = {"setup", "call", "teardown"} <= {when for when, _ in phases}
    return MISSING if gravest == "passed" and not complete else gravest


def _unfinished(messages: list[dict[str, Any]]) -> str:
    begun = [message["id"] for message in messages if message["kind"] == "started"]
    ended = {message["id"] for message in messages if message["kind"] == "phase" and message["when"] == "teardown"}
    return next((test for test in begun if test not in ended), "")


def score_of(run: TestRun, expected: Collection[str], hidden: Collection[str], seconds: float) -> Score:
    """The score. Passed: the runner vouches for it, exit code 0, and every expected test passed.

    Tests that are not expected may pass, be skipped or fail as they are marked to, if they come from hidden files.
    """
    tests = {test: run.tests.get(test, MISSING) for test in sorted({*expected, *run.tests})}
    strange = [test for test in run.tests if test.partition("::")[0] not in hidden]
    missed = [test for test in expected if tests[test] != "passed"]
    passed = (
        run.reported and run.exit_code == 0 and not (run.timed_out or run.fault or missed or strange or run.problems)
    )
    return Score(
        passed=passed and bool(expected),
        exit_code=run.exit_code,
        tests=tests,
        expected=len(expected),
        seconds=seconds,
        test_seconds=run.test_seconds,
        timed_out=run.timed_out,
        # What passed without having been run to its end was made to look so.
        tampering=run.tampering or UNTOLD in (tests[test] for test in expected),
        detail="" if passed and expected else _detail(run, tests, expected, strange, seconds),
    )


def _detail(
    run: TestRun, tests: Mapping[str, str], expected: Collection[str], strange: list[str], seconds: float
) -> str:
    where = f" in {run.unfinished}" if run.unfinished else ""
    if run.timed_out:
        return f"stopped after {seconds:.0f} s{where or ' before the first test'}"
    if not run.reported:
        return "the test runner was killed before it could report"
    if run.fault:
        return f"{run.fault}{where}"
    if run.problems:
        first = next(iter(run.problems))
        return f"{first} could not be collected: {run.problems[first]}"
    if strange:
        return f"{strange[0]} is no hidden test"
    untold = next((test for test in expected if tests[test] == UNTOLD), "")
    if untold:
        return f"{untold} was reported as passed, and its code was not run to its end"
    wrong = [test for test, outcome in tests.items() if outcome in ("failed", "error")]
    wrong += [test for test in expected if test not in wrong and tests[test] != "passed"]
    if not wrong:
        return f"pytest ended with exit code {run.exit_code}" if expected else "no test is expected to pass"
    named = [f"{test} ({run.summaries.get(test) or tests[test]})" for test in wrong[:_NAMED]]
    more = f", and {len(wrong) - _NAMED} more" if len(wrong) > _NAMED else ""
    return f"{len(wrong)} of {len(expected)} tests did not pass: {', '.join(named)}{more}"
