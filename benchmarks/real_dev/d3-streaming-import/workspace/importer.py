"""Import of the files of the water meters; their format is in FORMAT.md."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

from readings import BadFile, Problem, Reading, Summary

HEADER = "meter;day;litres;note"


def import_file(
    path: str | Path,
    on_batch: Callable[[list[Reading]], None],
    on_problem: Callable[[Problem], None],
    batch_size: int = 500,
) -> Summary:
    """Hand the readings of a file to on_batch in lists of batch_size, and what is wrong to on_problem."""
    if batch_size < 1:
        raise ValueError("batch_size must be at least 1")
    records: list[tuple[int, str]] = []
    for number, line in enumerate(Path(path).read_text(encoding="utf-8").split("\n"), start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        if line[0] in " \t" and records:
            first, so_far = records[-1]
            records[-1] = (first, f"{so_far} {text}")
        else:
            records.append((number, text))
    if not records or records[0][1] != HEADER:
        raise BadFile("the header is missing")

    readings: list[Reading] = []
    problems: list[Problem] = []
    seen: set[tuple[str, date]] = set()
    latest = date.min
    for number, text in records[1:]:
        fields = text.split(";", 3)
        if len(fields) != 4:
            problems.append(Problem(number, "too few fields"))
            continue
        meter, day_text, litres_text, note = fields
        try:
            day = date.fromisoformat(day_text)
        except ValueError:
            problems.append(Problem(number, f"not a day: {day_text}"))
            continue
        if not (litres_text.isascii() and litres_text.isdigit()):
            problems.append(Problem(number, f"not a number of litres: {litres_text}"))
            continue
        if day < latest:
            problems.append(Problem(number, f"{day} comes after {latest}"))
            continue
        if (meter, day) in seen:
            problems.append(Problem(number, f"second reading of {meter} on {day}"))
            continue
        seen.add((meter, day))
        latest = day
        readings.append(Reading(number, meter, day, int(litres_text), note))

    for problem in problems:
        on_problem(problem)
    for start in range(0, len(readings), batch_size):
        on_batch(readings[start : start + batch_size])
    return Summary(len(readings), len(problems))
