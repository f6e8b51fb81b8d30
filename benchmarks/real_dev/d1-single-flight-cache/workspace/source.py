"""Where exchange rates come from."""

from __future__ import annotations

import json
import urllib.request
from decimal import Decimal


class UnknownCurrency(Exception):
    """The bank has no rate for this currency."""


class BankSource:
    """The rates of the bank: slow, and charged by the request."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url

    def fetch(self, currency: str) -> Decimal:
        """Return how many units of a currency, such as `CHF`, one euro is worth."""
        with urllib.request.urlopen(f"{self._base_url}/rates/{currency}", timeout=20) as answer:
            record = json.load(answer)
        if "rate" not in record:
            raise UnknownCurrency(currency)
        return Decimal(record["rate"])
