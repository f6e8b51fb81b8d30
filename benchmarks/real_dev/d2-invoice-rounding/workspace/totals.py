"""The amounts of an invoice."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from model import Invoice
from money import percent_of, round_cents


@dataclass(frozen=True)
class Group:
    """The lines of one tax rate together."""

    tax_rate: Decimal
    discount: Decimal
    net: Decimal
    tax: Decimal


@dataclass(frozen=True)
class Totals:
    """All amounts of an invoice, in cents; the groups are in ascending order of their tax rates."""

    lines: tuple[Decimal, ...]
    subtotal: Decimal
    discount: Decimal
    groups: tuple[Group, ...]
    tax: Decimal
    total: Decimal


def compute(invoice: Invoice) -> Totals:
    """Compute the amounts of an invoice."""
    sums: dict[Decimal, Decimal] = {}
    for line in invoice.lines:
        sums[line.tax_rate] = sums.get(line.tax_rate, Decimal(0)) + line.net

    groups = []
    for rate, amount in sorted(sums.items()):
        discount = percent_of(amount, invoice.discount)
        net = amount - discount
        groups.append(Group(rate, round_cents(discount), round_cents(net), round_cents(percent_of(net, rate))))

    subtotal = sum(sums.values(), Decimal(0))
    discount = percent_of(subtotal, invoice.discount)
    tax = sum((group.tax for group in groups), Decimal(0))
    return Totals(
        lines=tuple(round_cents(line.net) for line in invoice.lines),
        subtotal=round_cents(subtotal),
        discount=round_cents(discount),
        groups=tuple(groups),
        tax=round_cents(tax),
        total=round_cents(subtotal - discount + tax),
    )
