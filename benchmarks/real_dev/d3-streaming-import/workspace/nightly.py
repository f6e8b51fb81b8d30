"""The nightly run over the files that the collectors have left."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from importer import import_file
from readings import BadFile, Problem, Reading


def run(paths: Iterable[Path], store: Callable[[list[Reading]], None]) -> list[str]:
    report = []
    for path in paths:

        def note(problem: Problem, name: str = path.name) -> None:
            report.append(f"{name}:{problem.line}: {problem.text}")

        try:
            summary = import_file(path, store, note)
        except BadFile as error:
            report.append(f"{path.name}: {error}")
        else:
            report.append(f"{path.name}: {summary.stored} readings")
    return report
