"""Arithmetic with amounts of money."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")


def round_cents(amount: Decimal) -> Decimal:
    """An amount, rounded to the cent, half a cent away from zero."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def percent_of(amount: Decimal, percent: Decimal) -> Decimal:
    """So many percent of an amount, not rounded."""
    return amount * percent / 100
