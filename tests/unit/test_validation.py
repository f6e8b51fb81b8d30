"""What validation says of a task: by a scorer that is told how each attempt ends, and so without running anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from builders import native_task

from pytest_hybrideval.core.domain import Score, Task
from pytest_hybrideval.core.errors import ConfigurationError, SandboxError, TaskError
from pytest_hybrideval.suites import BUILTIN
from pytest_hybrideval.suites.discovery import find_tasks
from pytest_hybrideval.suites.leaks import leaks
from pytest_hybrideval.suites.native import NativeSuite
from pytest_hybrideval.suites.scaffold import scaffold
from pytest_hybrideval.suites.validation import Validation, check_solution, validate

MISSES = ("one", "two", "three")
BODY = "def slug(text):\n    lowered = text.lower()\n    joined = lowered.replace(' ', '-')\n    return joined\n"


def task_with(parent: Path, **files: str | None) -> Task:
    misses = {f"near_misses/{name}/slug.py": f"# {name}\n" for name in MISSES}
    wanted = {"near_misses/lower-only/slug.py": None, **misses, **files}
    return NativeSuite().load(native_task(parent, {"near_misses": dict.fromkeys(MISSES, "Wrong.")}, **wanted))


class Told:
    """A scorer that is told what fails: for each attempt (by a mark in its file) the failing tests."""

    def __init__(self, fails: Mapping[str, set[str]], shuffled: Mapping[str, set[str]] | None = None) -> None:
        self.fails, self.shuffled = fails, {**fails, **(shuffled or {})}
        self.seconds = 0.5

    def reference_ids(self, task: Task) -> frozenset[str]:
        if self.fails.get("solution"):
            raise SandboxError("its own solution does not pass")
        return frozenset({"a", "b"})

    def score(self, task: Task, produced: Mapping[str, Path], *, shuffle: int | None = None) -> Score:
        text = produced["slug.py"].read_text()
        name = next((miss for miss in MISSES if miss in text), "")
        if not name:
            name = "solution" if produced["slug.py"] == task.solution["slug.py"] else "untouched"
        failing = (self.fails if shuffle is None else self.shuffled).get(name, set())
        tests = {test: "failed" if test in failing else "passed" for test in ("a", "b")}
        return Score(not failing, 0, tests, 2, 1.0, test_seconds=self.seconds)


GOOD = {"untouched": {"a", "b"}, "one": {"a"}, "two": {"b"}, "three": {"a", "b"}}


def found(task: Task, fails: Mapping[str, set[str]], **shuffled: set[str]) -> Validation:
    return validate(task, Told(fails, shuffled))


def test_a_good_task_has_no_problem(tmp_path: Path) -> None:
    result = found(task_with(tmp_path), GOOD)
    assert (result.problems, result.notes, result.tests, result.seconds) == ([], [], 2, 0.5)


@pytest.mark.parametrize(
    ("fails", "told"),
    [
        ({**GOOD, "solution": {"a"}}, "the solution fails: 1 of 2 hidden tests pass"),
        ({**GOOD, "untouched": set()}, "the untouched workspace passes"),
        ({**GOOD, "two": set()}, "near miss 'two' passes: 2 of 2 hidden tests pass"),
        ({name: {"a"} for name in GOOD}, "nothing fails the test b: it decides nothing"),
    ],
)
def test_what_a_task_does_not_decide_is_named(tmp_path: Path, fails: Mapping[str, set[str]], told: str) -> None:
    assert any(problem.startswith(told) for problem in found(task_with(tmp_path), fails).problems)


def test_a_test_that_depends_on_the_order_is_named(tmp_path: Path) -> None:
    (problem,) = found(task_with(tmp_path), GOOD, one={"b"}).problems
    assert problem == "near miss 'one' is judged otherwise in another order by a, b"


def test_near_misses_that_fail_alike_are_a_note_and_no_problem(tmp_path: Path) -> None:
    result = found(task_with(tmp_path), {**GOOD, "two": {"a"}})
    assert result.problems == []
    assert result.notes == ["the same tests fail for the near misses one, two: are their flaws different?"]


def test_slow_tests_are_a_problem(tmp_path: Path) -> None:
    scorer = Told(GOOD)
    scorer.seconds = 6.0
    assert validate(task_with(tmp_path), scorer).problems == ["the hidden tests take 6.0 s; 5 s are allowed"]


def test_too_few_near_misses_are_a_problem(tmp_path: Path) -> None:
    task = task_with(tmp_path)
    (problem,) = found(replace(task, near_misses=task.near_misses[:2]), {**GOOD, "untouched": {"a", "b"}}).problems
    assert problem.startswith("2 near misses; 3 are the least")


def test_tasks_of_others_are_asked_for_their_solution_alone(tmp_path: Path) -> None:
    task = replace(task_with(tmp_path), near_misses=())
    good = check_solution(task, Told(GOOD))
    assert (good.problems, good.notes, good.tests, good.seconds) == ([], [], 2, 0.5)
    (note,) = check_solution(task, Told({})).notes
    assert note.startswith("the workspace as given passes, too")
    with pytest.raises(SandboxError):
        check_solution(task, Told({"solution": {"a"}}))


def test_a_folder_with_a_typo_is_named(tmp_path: Path) -> None:
    task = task_with(tmp_path)
    (task.folder / "near-misses").mkdir()
    (problem,) = found(task, GOOD).problems
    assert problem == "the folder near-misses/ is not read; did you mean near_misses/?"


class TestLeaks:
    @pytest.mark.parametrize(
        ("files", "told"),
        [
            ({"workspace/NOTES.md": BODY}, "NOTES.md shows lines of the solution's slug.py: 'def slug(text):'"),
            ({"workspace/test_slug.py": "assert slug('') == ''\n"}, "the hidden test_slug.py lies in the workspace"),
            (
                {"workspace/NOTES.md": "Tests:\n" + "assert slug('A') == 'a'\n" * 4},
                "NOTES.md shows lines of the hidden",
            ),
        ],
    )
    def test_what_the_workspace_gives_away_is_named(self, tmp_path: Path, files: Any, told: str) -> None:
        hidden = "assert slug('A') == 'a'\n" * 4 if "Tests" in str(files) else "assert slug('') == ''\n"
        task = task_with(tmp_path, **{"solution/slug.py": BODY, "hidden/test_slug.py": hidden, **files})
        (leak,) = leaks(task)
        assert leak.startswith(told)

    def test_an_instruction_that_shows_the_solution_is_named(self, tmp_path: Path) -> None:
        task = replace(task_with(tmp_path, **{"solution/slug.py": BODY}), instruction=f"Write this:\n\n{BODY}")
        (leak,) = leaks(task)
        assert leak.startswith("the instruction shows lines of the solution's slug.py")

    def test_code_that_a_refactoring_moves_is_no_leak(self, tmp_path: Path) -> None:
        moved = {"workspace/slug.py": BODY, "solution/slug.py": "from tables import slug\n", "solution/tables.py": BODY}
        assert list(leaks(task_with(tmp_path, **moved))) == []


class TestDiscovery:
    def test_tasks_of_all_formats_are_found_in_order(self, tmp_path: Path) -> None:
        for name, task_class in (("b-task", "D1"), ("a-puzzle", "puzzle")):
            scaffold(tmp_path / "suite", name, task_class)
        (tmp_path / "suite" / "node_modules" / "x" / "hidden").mkdir(parents=True)
        result = list(find_tasks([tmp_path], BUILTIN))
        assert [each.folder.name for each in result] == ["a-puzzle", "b-task"]
        assert [each.suite for each in result] == [BUILTIN["exercism"], BUILTIN["native"]]

    def test_what_only_looks_like_a_task_is_told(self, tmp_path: Path) -> None:
        for part in ("workspace", "hidden"):
            (tmp_path / "suite" / "lost" / part).mkdir(parents=True)
        (one,) = find_tasks([tmp_path], BUILTIN)
        assert (one.suite, one.why) == (None, "has hidden/, workspace/ and no task.yaml")

    def test_a_path_that_is_no_folder_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(TaskError, match="there is no such folder"):
            list(find_tasks([tmp_path / "none"], BUILTIN))


class TestScaffold:
    @pytest.mark.parametrize("name", ["Words", "two words", "d1_words", "../x", ""])
    def test_a_name_that_cannot_be_is_refused(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(ConfigurationError, match="is no name for a task"):
            scaffold(tmp_path, name, "D1")

    def test_an_unknown_class_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match="--class D9: there are D1, D2, D3, D5, D6, puzzle"):
            scaffold(tmp_path, "x", "D9")

    def test_nothing_is_written_over(self, tmp_path: Path) -> None:
        scaffold(tmp_path, "words", "D1")
        with pytest.raises(ConfigurationError, match="exists already"):
            scaffold(tmp_path, "words", "D1")
