"""Amounts of money as text."""

from __future__ import annotations


def format_cents(cents: int) -> str:
    """`123456` as `1,234.56`."""
    sign = "-" if cents < 0 else ""
    whole, rest = divmod(abs(cents), 100)
    return f"{sign}{whole:,}.{rest:02}"
