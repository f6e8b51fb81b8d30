"""What we know about a member."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True)
class Member:
    number: str | None = None
    name: str | None = None
    email: str | None = None
    postal_code: str | None = None
    joined: date | None = None
    fee: Decimal | None = None
    note: str | None = None


class FormatError(ValueError):
    """A file that is not as it should be."""
