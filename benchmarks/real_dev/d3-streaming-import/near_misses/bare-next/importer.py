"""Import of the files of the water meters; their format is in FORMAT.md."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from readings import Problem, Reading, Summary
from stages import batches, check, parse, records


def import_file(
    path: str | Path,
    on_batch: Callable[[list[Reading]], None],
    on_problem: Callable[[Problem], None],
    batch_size: int = 500,
) -> Summary:
    """Hand the readings of a file to on_batch in lists of batch_size, and what is wrong to on_problem."""
    with open(path, encoding="utf-8") as lines:
        return import_lines(lines, on_batch, on_problem, batch_size)


def import_lines(
    lines: Iterable[str],
    on_batch: Callable[[list[Reading]], None],
    on_problem: Callable[[Problem], None],
    batch_size: int = 500,
) -> Summary:
    """Like import_file, for lines from anywhere."""
    if batch_size < 1:
        raise ValueError("batch_size must be at least 1")
    stored = problems = 0

    def readings() -> Iterator[Reading]:
        nonlocal problems
        for item in check(parse(records(lines))):
            if isinstance(item, Problem):
                problems += 1
                on_problem(item)
            else:
                yield item

    for batch in batches(readings(), batch_size):
        stored += len(batch)
        on_batch(batch)
    return Summary(stored, problems)
