"""The stages of the import. Each takes an iterable and gives its items one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from itertools import islice
from typing import TypeVar

from readings import BadFile, Problem, Reading

T = TypeVar("T")

HEADER = "meter;day;litres;note"


def records(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Records with the number of their first line; continuation lines are joined."""
    first, parts = 0, []
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        if line[0] in " \t" and parts:
            parts.append(text)
            continue
        if parts:
            yield first, " ".join(parts)
        first, parts = number, [text]
    if parts:
        yield first, " ".join(parts)


def parse(records: Iterable[tuple[int, str]]) -> Iterator[Reading | Problem]:
    iterator = iter(records)
    _, header = next(iterator, (0, None))
    if header != HEADER:
        raise BadFile("the header is missing")
    for number, text in iterator:
        yield _parsed(number, text)


def check(items: Iterable[Reading | Problem]) -> Iterator[Reading | Problem]:
    """Turn readings that go back in time or repeat one into problems."""
    latest = date.min
    seen: set[tuple[str, date]] = set()
    for item in items:
        if isinstance(item, Problem):
            yield item
        elif item.day < latest:
            yield Problem(item.line, f"{item.day} comes after {latest}")
        elif (item.meter, item.day) in seen:
            yield Problem(item.line, f"second reading of {item.meter} on {item.day}")
        else:
            latest = item.day
            seen.add((item.meter, item.day))
            yield item


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def _parsed(number: int, text: str) -> Reading | Problem:
    fields = text.split(";", 3)
    if len(fields) != 4:
        return Problem(number, "too few fields")
    meter, day_text, litres_text, note = fields
    try:
        day = date.fromisoformat(day_text)
    except ValueError:
        return Problem(number, f"not a day: {day_text}")
    if not (litres_text.isascii() and litres_text.isdigit()):
        return Problem(number, f"not a number of litres: {litres_text}")
    return Reading(number, meter, day, int(litres_text), note)
