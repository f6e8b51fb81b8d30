"""Reading invoices from JSON."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from model import Invoice, Line


def read_invoice(text: str) -> Invoice:
    """The invoice in a JSON text."""
    data = json.loads(text, parse_float=Decimal)
    lines = tuple(_read_line(entry) for entry in data["lines"])
    return Invoice(data["number"], lines, Decimal(data.get("discount", 0)))


def _read_line(entry: dict[str, Any]) -> Line:
    return Line(
        text=entry["text"],
        quantity=Decimal(entry["quantity"]),
        unit_price=Decimal(entry["unit_price"]),
        tax_rate=Decimal(entry["tax_rate"]),
        discount=Decimal(entry.get("discount", 0)),
    )
