"""Validation of the body of POST /users."""

from __future__ import annotations

from typing import Any

ROLES = ("member", "editor", "admin")
MAX_NAME_LENGTH = 80
MIN_AGE, MAX_AGE = 13, 120
MAX_TAGS = 5


def validate_user(payload: dict) -> tuple[dict | None, list[dict]]:
    """Return the user to store and no errors, or None and the errors of the payload."""
    user: dict[str, Any] = {"role": ROLES[0], "tags": [], "newsletter": False}
    errors = []
    for field, (required, check) in FIELDS.items():
        if field in payload:
            problem = check(payload[field])
        else:
            problem = ("required", "is required") if required else None
        if problem:
            errors.append(_error(field, *problem))
        elif field in payload:
            user[field] = payload[field]
    for field in sorted(payload.keys() - FIELDS.keys()):
        errors.append(_error(field, "unknown", "is not a field of a user"))
    if errors:
        return None, errors
    user["name"] = user["name"].strip()
    user["tags"] = list(user["tags"])
    return user, []


def _error(field: str, code: str, problem: str) -> dict:
    return {"field": field, "code": code, "message": f"{field} {problem}"}


def _check_name(value: Any) -> tuple[str, str] | None:
    if not isinstance(value, str):
        return "type", "must be a string"
    if not 1 <= len(value.strip()) <= MAX_NAME_LENGTH:
        return "length", f"must have 1 to {MAX_NAME_LENGTH} characters"
    return None


def _check_email(value: Any) -> tuple[str, str] | None:
    if not isinstance(value, str):
        return "type", "must be a string"
    if value.count("@") != 1 or value.startswith("@") or value.endswith("@"):
        return "format", "must look like user@host"
    return None


def _check_age(value: Any) -> tuple[str, str] | None:
    if not isinstance(value, int):
        return "type", "must be an integer"
    if not MIN_AGE <= value <= MAX_AGE:
        return "range", f"must be from {MIN_AGE} to {MAX_AGE}"
    return None


def _check_role(value: Any) -> tuple[str, str] | None:
    if not isinstance(value, str):
        return "type", "must be a string"
    if value not in ROLES:
        return "choice", "must be one of " + ", ".join(ROLES)
    return None


def _check_tags(value: Any) -> tuple[str, str] | None:
    if not isinstance(value, list) or not all(isinstance(tag, str) for tag in value):
        return "type", "must be an array of strings"
    if len(value) > MAX_TAGS:
        return "length", f"must have at most {MAX_TAGS} entries"
    return None


def _check_newsletter(value: Any) -> tuple[str, str] | None:
    return None if isinstance(value, bool) else ("type", "must be a boolean")


FIELDS = {
    "name": (True, _check_name),
    "email": (True, _check_email),
    "age": (False, _check_age),
    "role": (False, _check_role),
    "tags": (False, _check_tags),
    "newsletter": (False, _check_newsletter),
}
