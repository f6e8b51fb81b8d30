"""Member lists of other clubs, read by csv.DictReader. Their secretaries write what they like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from validation import Rules, validate

RULES = Rules(
    required=frozenset({"name"}),
    longest_name=60,
    minimum_age=0,
    nothing=frozenset({"", "-", "n/a"}),
    signed_age=True,
    separators=" /.()-",
    unknown_allowed=True,
)


class BadRow(Exception):
    def __init__(self, messages: list[str]) -> None:
        super().__init__("; ".join(messages))
        self.messages = messages


def read_row(row: Mapping[str, str | None]) -> dict[str, Any]:
    """The values of a row. Raises BadRow with a message per wrong field, in the order name, email, age, phone."""
    result = validate(row, RULES)
    if result.errors:
        raise BadRow([f"{field} {error}" for field, error in result.errors.items()])
    return {field: value for field, value in result.values.items() if value is not None}
