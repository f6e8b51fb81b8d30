"""How each field of a member is written."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from model import FormatError

COLUMNS = ("number", "name", "email", "postal_code", "joined", "fee", "note")


def to_text(value: Any) -> str | None:
    """The value of a field as text."""
    return None if value is None else str(value)


def from_text(column: str, text: str | None) -> Any:
    """The value of a field from its text."""
    if text is None:
        return None
    try:
        if column == "joined":
            return date.fromisoformat(text)
        if column == "fee":
            return Decimal(text)
    except (ValueError, InvalidOperation) as error:
        raise FormatError(f"{column}: cannot read {text!r}") from error
    return text
