"""Changes that the office makes through the JSON API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from validation import Rules, validate

RULES = Rules(
    required=frozenset({"name", "email"}),
    longest_name=60,
    minimum_age=16,
    partial=True,
    typed=True,
)


class BadRequest(Exception):
    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__(f"{len(errors)} errors")
        self.errors = errors


def patch(member: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The member after the changes; null removes a field. Raises BadRequest with the errors by field."""
    result = validate(changes, RULES)
    if result.errors:
        raise BadRequest(result.errors)
    removed = {field for field, value in result.values.items() if value is None}
    return {field: value for field, value in {**member, **result.values}.items() if field not in removed}
