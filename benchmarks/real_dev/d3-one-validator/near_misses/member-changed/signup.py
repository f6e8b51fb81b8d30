"""The form on the website, by which people join the rowing club themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from validation import Rules, validate

RULES = Rules(required=frozenset({"name", "email", "age"}), longest_name=40, minimum_age=16)


def read_form(form: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """The values of a form and its errors by field; fields with an error have no value."""
    result = validate(form, RULES)
    return {field: value for field, value in result.values.items() if value is not None}, result.errors
