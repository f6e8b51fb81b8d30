"""What an invoice consists of."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from money import percent_of, round_cents


@dataclass(frozen=True)
class Line:
    text: str
    quantity: Decimal
    unit_price: Decimal
    tax_rate: Decimal
    discount: Decimal = Decimal(0)

    @property
    def net(self) -> Decimal:
        """The amount of the line, less its discount, in cents."""
        full = self.quantity * self.unit_price
        return round_cents(full - percent_of(full, self.discount))


@dataclass(frozen=True)
class Invoice:
    number: str
    lines: tuple[Line, ...]
    discount: Decimal = Decimal(0)
