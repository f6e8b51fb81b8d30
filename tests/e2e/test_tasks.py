"""Every task of the repository decides what it claims to: proven by running it, not by reading it."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pytest_hybrideval.cli import app
from pytest_hybrideval.sandbox.choice import choose
from pytest_hybrideval.scoring.hidden_tests import HiddenTestScorer
from pytest_hybrideval.scoring.limits import Limits
from pytest_hybrideval.scoring.warm import choose_warm
from pytest_hybrideval.suites import BUILTIN
from pytest_hybrideval.suites.discovery import Found, find_tasks
from pytest_hybrideval.suites.scaffold import scaffold
from pytest_hybrideval.suites.validation import validate

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
FOUND = list(find_tasks([BENCHMARKS], BUILTIN))


@pytest.fixture(scope="session")
def scorer() -> Iterator[HiddenTestScorer]:
    warm = choose_warm("auto", sys.executable)
    yield HiddenTestScorer(warm or choose("auto"), Limits(), None)
    if warm:
        warm.stop()


def test_the_suites_are_large_enough_for_a_verdict() -> None:
    tasks = [each.suite.load(each.folder) for each in FOUND if each.suite is not None]
    assert len(tasks) == len(FOUND)
    classes = Counter(task.task_class.value for task in tasks)
    least = {"D1": 12, "D2": 8, "D3": 6, "D5": 10, "D6": 4, "puzzle": 40}
    assert {name: classes[name] for name, count in least.items() if classes[name] < count} == {}
    assert [task.id for task in tasks if not task.difficulty or not task.topics] == []


@pytest.mark.parametrize("found", FOUND, ids=lambda found: found.folder.name)
def test_task(found: Found, scorer: HiddenTestScorer) -> None:
    assert found.suite is not None, found.why
    assert validate(found.suite.load(found.folder), scorer, thorough=False).problems == []


def test_a_new_task_passes_validation_as_it_is(tmp_path: Path) -> None:
    for task_class in ("D1", "D5", "puzzle"):
        scaffold(tmp_path / "mine", f"count-{task_class.lower()}", task_class)
    result = CliRunner().invoke(app, ["tasks", "validate", str(tmp_path), "--json"], prog_name="hybrideval")
    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)["tasks"]
    assert [(row["task"], row["tests"], row["problems"], row["notes"]) for row in rows] == [
        (f"mine/count-{name}", 5, [], []) for name in ("d1", "d5", "puzzle")
    ]


def test_a_broken_task_is_told_in_its_line_and_by_the_exit_code(tmp_path: Path) -> None:
    folder = scaffold(tmp_path / "mine", "words", "D1")
    (folder / "solution/words.py").write_text("def count_words(text: str) -> int:\n    return 0\n")
    manifest = scaffold(tmp_path / "mine", "typo", "D1") / "task.yaml"
    manifest.write_text(manifest.read_text().replace("topics:", "topic:"))
    result = CliRunner().invoke(app, ["tasks", "validate", str(tmp_path), "-j", "2"], prog_name="hybrideval")
    assert result.exit_code == 1
    assert "BAD mine/typo" in result.stdout
    assert "there is no such field; did you mean 'topics'?" in result.stdout
    assert "cannot be judged here, its own solution does not pass" in result.stdout
    assert result.stderr.strip() == "hybrideval tasks: 2 of 2 tasks have problems"
