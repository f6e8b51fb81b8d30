"""Exchange rates for the shop. One service is shared by all threads of the server."""

from __future__ import annotations

from decimal import Decimal
from typing import Protocol


class Source(Protocol):
    def fetch(self, currency: str) -> Decimal: ...


class RateService:
    def __init__(self, source: Source) -> None:
        self._source = source

    def rate(self, currency: str) -> Decimal:
        """Return how many units of a currency one euro is worth."""
        return self._source.fetch(currency.upper())

    def in_currency(self, cents: int, currency: str) -> Decimal:
        """Convert euro cents to an amount in a currency, rounded to two places."""
        return (Decimal(cents) / 100 * self.rate(currency)).quantize(Decimal("0.01"))
