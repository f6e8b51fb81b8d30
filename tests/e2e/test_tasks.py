"""Every task of the repository decides what it claims to: proven by running it, not by reading it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_hybrideval.sandbox.choice import choose
from pytest_hybrideval.scoring.hidden_tests import HiddenTestScorer
from pytest_hybrideval.scoring.limits import Limits
from pytest_hybrideval.scoring.warm import choose_warm
from pytest_hybrideval.suites import BUILTIN
from pytest_hybrideval.suites.validation import validate

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
FOLDERS = sorted(f for f in BENCHMARKS.glob("*/*") if any(suite.claims(f) for suite in BUILTIN.values()))


@pytest.fixture(scope="session")
def scorer() -> Iterator[HiddenTestScorer]:
    warm = choose_warm("auto", sys.executable)
    yield HiddenTestScorer(warm or choose("auto"), Limits(), None)
    if warm:
        warm.stop()


def test_the_thirteen_tasks_are_there() -> None:
    assert {f.name for f in FOLDERS} >= {
        *("grep", "list-ops", "phone-number", "pig-latin", "robot-name"),
        *("d1-rate-limit", "d1-retry-decorator", "d1-json-schema", "d1-auth-login"),
        *("d5-todo-counter", "d5-csv-dedupe", "d5-log-errors-today", "d5-env-var-redactor"),
    }


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_task(folder: Path, scorer: HiddenTestScorer) -> None:
    suite = next(suite for suite in BUILTIN.values() if suite.claims(folder))
    task = suite.load(folder)
    assert len(task.near_misses) >= 2
    assert validate(task, scorer) == []
