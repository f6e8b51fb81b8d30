"""Made-up runs and what follows from them, for the tests of how that is told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from builders import make_record

from pytest_hybrideval.analysis.assessment import Assessment
from pytest_hybrideval.analysis.study import Study, study
from pytest_hybrideval.core.domain import ErrorKind, FailureMode, Outcome, Tier
from pytest_hybrideval.core.records import Stages, TierTokens, TrialRecord

PASSED, FAILED, ERROR = Outcome.PASSED, Outcome.FAILED, Outcome.ERROR

RUN: dict[str, Any] = {
    "schema_version": 1,
    "run_id": "20261120-120000-abcd",
    "agent": "aider 0.86.2 architect",
    "sandbox": "bubblewrap (no network)",
    "prices": "pricing.yaml as of 2026-11-01 (sha256 0123456789ab)",
    "models": {
        "local ollama/gemma4:31b": {"digest": "sha256:0123456789abcdef0123456789abcdef"},
        "cloud openai/gpt-5.5": {"digest": None},
    },
}
CLOUD_ONLY = {Tier.CLOUD: TierTokens(calls=3, prompt=9000, completion=3000)}
LOCAL_ONLY = {Tier.LOCAL: TierTokens(calls=3, prompt=9000, completion=3000)}
MIXED = make_record().tokens
_CAUSES: dict[Outcome, dict[str, Any]] = {
    PASSED: {},
    FAILED: {"failure_mode": FailureMode.TESTS_FAILED, "detail": "1 of 3 hidden tests failed: test_a"},
    ERROR: {"error_kind": ErrorKind.BACKEND, "detail": "Ollama refused the connection"},
}


def priced(record: TrialRecord) -> float:
    """A cent for a thousand cloud tokens."""
    return record.tier_tokens(Tier.CLOUD).total / 100_000


def arm(
    strategy: str, outcomes: Sequence[Outcome], suite: str = "samples", seed: int = 42, **changes: Any
) -> list[TrialRecord]:
    """A strategy's trials: one of each task, which bear numbers. The tokens fit the strategy unless they are given."""
    tokens = {"always-cloud": CLOUD_ONLY, "always-local": LOCAL_ONLY}.get(strategy, MIXED)
    changes = {"threshold": None, "tokens": tokens, "stages": Stages(total=20.0 + seed), **changes}
    return [
        make_record(
            **{
                "trial": f"{suite}/{number}[{strategy}-s{seed}]",
                "task": f"{suite}/{number}",
                "strategy": strategy,
                "seed": seed,
                "outcome": outcome,
                **_CAUSES[outcome],
                **changes,
            }
        )
        for number, outcome in enumerate(outcomes)
    ]


def benchmark() -> list[TrialRecord]:
    """Two suites, two seeds, both controls and two routers, one with two thresholds; a few failures and an error."""
    found: list[TrialRecord] = []
    for seed in (7, 42):
        lost = ERROR if seed == 7 else PASSED
        for suite, outcomes in (("exercism", [PASSED] * 2), ("real_dev", [PASSED])):
            weak = [FAILED, *outcomes[1:]]
            found += arm("always-cloud", outcomes, suite, seed)
            found += arm("always-local", weak if suite == "exercism" else outcomes, suite, seed)
            found += arm("heuristic", outcomes, suite, seed, threshold=25.0)
            found += arm("cascade", [lost] if suite == "real_dev" else outcomes, suite, seed, threshold=12.5)
            found += arm("cascade", weak, suite, seed, threshold=20.0)
    return found


def studied(records: Iterable[TrialRecord], margin: float = 0.05) -> Study:
    """What follows from these records."""
    return study(list(records), priced, margin)


def line_of(records: Iterable[TrialRecord], strategy: str = "heuristic", margin: float = 0.05) -> Assessment:
    """The only line of a strategy over everything."""
    (line,) = (line for line in studied(records, margin).overall if line.key.strategy == strategy)
    return line
