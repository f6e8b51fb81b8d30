"""Invoices as text."""

from __future__ import annotations

from decimal import Decimal

from model import Invoice
from totals import Totals

WIDTH = 48


def render(invoice: Invoice, totals: Totals) -> str:
    """An invoice as it is printed."""
    rows = [f"Invoice {invoice.number}", ""]
    rows += [_row(line.text, amount) for line, amount in zip(invoice.lines, totals.lines)]
    rows += ["", _row("Subtotal", totals.subtotal)]
    if totals.discount:
        rows.append(_row(f"Discount {_percent(invoice.discount)}", -totals.discount))
    rows += [_row(f"Tax {_percent(group.tax_rate)} on {group.net:.2f}", group.tax) for group in totals.groups]
    rows.append(_row("Total", totals.total))
    return "\n".join(rows) + "\n"


def _row(label: str, amount: Decimal) -> str:
    return f"{label:<{WIDTH - 12}}{amount:>12.2f}"


def _percent(value: Decimal) -> str:
    return f"{value.normalize():f} %"
