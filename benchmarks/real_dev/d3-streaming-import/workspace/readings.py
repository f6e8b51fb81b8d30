"""What the import deals in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


class BadFile(Exception):
    """The file is not one of ours."""


@dataclass(frozen=True)
class Reading:
    line: int
    meter: str
    day: date
    litres: int
    note: str


@dataclass(frozen=True)
class Problem:
    line: int
    text: str


@dataclass(frozen=True)
class Summary:
    stored: int
    problems: int
