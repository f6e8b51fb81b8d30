"""Entries as CSV and as JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Iterable
from dataclasses import asdict

from entries import Entry

COLUMNS = ("id", "day", "project", "minutes", "billable", "tags", "invoice", "note")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def select(
    entries: Iterable[Entry],
    projects: Collection[str] = (),
    since: str | None = None,
    until: str | None = None,
) -> list[Entry]:
    """Return the entries of the projects (none given: all) and days, by day and id."""
    chosen = [
        entry
        for entry in entries
        if (not projects or entry.project in projects)
        and (since is None or entry.day >= since)
        and (until is None or entry.day <= until)
    ]
    return sorted(chosen, key=lambda entry: (entry.day, entry.id))


def to_csv(entries: Iterable[Entry]) -> str:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for entry in entries:
        writer.writerow(
            [
                entry.id,
                entry.day,
                _text_cell(entry.project),
                entry.minutes,
                "yes" if entry.billable else "no",
                _text_cell(";".join(entry.tags)),
                _text_cell(entry.invoice or ""),
                _text_cell(entry.note),
            ]
        )
    return buffer.getvalue()


def to_json(entries: Iterable[Entry]) -> str:
    return json.dumps([asdict(entry) for entry in entries], indent=2, ensure_ascii=False) + "\n"


def _text_cell(text: str) -> str:
    """Return the text such that no spreadsheet takes it for a formula."""
    return "'" + text if text.startswith(_FORMULA_STARTS) else text


FORMATS = {"csv": to_csv, "json": to_json}
