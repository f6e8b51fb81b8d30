"""What the agent is shown of what it must not see: lines of the solution or of the hidden tests, or whole files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pytest_hybrideval.core.domain import Task

# So many lines in a row that say something are no coincidence; a signature that an instruction quotes is shorter.
_RUN = 4
_SAYS_SOMETHING = 8

Runs = set[tuple[str, ...]]


def leaks(task: Task) -> Iterator[str]:
    """A sentence for each thing that the workspace or the instruction gives away."""
    own = {name: set(_runs(text)) for name, text in _texts(task.workspace)}
    shown = {**own, "the instruction": set(_runs(task.instruction))}
    for name, text in _texts(task.hidden):
        same = task.workspace.get(name)
        if same is not None and same.read_bytes() == task.hidden[name].read_bytes():
            yield f"the hidden {name} lies in the workspace, too"
        else:
            yield from _shown(f"the hidden {name}", set(_runs(text)), shown)
    # What the files that are to be changed had already is not the solution's: a refactoring moves it.
    given = set().union(*(own[name] for name in task.edit))
    for name, text in _texts(task.solution):
        yield from _shown(f"the solution's {name}", set(_runs(text)) - given, shown)


def _shown(what: str, secret: Runs, shown: Mapping[str, Runs]) -> Iterator[str]:
    for place, runs in shown.items():
        common = secret & runs
        if common:
            yield f"{place} shows lines of {what}: '{min(common)[0]}' and those after it"


def _texts(files: Mapping[str, Path]) -> Iterable[tuple[str, str]]:
    return ((name, path.read_text(encoding="utf-8", errors="replace")) for name, path in files.items())


def _runs(text: str) -> Iterator[tuple[str, ...]]:
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if len(line) >= _SAYS_SOMETHING and not line.startswith(("import ", "from "))]
    for at in range(len(lines) - _RUN + 1):
        yield tuple(lines[at : at + _RUN])
