"""What a run shows on the terminal when it ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from pytest_hybrideval.analysis.cells import Cell
from pytest_hybrideval.reporting.matrix import SIMULATED_NOTICE, by_scope, table


def summary(cells: Sequence[Cell], directory: Path, problem: str) -> Iterator[tuple[str, str]]:
    """The lines with their markup ("section", a colour, or empty)."""
    yield "decision matrix", "section"
    if any(cell.simulated for cell in cells):
        yield SIMULATED_NOTICE, "yellow"
    for title, group in by_scope(cells):
        yield "", ""
        yield title, "bold"
        yield from ((line, "") for line in table(group, "simple", narrow=True).splitlines())
    yield "", ""
    yield f"{directory / 'decision_matrix.md'}", ""
    if problem:
        yield problem, "red"
