"""`hybrideval tasks`: try out task folders, begin a new one, and the schema that editors check `task.yaml` by."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pytest_hybrideval.cli.application import NegativeAnswer

if TYPE_CHECKING:
    from pytest_hybrideval.scoring.hidden_tests import HiddenTestScorer
    from pytest_hybrideval.scoring.warm import WarmNamespaces
    from pytest_hybrideval.suites.discovery import Found

_scorer: HiddenTestScorer | None = None
_warm: WarmNamespaces | None = None


@dataclass(frozen=True)
class _Row:
    """What is said of one task folder."""

    task: str
    task_class: str = ""
    difficulty: str = ""
    tests: int = 0
    near_misses: int = 0
    seconds: float = 0.0
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    left_out: str = ""


def validate_command(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Task folders, or folders that hold some.")],
    sandbox: Annotated[str, typer.Option(metavar="LEVEL", help="Where the tests run; see --hybrid-sandbox.")] = "auto",
    jobs: Annotated[int, typer.Option("--jobs", "-j", metavar="N", min=1, help="Tasks at a time.")] = 1,
    solutions: Annotated[
        bool, typer.Option("--solutions", help="Only whether each task's own solution passes: for tasks of others.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Say it as JSON.")] = False,
) -> None:
    """Try out task folders: whether each decides what it claims to.

    The solution passes; the untouched workspace and every near miss fail; in a random order each test says the same;
    each test is failed by something; the agent is shown nothing of solution or tests; fields and folders are spelled
    right. The tests run in a sandbox without network. Exit code 1 where a task has a problem; notes are no problems.

    Example:
      hybrideval tasks validate benchmarks/real_dev -j 2
    """
    from pytest_hybrideval.sandbox.choice import choose
    from pytest_hybrideval.scoring.warm import choose_warm
    from pytest_hybrideval.suites import BUILTIN
    from pytest_hybrideval.suites.discovery import find_tasks

    level = choose_warm(sandbox, sys.executable) or choose(sandbox)
    found = list(find_tasks(paths, BUILTIN))
    if not found:
        raise NegativeAnswer(f"{', '.join(map(str, paths))}: no task folder in there; docs/tasks.md says what one is")
    rows = []
    for row in _rows(found, sandbox, min(jobs, len(found)), solutions=solutions):
        rows.append(row)
        if not as_json:
            _tell(row)
    typer.echo(_json(rows, level.label) if as_json else f"\n{_summary(rows)}\n\nsandbox {level.label}")
    bad = sum(bool(row.problems) for row in rows)
    if bad:
        raise NegativeAnswer(f"{bad} of {len(rows)} tasks have problems")


def new_command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The folder's name: lower case, words joined by '-'.")],
    task_class: Annotated[str, typer.Option("--class", metavar="CLASS", help="D1, D2, D3, D5, D6 or puzzle.")],
    suite: Annotated[Path, typer.Option(metavar="DIR", help="Where the folder is made.")] = Path(),
) -> None:
    """Begin a task: a folder in which everything that a task needs is there, and passes validation.

    What it asks for is a tiny example; replace it piece by piece and validate again. Classes: D1 feature, D2 bug fix,
    D3 refactor, D5 script, D6 hard build; `puzzle` is a folder in Exercism's layout.

    Example:
      hybrideval tasks new d1-audit-log --class D1 --suite benchmarks/real_dev
    """
    from pytest_hybrideval.suites.scaffold import scaffold

    folder = scaffold(suite, name, task_class)
    typer.echo(f"{folder} is there; try it out with: hybrideval tasks validate {folder}")


def schema_command() -> None:
    """Print the JSON schema of task.yaml, for editors and other tools.

    Example:
      hybrideval tasks schema > task.schema.json
    """
    from pytest_hybrideval.suites.manifest import json_schema

    typer.echo(json.dumps(json_schema(), indent=2))


def _rows(found: Sequence[Found], sandbox: str, jobs: int, *, solutions: bool) -> Iterator[_Row]:
    """In the order of the folders, each as soon as it and those before it are done."""
    folders = [(str(each.folder), each.why, solutions) for each in found]
    if jobs == 1:
        _start(sandbox)
        try:
            yield from map(_row, folders)
        finally:
            _stop()
        return
    with ProcessPoolExecutor(jobs, initializer=_start, initargs=(sandbox,)) as pool:
        yield from pool.map(_row, folders)


def _start(sandbox: str) -> None:
    """Make this process's scorer, which runs one task at a time."""
    from pytest_hybrideval.sandbox.choice import choose
    from pytest_hybrideval.scoring import HiddenTestScorer, Limits
    from pytest_hybrideval.scoring.warm import choose_warm

    global _scorer, _warm
    _warm = choose_warm(sandbox, sys.executable)
    _scorer = HiddenTestScorer(_warm or choose(sandbox), Limits(), None)


def _stop() -> None:
    """End what `_start` began. A process of a pool needs none of it: the warm runner ends with its parent."""
    global _scorer, _warm
    if _warm is not None:
        _warm.stop()
    _scorer, _warm = None, None


def _row(told: tuple[str, str, bool]) -> _Row:
    from pytest_hybrideval.core.errors import SandboxError, TaskError
    from pytest_hybrideval.suites import BUILTIN
    from pytest_hybrideval.suites.validation import check_solution, validate

    folder, why, solutions = Path(told[0]), *told[1:]
    name = f"{folder.parent.name}/{folder.name}"
    if why:
        return _Row(name, problems=(f"{folder} {why}",))
    try:
        task = next(suite for suite in BUILTIN.values() if suite.claims(folder)).load(folder)
    except TaskError as error:
        return _Row(name, problems=(str(error),))
    row = _Row(task.id, task.task_class.value, task.difficulty, near_misses=len(task.near_misses))
    if task.skip:
        return replace(row, left_out=task.skip)
    assert _scorer is not None
    try:
        found = check_solution(task, _scorer) if solutions or task.open else validate(task, _scorer)
    except SandboxError as error:
        return replace(row, problems=(str(error),))
    problems, notes = tuple(found.problems), tuple(found.notes)
    return replace(row, tests=found.tests, seconds=round(found.seconds, 3), problems=problems, notes=notes)


def _tell(row: _Row) -> None:
    if row.left_out:
        typer.echo(f"--  {row.task}: left out: {row.left_out}")
        return
    state = "ok " if not row.problems else "BAD"
    typer.echo(f"{state} {row.task}: {row.tests} tests, {row.near_misses} near misses, {row.seconds:.2f} s")
    for kind, texts in (("", row.problems), ("note: ", row.notes)):
        for text in texts:
            typer.echo(f"      {kind}{text}")


def _summary(rows: Sequence[_Row]) -> str:
    """A line for each suite and class."""
    from tabulate import tabulate

    groups: dict[tuple[str, str], list[_Row]] = {}
    for row in rows:
        groups.setdefault((row.task.partition("/")[0], row.task_class or "?"), []).append(row)
    lines = [
        [suite, kind, *_counts(group)] for (suite, kind), group in sorted(groups.items(), key=lambda item: item[0])
    ]
    headers = [
        "suite",
        "class",
        "tasks",
        "left out",
        "easy/medium/hard",
        "hidden tests",
        "near misses",
        "seconds",
        "bad",
    ]
    return tabulate([*lines, ["all", "", *_counts(rows)]], headers=headers)


def _counts(rows: Sequence[_Row]) -> list[Any]:
    levels = "/".join(str(sum(row.difficulty == level for row in rows)) for level in ("easy", "medium", "hard"))
    tests, near_misses = sum(row.tests for row in rows), sum(row.near_misses for row in rows)
    bad, out = sum(bool(row.problems) for row in rows), sum(bool(row.left_out) for row in rows)
    return [len(rows), out, levels, tests, near_misses, f"{sum(row.seconds for row in rows):.1f}", bad]


def _json(rows: Sequence[_Row], sandbox: str) -> str:
    return json.dumps({"sandbox": sandbox, "tasks": [asdict(row) for row in rows]}, indent=2)
