"""Changes that the office makes through the JSON API."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any


class BadRequest(Exception):
    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__(f"{len(errors)} errors")
        self.errors = errors


def patch(member: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The member after the changes; null removes a field. Raises BadRequest with the errors by field."""
    patched = dict(member)
    errors: dict[str, str] = {}
    for field, value in changes.items():
        if field not in ("name", "email", "age", "phone"):
            errors[field] = "is not known"
        elif value is None:
            if field in ("name", "email"):
                errors[field] = "is missing"
            else:
                patched.pop(field, None)
        elif field == "age":
            if isinstance(value, bool) or not isinstance(value, int):
                errors[field] = "is not a whole number"
            elif value < 16:
                errors[field] = "is too low"
            else:
                patched[field] = value
        elif not isinstance(value, str):
            errors[field] = "is not a text"
        elif field == "name":
            if not value.strip():
                errors[field] = "is missing"
            elif len(value) > 60:
                errors[field] = "is too long"
            else:
                patched[field] = value
        elif field == "email":
            if re.fullmatch(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+", value):
                patched[field] = value.lower()
            else:
                errors[field] = "is not an address"
        else:
            phone = re.sub(r"[ /-]", "", value)
            if re.fullmatch(r"\+?[0-9]{6,15}", phone):
                patched[field] = phone
            else:
                errors[field] = "is not a phone number"
    if errors:
        raise BadRequest(errors)
    return patched
