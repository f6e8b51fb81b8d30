"""Exchange rates for the shop. One service is shared by all threads of the server."""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal
from typing import Protocol

from cache import SingleFlightCache

RATE_TTL = 600.0


class Source(Protocol):
    def fetch(self, currency: str) -> Decimal: ...


class RateService:
    def __init__(self, source: Source, ttl: float = RATE_TTL, clock: Callable[[], float] = time.monotonic) -> None:
        self._cache = SingleFlightCache(source.fetch, ttl, clock)

    def rate(self, currency: str) -> Decimal:
        """Return how many units of a currency one euro is worth."""
        return self._cache.get(currency.upper())

    def forget(self, currency: str) -> None:
        """Have the rate of a currency fetched anew."""
        self._cache.invalidate(currency.upper())

    def in_currency(self, cents: int, currency: str) -> Decimal:
        """Convert euro cents to an amount in a currency, rounded to two places."""
        return (Decimal(cents) / 100 * self.rate(currency)).quantize(Decimal("0.01"))
