"""Arithmetic with amounts of money."""

from __future__ import annotations

from decimal import Decimal

CENT = Decimal("0.01")


def round_cents(amount: Decimal) -> Decimal:
    """An amount, rounded to the cent."""
    return amount.quantize(CENT)


def percent_of(amount: Decimal, percent: Decimal) -> Decimal:
    """So many percent of an amount, not rounded."""
    return amount * percent / 100
