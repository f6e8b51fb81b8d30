"""Does a task decide what it claims to? Its solution must pass, what is plausible but wrong must fail, every time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from pytest_hybrideval.core.domain import Score, Task
from pytest_hybrideval.core.protocols import Scorer

_REPEATS = 2


def validate(task: Task, scorer: Scorer) -> list[str]:
    """What is wrong with a task, a sentence each; empty where nothing is.

    The solution passes, the untouched workspace and each near miss fail, and a second run says the same of every
    test. Raises `SandboxError` where the tests cannot be run here.
    """
    return [
        problem for name, files, passes in _attempts(task) for problem in _problems(task, scorer, name, files, passes)
    ]


def _attempts(task: Task) -> Iterator[tuple[str, Mapping[str, Path], bool]]:
    untouched = {name: task.workspace[name] for name in task.edit}
    yield "the solution", {**untouched, **task.solution}, True
    yield "the untouched workspace", untouched, False
    for miss in task.near_misses:
        yield f"near miss '{miss.name}'", {**untouched, **miss.files}, False


def _problems(task: Task, scorer: Scorer, name: str, files: Mapping[str, Path], passes: bool) -> Iterator[str]:
    scores = [scorer.score(task, files) for _ in range(_REPEATS)]
    if scores[0].passed is not passes:
        yield f"{task.id}: {name} {'fails' if passes else 'passes'}: {_said(scores[0])}"
    unstable = sorted(
        test for test in scores[0].tests if any(_outcome(s, test) != _outcome(scores[0], test) for s in scores)
    )
    if unstable:
        yield f"{task.id}: {name} is judged differently the second time by {', '.join(unstable)}"


def _outcome(score: Score, test: str) -> str:
    return score.tests.get(test, "not run")


def _said(score: Score) -> str:
    return score.detail or f"{score.passed_tests} of {score.expected} hidden tests pass"
