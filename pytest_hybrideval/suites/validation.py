"""Does a task decide what it claims to? Its solution must pass, what is plausible but wrong must fail, every time."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from pytest_hybrideval.core.domain import Score, Task, TaskClass
from pytest_hybrideval.suites.leaks import leaks
from pytest_hybrideval.suites.native import PARTS

LEAST_NEAR_MISSES = 3
MOST_SECONDS = 5.0
_ORDERS = (None, 1)
_SOLUTION, _UNTOUCHED = "the solution", "the untouched workspace"


class RepeatedScorer(Protocol):
    """A scorer that can run the tests in another order, and knows what the task's own solution passes."""

    def reference_ids(self, task: Task) -> frozenset[str]:
        """The tests that the task's own solution passes. Raises `SandboxError` where it does not pass."""
        ...

    def score(self, task: Task, produced: Mapping[str, Path], *, shuffle: int | None = None) -> Score:
        """Run the hidden tests over files; `shuffle` is the seed of a random order, None the order they stand in."""
        ...


@dataclass
class Validation:
    """What a task's validation found. `problems` must be mended, `notes` deserve a look; a sentence each.

    `tests` is how many hidden tests the solution passes, `seconds` what they take.
    """

    task: Task
    tests: int = 0
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def validate(task: Task, scorer: RepeatedScorer, *, thorough: bool = True) -> Validation:
    """Try out a task. Raises `SandboxError` where the tests cannot be run here, or the solution fails.

    The solution passes, the untouched workspace and each near miss fail; in another order every test says the same;
    each test is failed by something; nothing of solution or tests is shown to the agent. Not `thorough`: near misses
    run once, in the other order.
    """
    found = Validation(task, problems=[*_parts(task), *leaks(task)])
    failed_by: dict[str, list[str]] = {}
    passed: set[str] = set()
    for name, files in _attempts(task):
        orders = _ORDERS if thorough or name in (_SOLUTION, _UNTOUCHED) else _ORDERS[1:]
        scores = [scorer.score(task, files, shuffle=shuffle) for shuffle in orders]
        found.problems += _judged(name, scores)
        failing = {test for test, outcome in scores[0].tests.items() if outcome != "passed"}
        if name == _SOLUTION:
            passed = scores[0].tests.keys() - failing
            found.tests, found.seconds = len(passed), scores[0].test_seconds
        for test in failing:
            failed_by.setdefault(test, []).append(name)
    found.problems += [f"nothing fails the test {test}: it decides nothing" for test in sorted(passed - set(failed_by))]
    if found.seconds > MOST_SECONDS:
        found.problems.append(f"the hidden tests take {found.seconds:.1f} s; {MOST_SECONDS:g} s are allowed")
    found.notes += _alike(task, failed_by)
    return found


def check_solution(task: Task, scorer: RepeatedScorer) -> Validation:
    """Only whether the task's own solution passes: for tasks of others, who have no near misses.

    That the workspace as given passes, too, is a note: so it is where something is to be refactored. Raises
    `SandboxError` where the tests cannot be run here, or the solution fails.
    """
    found = Validation(task, tests=len(scorer.reference_ids(task)))
    untouched = {name: task.workspace[name] for name in task.edit}
    if task.solution:  # a script's time is not known apart
        found.seconds = scorer.score(task, {**untouched, **task.solution}).test_seconds
    if scorer.score(task, untouched).passed:
        found.notes.append("the workspace as given passes, too: its tests look at behaviour alone")
    return found


def _attempts(task: Task) -> Iterator[tuple[str, Mapping[str, Path]]]:
    untouched = {name: task.workspace[name] for name in task.edit}
    yield _SOLUTION, {**untouched, **task.solution}
    yield _UNTOUCHED, untouched
    for miss in task.near_misses:
        yield f"near miss '{miss.name}'", {**untouched, **miss.files}


def _judged(name: str, scores: list[Score]) -> Iterator[str]:
    passes = name == _SOLUTION
    if scores[0].passed is not passes:
        yield f"{name} {'fails' if passes else 'passes'}: {_said(scores[0])}"
    first, *others = scores
    unstable = sorted(test for test in first.tests if any(_outcome(s, test) != _outcome(first, test) for s in others))
    if unstable:
        yield f"{name} is judged otherwise in another order by {', '.join(unstable)}"


def _parts(task: Task) -> Iterator[str]:
    """What is wrong with the folder before anything runs."""
    if len(task.near_misses) < LEAST_NEAR_MISSES:
        yield f"{len(task.near_misses)} near misses; {LEAST_NEAR_MISSES} are the least that shows what the tests tell"
    if task.task_class is TaskClass.PUZZLE:
        return
    for path in sorted(task.folder.iterdir()):
        near = difflib.get_close_matches(path.name, PARTS, n=1, cutoff=0.7)
        if path.is_dir() and path.name not in PARTS and near:
            yield f"the folder {path.name}/ is not read; did you mean {near[0]}/?"


def _alike(task: Task, failed_by: Mapping[str, list[str]]) -> Iterator[str]:
    """Near misses that fail for the same tests may share their flaw."""
    alike: dict[frozenset[str], list[str]] = {}
    for miss in task.near_misses:
        name = f"near miss '{miss.name}'"
        tests = frozenset(test for test, names in failed_by.items() if name in names)
        alike.setdefault(tests, []).append(miss.name)
    for names in alike.values():
        if len(names) > 1:
            yield f"the same tests fail for the near misses {', '.join(names)}: are their flaws different?"


def _outcome(score: Score, test: str) -> str:
    return score.tests.get(test, "not run")


def _said(score: Score) -> str:
    return score.detail or f"{score.passed_tests} of {score.expected} hidden tests pass"
